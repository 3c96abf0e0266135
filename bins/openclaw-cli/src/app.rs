//! What every command shares: the global flags, the environment, and the two streams.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use oc_config::Environment;

/// Flags that every command takes.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// Use this state directory instead of `~/.openclaw` (or `OPENCLAW_STATE_DIR`).
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Use this configuration file instead of the one in the state directory.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// One run of the command.
#[derive(Debug)]
pub struct App {
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// The process environment.
    pub process: Environment,
    /// Whether standard output may be coloured: a terminal, and `NO_COLOR` unset or empty.
    pub colour: bool,
}

impl App {
    /// Reads the process environment once.
    pub fn new(global: &Global) -> Self {
        let pairs =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        let process = Environment::from_process(pairs);
        let plain = process.get("NO_COLOR").is_some_and(|v| !v.is_empty());
        Self {
            state_dir: global.state_dir.clone(),
            config: global.config.clone(),
            colour: !plain && std::io::stdout().is_terminal(),
            process,
        }
    }

    /// Writes to standard output. A closed pipe ends quietly.
    pub fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Writes a line to standard error.
    pub fn note(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "{text}");
    }
}
