//! Tells the linker that Node provides the functions of Node-API, and in which order the functions of the addon are.

fn main() {
    napi_build::setup();
    order_functions();
}

/// In the published packages for Linux, puts the functions of a first login next to each other, so that a process maps
/// fewer pages of the file. Only the linkers of these packages are known to read the script.
fn order_functions() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../release/link_order.ld");
    let is_linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    if cfg!(feature = "packages") && is_linux {
        println!("cargo::rerun-if-changed={script}");
        println!("cargo::rustc-cdylib-link-arg=-Wl,-T,{script}");
    }
}
