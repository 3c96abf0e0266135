//! What the log of this process is to be, from one reading of the configuration.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use oc_config::{Environment, Loaded};

use super::process::host_name;
use crate::log::LoggingSettings;
use crate::log::settings::Surroundings;

/// The settings. `verbose`: the console says more, the file does not.
#[must_use]
pub fn settings(loaded: &Loaded, verbose: bool) -> LoggingSettings {
    let host = host_name();
    LoggingSettings::from_config(
        &loaded.tree,
        &Surroundings {
            home: &loaded.locations.home,
            tmp: &temporary(&loaded.environment),
            terminal: std::io::stderr().is_terminal(),
            no_colour: loaded.environment.text("NO_COLOR").is_some(),
            verbose,
            host: &host,
            version: env!("CARGO_PKG_VERSION"),
        },
    )
}

/// The folder for temporary files: `TMPDIR`, else `/tmp`. Only the second choice of the log lies there: `/tmp/openclaw` is one place for all
/// who read it, whatever their environment.
fn temporary(environment: &Environment) -> PathBuf {
    let named = environment.text("TMPDIR").map(Path::new).filter(|p| p.is_absolute());
    named.unwrap_or(Path::new("/tmp")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_absolute_tmpdir_counts() {
        for (value, want) in
            [(None, "/tmp"), (Some("/var/mine"), "/var/mine"), (Some("here"), "/tmp"), (Some(""), "/tmp")]
        {
            let pairs = value.map(|v| ("TMPDIR".to_owned(), v.to_owned()));
            assert_eq!(temporary(&Environment::from_process(pairs)), Path::new(want), "{value:?}");
        }
    }
}
