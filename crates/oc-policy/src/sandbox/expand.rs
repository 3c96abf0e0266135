//! Canonical names and group members of the entries of a sandbox tool list.

use crate::{group, tool_name};

/// The names an entry stands for: itself in canonical form, or the members of the group it names.
pub(super) fn expand_entry(entry: &str) -> Vec<String> {
    let name = tool_name::canonical(entry);
    match group::members(&name) {
        Some(members) => members.iter().map(|m| (*m).to_owned()).collect(),
        None => vec![name.into_owned()],
    }
}
