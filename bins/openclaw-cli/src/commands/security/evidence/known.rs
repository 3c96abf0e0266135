//! The secrets of this set-up, so that they can be looked for. They are read and never shown.

use std::path::Path;

use oc_audit::evidence::{secrets_in, secrets_in_text};
use oc_audit::workspace;
use oc_config::credential::Credential;
use oc_config::environment::VariableSource;
use oc_config::load::Loaded;
use oc_config::view;
use oc_fs::{bounded_read, credential, tails};
use oc_text::redact::is_sensitive_name;
use oc_types::{KeyPath, Node};
use serde_json::Value;

/// Largest credential file that is read, in bytes.
const LIMIT: u64 = 8 * 1024 * 1024;
/// Most files of one folder.
const FILES: usize = 2_000;
/// Shortest value of a `.env` file that is looked for whatever its name.
const VALUE: usize = 8;

/// Every secret that can be found: in the configuration, in variables, in the stores and credential files.
pub(super) fn secrets(loaded: &Loaded) -> Vec<String> {
    let mut out = Vec::new();
    configuration(loaded, &mut out);
    variables(loaded, &mut out);
    let state = &loaded.locations.state_dir;
    for folder in [
        loaded.locations.credentials.clone(),
        state.join("devices"),
        state.join("nodes"),
        state.join("identity"),
        state.join("gateway"),
    ] {
        for file in tails::files_below(&folder, FILES) {
            from_file(&file, &mut out);
        }
    }
    from_file(&state.join("exec-approvals.json"), &mut out);
    for agent in tails::folders(&state.join("agents")) {
        for file in tails::files_below(&agent.join("agent"), FILES) {
            from_file(&file, &mut out);
        }
    }
    out
}

fn configuration(loaded: &Loaded, out: &mut Vec<String>) {
    // The tree with variables put in, and each file as it is written.
    let trees = std::iter::once(&loaded.tree).chain(loaded.files.iter().map(|f| &f.raw));
    for tree in trees {
        for key in view::hidden_leaves(&tree.to_json()) {
            let Some(node) = tree.at(&key) else { continue };
            texts(node, out);
            elsewhere(loaded, &key, node, out);
        }
    }
}

fn texts(node: &Node, out: &mut Vec<String>) {
    out.extend(node.as_str().map(str::to_owned));
    for item in node.as_array().unwrap_or_default() {
        texts(item, out);
    }
    for (_, member) in node.as_object().into_iter().flatten() {
        texts(member, out);
    }
}

/// A credential in a file of its own: `{ file: ... }`, or a key that names one (`tokenFile`).
fn elsewhere(loaded: &Loaded, key: &KeyPath, node: &Node, out: &mut Vec<String>) {
    if let Ok(Some(kept @ Credential::File(_))) = Credential::of(key, Some(node))
        && let Ok(secret) = credential::resolve(key, &kept, &[])
    {
        out.push(secret.expose().to_owned());
    }
    if let Some(text) = node.as_str().filter(|t| t.starts_with(['/', '~'])) {
        from_file(&workspace::expand(text, &loaded.locations.home), out);
    }
}

fn variables(loaded: &Loaded, out: &mut Vec<String>) {
    let environment = &loaded.environment;
    for name in environment.names() {
        let Some(value) = environment.text(name) else { continue };
        let named = is_sensitive_name(name) || name.ends_with("_KEY") || name.contains("PASS");
        let own = !matches!(environment.source(name), Some(VariableSource::Process)) && value.len() >= VALUE;
        if named || own {
            out.push(value.to_owned());
        }
    }
    // Lines of the file that a stronger place overrides are secrets all the same.
    if let Ok(text) = bounded_read::text(&loaded.locations.state_dir.join(".env"), LIMIT) {
        out.extend(oc_config::dotenv::parse(&text).into_iter().map(|e| e.value).filter(|v| v.len() >= VALUE));
    }
}

fn from_file(path: &Path, out: &mut Vec<String>) {
    let Ok(text) = bounded_read::text(path, LIMIT) else { return };
    match serde_json::from_str::<Value>(&text) {
        Ok(value) => out.extend(secrets_in(&value)),
        Err(_) => {
            out.push(text.trim().to_owned());
            out.extend(secrets_in_text(&text));
        }
    }
}
