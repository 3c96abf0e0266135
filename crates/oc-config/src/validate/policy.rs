//! Tool policies: `allow` and `alsoAllow` exclude each other (tool-policy 2.1).

use oc_types::{KeyPath, Node, Value};

use super::Report;

pub(super) fn check(tree: &Node, report: &mut Report) {
    // Everything that is called `allow` beside an `alsoAllow` is a tool policy; no other object has that second key.
    walk(tree, &KeyPath::root(), report);
}

fn walk(node: &Node, at: &KeyPath, report: &mut Report) {
    match &node.value {
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                walk(item, &at.index(i), report);
            }
        }
        Value::Object(members) => {
            let filled = |key: &str| members.get(key).filter(|n| n.as_array().is_some_and(|a| !a.is_empty()));
            if let (Some(_), Some(extra)) = (filled("allow"), filled("alsoAllow")) {
                report.say(
                    at.key("alsoAllow"),
                    extra,
                    "allow and alsoAllow are both filled here: the one replaces the profile's list, the other adds to it",
                    "move the entries of alsoAllow into allow, or drop allow",
                );
            }
            for (key, member) in members {
                walk(member, &at.key(key.as_str()), report);
            }
        }
        _ => {}
    }
}
