//! `kcf`: see `kcf --help`.

fn main() -> std::process::ExitCode {
    kcf::run()
}
