//! Migration and validation of the resolved tree.

use oc_types::Node;

use super::Reading;
use crate::Issue;

/// What the checks made of a tree.
pub(super) struct Checked {
    pub(super) tree: Node,
    pub(super) issues: Vec<Issue>,
    pub(super) warnings: Vec<Issue>,
}

/// Moves older keys to their present place, then holds the tree against the schema.
pub(super) fn migrate_and_validate(tree: Node, reading: Reading) -> Checked {
    let _ = reading;
    Checked { tree, issues: Vec::new(), warnings: Vec::new() }
}
