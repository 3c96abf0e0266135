//! The `openclaw` command: parses arguments, composes the crates, renders answers. No rule lives here.

mod app;
mod caller_args;
mod commands;
mod rows;
mod sheet;
mod wire;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    if let Some(code) = runner() {
        return code;
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

/// The hidden command that executors start again from this binary: the runner, and the stages that a native sandbox is set up in. It
/// comes before everything else, while the process is still single-threaded and has read nothing.
fn runner() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1).peekable();
    arguments.next_if(|a| a == oc_runner::HIDDEN)?;
    if oc_confine::is_for_us(arguments.peek()) {
        return Some(oc_confine::main(arguments));
    }
    Some(oc_runner::main(arguments))
}
