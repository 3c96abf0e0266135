//! What is wrong with a configuration.

use oc_types::{KeyPath, Origin};
use serde::Serialize;

/// One thing that is wrong (or, as a warning, odd) in a configuration: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    /// The key path concerned; the root for a whole file.
    pub path: KeyPath,
    /// Where that key stands.
    pub origin: Origin,
    /// What is wrong: lower case, no full stop, never a secret value.
    pub message: String,
    /// The nearest valid key (full path), for unknown keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// `openclaw.json:4:7: channels.whatsapp.dmPolciy: unknown key; nearest valid key: channels.whatsapp.dmPolicy`.
impl std::fmt::Display for Issue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.path.is_root() {
            // A key may hold anything, and this line goes to a terminal (SP-015).
            write!(f, "{}: ", oc_text::visible(&self.path.to_string(), oc_text::visible::LINE_CAP))?;
        }
        f.write_str(&self.message)?;
        if let Some(n) = &self.nearest {
            write!(f, "; nearest valid key: {n}")?;
        }
        if let Some(fix) = &self.fix {
            write!(f, "; {fix}")?;
        }
        Ok(())
    }
}
