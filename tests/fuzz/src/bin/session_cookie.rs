//! See `session_cookie` in the library.
#![cfg_attr(feature = "libfuzzer", no_main)]

portier_client_fuzz::program!(portier_client_fuzz::session_cookie::run);
