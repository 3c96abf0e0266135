//! What the log of this process is to be, from one reading of the configuration.

use std::io::IsTerminal as _;
use std::path::Path;

use oc_config::Loaded;

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
            tmp: Path::new("/tmp"),
            terminal: std::io::stderr().is_terminal(),
            no_colour: loaded.environment.text("NO_COLOR").is_some(),
            verbose,
            host: &host,
            version: env!("CARGO_PKG_VERSION"),
        },
    )
}
