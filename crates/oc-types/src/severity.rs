//! How bad a finding is.

use serde::{Deserialize, Serialize};

/// Severity of an audit finding, ordered: `Info < Warn < Critical`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, nothing to do at once.
    Info,
    /// Weakens the setup.
    Warn,
    /// Lets somebody in, or lets them do harm.
    Critical,
}

impl Severity {
    /// The word used in reports and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Critical => "critical",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
