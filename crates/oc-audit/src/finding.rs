//! One thing the audit found.

use std::path::{Path, PathBuf};

use oc_types::{KeyPath, Origin, Severity};
use serde::Serialize;

use crate::catalogue::{self, Priority};

/// The key behind a finding and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeyRef {
    /// The full key path.
    pub path: KeyPath,
    /// Where it stands; for an unset key the nearest enclosing key that exists.
    pub origin: Origin,
    /// Whether the key itself is unset.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unset: bool,
}

/// One finding. It never holds a secret (SP-280).
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The id from the catalogue.
    pub check_id: String,
    /// How bad.
    pub severity: Severity,
    /// One line: what is the matter.
    pub title: String,
    /// The particulars: key paths, files, modes.
    pub detail: String,
    /// What to do, when there is something to do.
    pub remediation: Option<String>,
    /// The keys that cause it, most telling first.
    pub keys: Vec<KeyRef>,
    /// The files or directories concerned.
    pub paths: Vec<PathBuf>,
    /// Where it stands in the seed's fix-first order.
    pub priority: Priority,
}

/// The findings of a run, in report order. Modules append; a later module of the latest rules may also amend or withdraw.
#[derive(Clone, Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Starts a finding; title, remediation and priority come from the catalogue. It is added when the draft is dropped.
    pub fn report(&mut self, check_id: impl Into<String>, severity: Severity) -> Draft<'_> {
        let check_id = check_id.into();
        let check = catalogue::find(&check_id);
        let finding = Finding {
            severity,
            title: check.map_or_else(|| check_id.clone(), |c| c.title.to_owned()),
            detail: String::new(),
            remediation: check.and_then(|c| (!c.fix.is_empty()).then(|| c.fix.to_owned())),
            keys: Vec::new(),
            paths: Vec::new(),
            priority: check.map_or(Priority::Other, |c| c.priority),
            check_id,
        };
        Draft { list: &mut self.0, finding: Some(finding) }
    }

    /// The findings so far.
    #[must_use]
    pub fn as_slice(&self) -> &[Finding] {
        &self.0
    }

    /// The findings so far, to amend.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Finding> {
        self.0.iter_mut()
    }

    /// Withdraws the findings for which `keep` is false.
    pub fn retain(&mut self, keep: impl FnMut(&Finding) -> bool) {
        self.0.retain(keep);
    }

    /// How many findings have an id that starts with `prefix`.
    #[must_use]
    pub fn count(&self, prefix: &str) -> usize {
        self.0.iter().filter(|f| f.check_id.starts_with(prefix)).count()
    }

    /// The list.
    #[must_use]
    pub fn into_vec(self) -> Vec<Finding> {
        self.0
    }
}

/// A finding being written; dropping it adds it to its list.
#[derive(Debug)]
pub struct Draft<'a> {
    list: &'a mut Vec<Finding>,
    finding: Option<Finding>,
}

impl Draft<'_> {
    fn with(mut self, change: impl FnOnce(&mut Finding)) -> Self {
        if let Some(f) = self.finding.as_mut() {
            change(f);
        }
        self
    }

    /// Replaces the catalogue's title.
    pub fn title(self, text: impl Into<String>) -> Self {
        self.with(|f| f.title = text.into())
    }

    /// The particulars. Must name the full key path when the finding is about a key.
    pub fn detail(self, text: impl Into<String>) -> Self {
        self.with(|f| f.detail = text.into())
    }

    /// Replaces the catalogue's remediation.
    pub fn remedy(self, text: impl Into<String>) -> Self {
        self.with(|f| f.remediation = Some(text.into()))
    }

    /// A key that causes it.
    pub fn key(self, key: KeyRef) -> Self {
        self.with(|f| f.keys.push(key))
    }

    /// Several keys that cause it.
    pub fn keys(self, keys: impl IntoIterator<Item = KeyRef>) -> Self {
        self.with(|f| f.keys.extend(keys))
    }

    /// A file or directory concerned.
    pub fn path(self, path: impl AsRef<Path>) -> Self {
        self.with(|f| f.paths.push(path.as_ref().to_owned()))
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        self.list.extend(self.finding.take());
    }
}
