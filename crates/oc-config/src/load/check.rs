//! Migration and validation of the resolved tree.

use oc_types::Node;

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
    let warnings = migrated.moved.into_iter().map(older_key).collect();
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
