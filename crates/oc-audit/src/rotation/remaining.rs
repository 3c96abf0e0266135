//! What a rotation leaves to a person: clients, providers, channels.

use oc_config::view;
use oc_text::redact::is_sensitive_name;

use super::{Environment, KeyPath, Node, Path, Place, Row, Serialize, VariableSource};

/// A credential that this product cannot make anew: somebody else issues it, or another machine holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Remaining {
    /// What it is, or what to do.
    pub what: String,
    /// Key path, file or variable.
    pub place: String,
    /// File and position, where it is a key or a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// Everything that is set and was not rotated just now: credentials in the configuration, in `.env` files, and in files of their own.
/// `done` are the keys and variables that were rotated; `rows` is the credential map.
#[must_use]
pub fn remaining(tree: &Node, environment: &Environment, rows: &[Row], done: &[String]) -> Vec<Remaining> {
    let mut out = Vec::new();
    for key in view::hidden_leaves(&tree.to_json()) {
        let place = key.to_string();
        if done.contains(&place) || is_own(&key) {
            continue;
        }
        let at = tree.at(&key).map(|n| n.origin.to_string());
        out.push(Remaining { what: what(&key).to_owned(), place, at });
    }
    for name in environment.names().filter(|n| looks_secret(n) && environment.text(n).is_some()) {
        let at = match environment.source(name) {
            Some(VariableSource::DotEnv { file, line }) => format!("{file}:{line}"),
            // The process environment of this command is not the gateway's; the `env` block is listed with the configuration.
            _ => continue,
        };
        if !done.iter().any(|d| d == name) {
            out.push(Remaining { what: "variable".to_owned(), place: name.to_owned(), at: Some(at) });
        }
    }
    for row in rows.iter().filter(|r| r.exists && r.is_issued_elsewhere()) {
        if let Place::Path(path) = &row.place {
            out.push(Remaining { what: row.what.clone(), place: shown(path), at: None });
        }
    }
    out
}

/// Secrets of this gateway that have their own command.
fn is_own(key: &KeyPath) -> bool {
    ["gateway.auth.token", "gateway.auth.password", "hooks.token"].iter().any(|k| KeyPath::dotted(k) == *key)
}

fn what(key: &KeyPath) -> &'static str {
    let text = key.to_string();
    [
        ("gateway.remote.", "secret of the gateway that this machine calls"),
        ("channels.", "channel credential"),
        ("models.", "model provider credential"),
        ("auth.", "model provider credential"),
        ("env.", "variable of the configuration"),
        ("mcp.", "credential of a tool server"),
        ("plugins.", "plugin credential"),
    ]
    .into_iter()
    .find(|(start, _)| text.starts_with(start))
    .map_or("credential", |(_, what)| what)
}

fn looks_secret(name: &str) -> bool {
    is_sensitive_name(name) || name.ends_with("_KEY")
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
