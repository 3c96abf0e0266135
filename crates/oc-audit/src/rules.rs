//! The two rule sets.

use serde::Serialize;
use thiserror::Error;

/// Which checks run, and with which reading of the configuration (audit spec 2, Resolution).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum RuleSet {
    /// `2026.2`: what the release of that name reports, exactly.
    #[serde(rename = "2026.2")]
    Era,
    /// `latest`: this product's own judgement, the default.
    #[serde(rename = "latest")]
    Latest,
}

/// A word that names no rule set.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no rule set {0:?}; use `latest` or `2026.2`")]
pub struct UnknownRuleSet(String);

impl RuleSet {
    /// The word on the command line and in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Era => "2026.2",
            Self::Latest => "latest",
        }
    }
}

impl std::str::FromStr for RuleSet {
    type Err = UnknownRuleSet;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "2026.2" => Ok(Self::Era),
            "latest" => Ok(Self::Latest),
            other => Err(UnknownRuleSet(other.to_owned())),
        }
    }
}

impl std::fmt::Display for RuleSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
