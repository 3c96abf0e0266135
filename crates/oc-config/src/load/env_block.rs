//! The configuration's own `env` block: variables for those that are unset or blank (audit spec 4.5).

use indexmap::IndexMap;
use oc_types::{KeyPath, Node, Value};

use super::Reading;
use crate::substitute::substitute;
use crate::{Environment, Issue};

/// Fills unset or blank variables from `env.vars.*` and the other string members of `env`; of two spellings the one beside `vars` wins.
///
/// A value that is itself written as `${VAR}` means that variable (of the process or a `.env` file). The era release takes such a
/// text literally: then a token written through two variables would be the known text `${VAR}`.
pub(super) fn apply(tree: &Node, environment: &mut Environment, reading: Reading) -> Vec<Issue> {
    let Some(block) = tree.get("env").and_then(Node::as_object) else { return Vec::new() };
    let mut entries: IndexMap<&str, (KeyPath, &Node)> = IndexMap::new();
    let vars = block.get("vars").and_then(Node::as_object);
    for (name, node) in vars.into_iter().flatten() {
        entries.insert(name, (KeyPath::dotted("env.vars").key(name), node));
    }
    for (name, node) in block.iter().filter(|(n, _)| !matches!(n.as_str(), "vars" | "shellEnv")) {
        if matches!(node.value, Value::String(_)) {
            entries.insert(name, (KeyPath::dotted("env").key(name), node));
        }
    }
    let outer = environment.clone();
    let mut issues = Vec::new();
    for (name, (path, node)) in entries {
        let mut node = node.clone();
        if reading == Reading::Product && !substitute(&mut node, &outer).issues.is_empty() {
            // The missing variable is reported once, when the whole tree is substituted.
            continue;
        }
        let Value::String(value) = &node.value else { continue };
        if value.is_empty() {
            continue;
        }
        if reading == Reading::Product && value.contains(['\0', '\r', '\n']) {
            issues.push(Issue {
                path,
                origin: node.origin.clone(),
                message: "the value of a variable holds a line break or a NUL character".to_owned(),
                nearest: None,
                fix: Some("put it in a file and name the file".to_owned()),
            });
            continue;
        }
        environment.fill_from_config(name, value, &format!("{path} at {}", node.origin));
    }
    issues
}
