//! Empty: only the features of its dependencies matter.
