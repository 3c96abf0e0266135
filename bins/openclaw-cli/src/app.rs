//! What every command shares: the global flags, the environment, and the two streams.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use oc_config::Environment;
use oc_config::load::{LoadRequest, Loaded, Reading, load};
use oc_config::location::Overrides;
use oc_fs::config_source::DiskSource;

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
    /// `--state-dir` and `--config`.
    pub overrides: Overrides,
    /// The process environment.
    pub process: Environment,
    /// The current directory; the root when it is gone.
    pub cwd: PathBuf,
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
            overrides: Overrides { state_dir: global.state_dir.clone(), config: global.config.clone() },
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            colour: !plain && std::io::stdout().is_terminal(),
            process,
        }
    }

    /// What a load of the configuration starts from.
    pub fn load_request(&self, reading: Reading) -> LoadRequest {
        LoadRequest {
            environment: self.process.clone(),
            overrides: self.overrides.clone(),
            cwd: self.cwd.clone(),
            os_home: std::env::home_dir(),
            reading,
        }
    }

    /// Finds and reads the configuration. What is wrong with it stands in `issues`.
    pub fn load(&self, reading: Reading) -> Loaded {
        load_with_plugins(&self.load_request(reading))
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

/// Finds and reads the configuration, and looks whether the plugins and channels that it names exist.
pub fn load_with_plugins(request: &LoadRequest) -> Loaded {
    let mut loaded = load(request, &DiskSource);
    // Which ids of plugins and channels exist is known only now: the configuration says where else to look.
    let found = oc_fs::plugins::find(&loaded.locations.state_dir, &loaded.tree, request.reading);
    loaded.issues.extend(oc_config::validate::plugins(&loaded.tree, &found));
    loaded
}
