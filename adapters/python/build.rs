//! macOS has to be told that what is missing at link time is the interpreter's.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
