//! One case as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A case.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// Text of the configuration; null for none.
    pub config: Option<String>,
    /// Environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Further arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Files and folders.
    #[serde(default)]
    pub files: Vec<Placed>,
    /// Where the state directory is.
    pub state_dir: Option<String>,
    /// Its mode, octal.
    pub state_mode: Option<String>,
    /// What it is a link to.
    pub state_symlink: Option<String>,
    /// There is none.
    #[serde(default)]
    pub no_state: bool,
    /// Where the configuration is.
    pub config_path: Option<String>,
    /// Its mode, octal.
    pub config_mode: Option<String>,
    /// The real file behind it.
    pub config_symlink: Option<String>,
    /// Keys compared afterwards.
    #[serde(default)]
    pub watch: Vec<String>,
    /// Paths whose modes are compared afterwards.
    #[serde(default)]
    pub watch_modes: Vec<String>,
    /// Nothing is compared afterwards.
    #[serde(default)]
    pub no_after: bool,
    /// The rule set.
    pub rules: Option<String>,
    /// The ids compared.
    #[serde(rename = "compareOnly")]
    pub compare_only: Option<Vec<String>>,
    /// `2026.9` when the configuration uses newer keys.
    pub dialect: Option<String>,
    /// The same configuration in this product's keys.
    #[serde(rename = "configEra")]
    pub config_era: Option<String>,
    /// What is expected.
    #[serde(default)]
    pub expected: Value,
}

/// A file, link or folder.
#[derive(Debug, Deserialize)]
pub struct Placed {
    /// Where.
    pub path: String,
    /// Mode, octal.
    pub mode: Option<String>,
    /// Text.
    #[serde(default)]
    pub content: String,
    /// Target of a link.
    pub symlink: Option<String>,
    /// It is a folder.
    #[serde(default)]
    pub dir: bool,
    /// The text is filled up with `/` to this many bytes.
    #[serde(default)]
    pub pad_to: usize,
}

impl Case {
    /// Puts the configuration in this product's keys; whether that is possible.
    pub fn put_in_own_dialect(&mut self) -> bool {
        if let Some(config) = self.config_era.take() {
            self.config = Some(config);
            return true;
        }
        self.dialect.as_deref() != Some("2026.9")
    }
}
