//! Migration and validation of the resolved tree.

use oc_text::Redactor;
use oc_types::{KeyPath, Node};

use super::Reading;
use crate::Issue;
use crate::migrate::{Moved, migrate};
use crate::validate::{ValidateContext, validate};

/// What the checks made of a tree.
pub(super) struct Checked {
    pub(super) tree: Node,
    pub(super) issues: Vec<Issue>,
    pub(super) warnings: Vec<Issue>,
}

/// Moves older keys to their present place, then holds the tree against the schema. Ids of plugins and their channels are
/// checked by the caller, who can look at the disk ([`crate::validate::plugins`]).
pub(super) fn migrate_and_validate(tree: Node, reading: Reading) -> Checked {
    let migrated = migrate(tree, reading);
    let mut issues = migrated.issues;
    issues.extend(validate(&migrated.tree, &ValidateContext { reading, plugins: None }));
    let mut warnings: Vec<Issue> = migrated.moved.into_iter().map(older_key).collect();
    if reading == Reading::Product {
        warnings.extend(unusable_patterns(&migrated.tree));
    }
    Checked { tree: migrated.tree, issues, warnings }
}

fn older_key(moved: Moved) -> Issue {
    Issue {
        path: moved.from,
        origin: moved.origin,
        message: "older key, read as its successor; the file is unchanged".to_owned(),
        nearest: Some(moved.to.to_string()),
        fix: Some("`openclaw doctor --fix` rewrites it and keeps comments".to_owned()),
    }
}

/// The patterns of `logging.redactPatterns` that are passed over (logging-redaction 3).
fn unusable_patterns(tree: &Node) -> Vec<Issue> {
    let Some(list) = tree.path(&["logging", "redactPatterns"]).and_then(Node::as_array) else {
        return Vec::new();
    };
    let texts: Vec<String> = list.iter().map(|n| n.as_str().unwrap_or_default().to_owned()).collect();
    let (_, dropped) = Redactor::custom(&texts);
    let all = !dropped.is_empty() && dropped.len() == texts.len();
    let path = KeyPath::keys(["logging", "redactPatterns"]);
    dropped
        .into_iter()
        .filter_map(|d| {
            let origin = list.get(d.index)?.origin.clone();
            let rest = if all { "; none is left, so the built-in ones are used" } else { "" };
            Some(Issue {
                path: path.index(d.index),
                origin,
                message: format!("this pattern is not used: {}{rest}", d.why),
                nearest: None,
                fix: Some("write it without look-around, back references and `\\u` forms".to_owned()),
            })
        })
        .collect()
}
