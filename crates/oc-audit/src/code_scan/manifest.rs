//! The entries that a plugin's `package.json` declares (`openclaw.extensions[]`).

use crate::facts::{EntryProblem, ManifestFact};

/// What `package.json` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manifest {
    /// No such file, or it declares no entries.
    Absent,
    /// It is there and is no readable JSON object; the text says why.
    Malformed(String),
    /// The entries as written, blanks trimmed, in order.
    Entries(Vec<String>),
}

/// Where an entry leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryPath {
    /// Below the plugin: the path to scan, `/`-separated, without `.` and `..`.
    Inside {
        /// Path below the plugin.
        path: String,
        /// Whether a part of it is one the walk does not enter (`node_modules` or a name that starts with a dot).
        hidden: bool,
    },
    /// Outside the plugin.
    Escapes,
}

/// Reads the text of a `package.json`.
#[must_use]
pub fn parse(text: &str) -> Manifest {
    let json: serde_json::Value = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(json) => json,
        Err(e) => return Manifest::Malformed(format!("line {}: not valid JSON", e.line())),
    };
    if !json.is_object() {
        return Manifest::Malformed("not a JSON object".to_owned());
    }
    let entries: Vec<String> = json
        .pointer("/openclaw/extensions")
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_str)
        .map(str::trim)
        .filter(|e| !e.is_empty())
        .map(str::to_owned)
        .collect();
    if entries.is_empty() { Manifest::Absent } else { Manifest::Entries(entries) }
}

/// What the checks need to know about a manifest of the plugin at `dir`: the entries that hide or escape, in order.
#[must_use]
pub fn fact(manifest: &Manifest, dir: &str) -> ManifestFact {
    match manifest {
        Manifest::Absent => ManifestFact::None,
        Manifest::Malformed(why) => ManifestFact::Unusable(why.clone()),
        Manifest::Entries(entries) => ManifestFact::Read(
            entries
                .iter()
                .filter_map(|entry| match resolve(dir, entry) {
                    EntryPath::Inside { hidden: false, .. } => None,
                    EntryPath::Inside { hidden: true, .. } => Some(EntryProblem::Hidden(entry.clone())),
                    EntryPath::Escapes => Some(EntryProblem::Escapes(entry.clone())),
                })
                .collect(),
        ),
    }
}

/// Resolves an entry against the plugin folder by text alone. Links are the walker's business.
#[must_use]
pub fn resolve(dir: &str, entry: &str) -> EntryPath {
    let entry = entry.replace('\\', "/");
    let below = match entry.strip_prefix('/') {
        None => entry,
        Some(_) => match entry.strip_prefix(dir.trim_end_matches('/')) {
            Some(rest) if rest.starts_with('/') => rest.to_owned(),
            _ => return EntryPath::Escapes,
        },
    };
    let mut parts: Vec<&str> = Vec::new();
    let mut hidden = false;
    for part in below.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return EntryPath::Escapes;
                }
            }
            name => {
                hidden |= name == "node_modules" || name.starts_with('.');
                parts.push(name);
            }
        }
    }
    EntryPath::Inside { path: parts.join("/"), hidden }
}
