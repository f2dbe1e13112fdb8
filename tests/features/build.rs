//! Without it, Cargo ignores the build dependencies.

fn main() {}
