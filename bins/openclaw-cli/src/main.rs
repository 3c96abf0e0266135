//! The `openclaw` command: parses arguments, composes the crates, renders answers. No rule lives here.

mod app;
mod commands;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // The runner of the host and native executors is this same file; it takes no part in the command line.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|a| a == oc_runner::HIDDEN) {
        return oc_runner::main(arguments);
    }
    let cli = match commands::Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // clap prints help and version to stdout with 0, mistakes to stderr with 2.
            let code = u8::try_from(e.exit_code()).unwrap_or(2);
            let _ = e.print();
            return ExitCode::from(code);
        }
    };
    let app = app::App::new(&cli.global);
    match commands::run(&app, cli.command) {
        Ok(code) => code,
        Err(e) => {
            app.note(&format!("openclaw: {e:#}"));
            ExitCode::from(1)
        }
    }
}
