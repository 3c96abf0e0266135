//! Mention rules that stood above the rooms.
//!
//! A room map is also the list of admitted rooms, so `"*"` is only written where there was no map: adding it to a map
//! that names rooms would admit every other room.

use oc_types::{KeyPath, Node, Object, Value};

use super::{Work, object_at, stamped, take};

pub(super) fn run(work: &mut Work) {
    spread(work, &["channels", "telegram", "requireMention"], &["telegram"]);
    spread(work, &["routing", "groupChat", "requireMention"], &["whatsapp", "telegram", "imessage"]);
}

fn spread(work: &mut Work, from: &[&str], channels: &[&str]) {
    let Some(old) = work.tree.path(from) else { return };
    let (origin, old) = (old.origin.clone(), old.clone());
    if old.as_bool().is_none() {
        return work.refuse(from, origin, "this older key is neither true nor false");
    }
    let at = KeyPath::keys(from.iter().copied());
    let node = stamped(old, &at);
    let mut written = Vec::new();
    for channel in channels {
        if work.tree.path(&["channels", channel]).and_then(Node::as_object).is_none() {
            continue;
        }
        let path = ["channels", *channel, "groups"];
        let fresh = work.tree.path(&path).is_none();
        let Some(groups) = object_at(&mut work.tree, &path, &node.origin) else { continue };
        if fresh {
            groups.insert("*".to_owned(), Node::new(Value::Object(Object::new()), node.origin.clone()));
        }
        let rooms: Vec<String> = match groups.contains_key("*") {
            true => vec!["*".to_owned()],
            false => groups.keys().cloned().collect(),
        };
        for room in rooms {
            if let Some(Value::Object(settings)) = groups.get_mut(&room).map(|r| &mut r.value)
                && !settings.contains_key("requireMention")
            {
                settings.insert("requireMention".to_owned(), node.clone());
                written.push(KeyPath::keys(path).key(room.as_str()).key("requireMention"));
            }
        }
    }
    take(&mut work.tree, from);
    let first = written.into_iter().next();
    // Every room said it already, or no such channel is configured: the older key had no effect left.
    let to = first.unwrap_or_else(|| KeyPath::dotted("channels"));
    work.note(at, to, origin);
}
