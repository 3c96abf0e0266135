//! The project's own tasks: `cargo xtask test|tidy|...`. The same commands run locally and in CI.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's tool that reports to the terminal"
)]

mod audit_fixtures;
mod bench;
mod engine;
mod fuzz;
mod golden;
mod install;
mod link_order;
mod runner;
mod soak;
mod steps;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::Parser;

/// The project's own tasks.
#[derive(Debug, Parser)]
#[command(name = "xtask", arg_required_else_help = true)]
enum Task {
    /// Everything CI checks: format, lints, tests, doctests, fixtures, dependency policy, secrets, docs, fuzz replay.
    Test(test::Args),
    /// The black-box cases of `openclaw security audit`, on the built command.
    AuditFixtures(audit_fixtures::Args),
    /// Speed and memory, side by side in one run.
    Bench(bench::Args),
    /// The product's own functions on folders of case files.
    Golden(golden::Args),
    /// Replay the fuzz corpus, then look for new inputs for a while.
    Fuzz(fuzz::Args),
    /// Measures which functions a start runs, for the order in which the linker places them.
    LinkOrder(link_order::Args),
    /// The resident runner as a static program, for containers and their tests.
    Runner(runner::Args),
    /// Two thousand clients, hostile ones among them, while secrets and configuration change.
    Soak(soak::Args),
    /// Layers, layout, file sizes, lists in docs: what the compiler does not check.
    Tidy,
}

fn main() -> ExitCode {
    let done = match Task::parse() {
        Task::Test(args) => test::run(&args),
        Task::AuditFixtures(args) => audit_fixtures::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Golden(args) => golden::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::LinkOrder(args) => link_order::run(&args),
        Task::Runner(args) => runner::run(&args),
        Task::Soak(args) => soak::run(&args),
        Task::Tidy => tidy::run(),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(e) => {
            eprintln!("xtask: {e:#}");
            ExitCode::from(1)
        }
    }
}
