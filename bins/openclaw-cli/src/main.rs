//! The `openclaw` command: parses arguments, composes the crates, renders answers. No rule lives here.

mod app;
mod commands;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
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
