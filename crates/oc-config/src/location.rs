//! Which home, state directory, configuration file and credentials directory (audit spec 4.1).

use std::path::PathBuf;

/// The places of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locations {
    /// The product home: `OPENCLAW_HOME`, `HOME`, `USERPROFILE`.
    pub home: PathBuf,
    /// The state directory, whether it exists or not.
    pub state_dir: PathBuf,
    /// The configuration file, whether it exists or not.
    pub config: PathBuf,
    /// The credentials directory.
    pub credentials: PathBuf,
}
