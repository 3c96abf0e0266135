//! What a sub-agent may use (seed: sub-agent policy; tool-policy 8).
//!
//! The built-in denies cannot be lifted, and a sub-agent never gets what its parent does not have (SP-107).

use oc_types::{KeyPath, Node, Origin};

use crate::tool_policy::WarningKind;
use crate::tool_policy::list::{List, Place, Standing};
use crate::tool_policy::matcher::Side;
use crate::tool_policy::reader::Reader;
use crate::tool_policy::rule::Rule;

/// Tools that no sub-agent has, whatever is configured.
pub const BUILTIN_DENY: &[&str] = &[
    "sessions_list",
    "sessions_history",
    "sessions_send",
    "sessions_spawn",
    "gateway",
    "agents_list",
    "whatsapp_login",
    "session_status",
    "cron",
    "memory_search",
    "memory_get",
];

/// Reads the layer: `tools.subagents.tools` and the seed's `tools.subagent`, with `allow` and `deny` in it or in its `tools`.
///
/// Denies are united. Of two allow lists the seed's counts, with a warning. `alsoAllow` means nothing here.
pub(crate) fn read(reader: &mut Reader<'_>, config: &Node) -> Rule {
    let builtin = Place::root(KeyPath::keys(["tools", "subagents", "tools", "deny"]));
    let mut deny = vec![List::fixed(builtin, Origin::Builtin, Standing::Builtin, BUILTIN_DENY)];
    let mut allow: Option<List> = None;
    let places: [&[&str]; 3] =
        [&["tools", "subagent"], &["tools", "subagent", "tools"], &["tools", "subagents", "tools"]];
    for path in places {
        let Some(node) = config.path(path).filter(|n| !n.is_null()) else { continue };
        let place = Place::root(KeyPath::keys(path.iter().copied()));
        if node.as_object().is_none() {
            let list =
                List { malformed: true, ..List::fixed(place, node.origin.clone(), Standing::Set, &[]) };
            reader.check(Some(&list), Side::Deny);
            deny.push(list);
            continue;
        }
        let (allowed, denied) = (List::read(node, "allow", &place), List::read(node, "deny", &place));
        reader.check(allowed.as_ref(), Side::Allow);
        reader.check(denied.as_ref(), Side::Deny);
        deny.extend(denied);
        match (&allow, allowed) {
            (Some(first), Some(other)) => {
                let message = format!("{} sets the same list and is the one that counts", first.place.path());
                reader.warn(WarningKind::ConflictingSpellings, other.place.path(), &other.origin, message);
            }
            (None, found @ Some(_)) => allow = found,
            (_, None) => {}
        }
    }
    let (place, origin) = match &allow {
        Some(list) => (list.place.clone(), list.origin.clone()),
        None => (Place::root(KeyPath::keys(["tools", "subagents", "tools"])), Origin::Builtin),
    };
    Rule::new(reader, place, origin, allow.into_iter().collect(), deny)
}
