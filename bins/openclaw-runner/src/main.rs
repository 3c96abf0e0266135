//! The resident runner as its own small static program, for containers (`oc-runner` holds everything).

fn main() -> std::process::ExitCode {
    oc_runner::main(std::env::args_os().skip(1))
}
