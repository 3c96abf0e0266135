//! `~` in values that are paths (audit spec 4.6, SP-069).

use std::path::Path;

use oc_types::{Node, Value};

use crate::location::expand_home;

#[cfg(test)]
mod tests;

const SUFFIXES: [&str; 6] = ["dir", "path", "paths", "file", "root", "workspace"];
const LISTS: [&str; 2] = ["paths", "pathPrepend"];

/// Replaces a leading `~` by the product home in every value whose key says that it is a path: keys that end in `dir`, `path`,
/// `paths`, `file`, `root` or `workspace` (any case), and lists named `paths` or `pathPrepend`. Nothing else is expanded.
pub fn expand_paths(tree: &mut Node, home: &Path) {
    any(None, tree, home);
}

fn any(key: Option<&str>, node: &mut Node, home: &Path) {
    match &mut node.value {
        Value::String(text) => {
            if key.is_some_and(|k| is_path_key(k) || LISTS.contains(&k))
                && let Some(expanded) = expand_home(text, home)
            {
                *text = expanded;
            }
        }
        Value::Array(items) => {
            let list = key.filter(|k| LISTS.contains(k));
            for item in items {
                any(if matches!(item.value, Value::String(_)) { list } else { None }, item, home);
            }
        }
        Value::Object(members) => {
            for (key, member) in members.iter_mut() {
                any(Some(key), member, home);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_path_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SUFFIXES.iter().any(|s| key.ends_with(s))
}
