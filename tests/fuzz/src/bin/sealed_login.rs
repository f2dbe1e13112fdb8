//! See `sealed_login` in the library.
#![cfg_attr(feature = "libfuzzer", no_main)]

portier_client_fuzz::program!(portier_client_fuzz::sealed_login::run);
