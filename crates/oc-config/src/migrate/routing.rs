//! The old `routing` section.

use oc_types::{KeyPath, Node, Object, Origin, Value};

use super::{Work, stamped, take};

pub(super) fn run(work: &mut Work) {
    work.relocate(&["routing", "queue"], &["messages", "queue"]);
    work.relocate(&["routing", "agentToAgent"], &["tools", "agentToAgent"]);
    work.relocate(&["routing", "transcribeAudio"], &["audio", "transcription"]);
    work.relocate(
        &["routing", "groupChat", "mentionPatterns"],
        &["messages", "groupChat", "mentionPatterns"],
    );
    work.move_with(&["routing", "bindings"], &["bindings"], |mut node| {
        let Value::Array(items) = &mut node.value else { return None };
        items.iter_mut().for_each(rename_match);
        Some(node)
    });
    allow_from(work);
    agents(work);
}

/// `match.provider` became `match.channel`.
fn rename_match(binding: &mut Node) {
    let Value::Object(members) = &mut binding.value else { return };
    let Some(Value::Object(rule)) = members.get_mut("match").map(|m| &mut m.value) else { return };
    for (old, new) in [("provider", "channel"), ("accountID", "accountId")] {
        if !rule.contains_key(new)
            && let Some(value) = rule.shift_remove(old)
        {
            rule.insert(new.to_owned(), value);
        }
    }
}

/// The list was WhatsApp's. It only goes to a section that exists, and a wildcard is not carried over: whoever wants
/// everybody must say so in today's words.
fn allow_from(work: &mut Work) {
    let from = ["routing", "allowFrom"];
    let Some(list) = work.tree.path(&from) else { return };
    let origin = list.origin.clone();
    let open = list.entries().is_none_or(|entries| entries.iter().any(|e| e.trim() == "*"));
    if open {
        return work.refuse(&from, origin, "this older list admits everybody and is not carried over");
    }
    if work.tree.path(&["channels", "whatsapp"]).is_none() {
        return work.refuse(&from, origin, "this older list belongs to WhatsApp, which is not configured");
    }
    work.relocate(&from, &["channels", "whatsapp", "allowFrom"]);
}

/// `routing.agents.<id>` became an entry of `agents.list`.
fn agents(work: &mut Work) {
    let from = ["routing", "agents"];
    if let Some(map) = work.tree.path(&from) {
        let origin = map.origin.clone();
        if work.tree.path(&["agents", "list"]).is_some() {
            work.conflict(&from, &KeyPath::dotted("agents.list"), origin);
        } else if let Some(Value::Object(members)) = take(&mut work.tree, &from).map(|n| n.value) {
            let list = members.into_iter().map(|(id, agent)| entry(&id, agent)).collect();
            let node = Node::new(
                Value::Array(list),
                stamped(Node::new(Value::Null, origin.clone()), &KeyPath::dotted("routing.agents")).origin,
            );
            if super::insert(&mut work.tree, &["agents", "list"], node) {
                work.note(KeyPath::dotted("routing.agents"), KeyPath::dotted("agents.list"), origin);
            }
        } else {
            work.refuse(&from, origin, "this older key is no object");
        }
    }
    default_agent(work);
}

fn entry(id: &str, agent: Node) -> Node {
    let at = KeyPath::dotted("routing.agents").key(id);
    let mut node = stamped(agent, &at);
    let origin = node.origin.clone();
    if let Value::Object(members) = &mut node.value {
        members
            .entry("id".to_owned())
            .or_insert_with(|| Node::new(Value::String(id.to_owned()), origin.clone()));
        if let Some(patterns) = members.shift_remove("mentionPatterns") {
            let chat = members
                .entry("groupChat".to_owned())
                .or_insert_with(|| Node::new(Value::Object(Object::new()), origin));
            if let Value::Object(chat) = &mut chat.value {
                chat.entry("mentionPatterns".to_owned()).or_insert(patterns);
            }
        }
    }
    node
}

/// `routing.defaultAgentId` became `default: true` on that agent. Without the key the old default was `main`.
fn default_agent(work: &mut Work) {
    let from = ["routing", "defaultAgentId"];
    let named = work.tree.path(&from).map(|n| (n.as_str().map(str::to_owned), n.origin.clone()));
    let (id, origin) = match named {
        Some((Some(id), origin)) => (id, Some(origin)),
        Some((None, origin)) => return work.refuse(&from, origin, "this older key is no text"),
        None if work.moved.iter().any(|m| m.from == KeyPath::dotted("routing.agents")) => {
            ("main".to_owned(), None)
        }
        None => return,
    };
    let marked = mark_default(&mut work.tree, &id, origin.as_ref());
    match (marked, origin) {
        (Some(index), Some(origin)) => {
            take(&mut work.tree, &from);
            let to = KeyPath::dotted("agents.list").index(index).key("default");
            work.note(KeyPath::dotted("routing.defaultAgentId"), to, origin);
        }
        (None, Some(origin)) => work.refuse(&from, origin, "this older key names no agent of the list"),
        (_, None) => {}
    }
}

/// Marks an agent of the list as the default one, unless another is marked. The index, if it is there.
fn mark_default(tree: &mut Node, id: &str, origin: Option<&Origin>) -> Option<usize> {
    let Value::Object(root) = &mut tree.value else { return None };
    let Value::Object(agents) = &mut root.get_mut("agents")?.value else { return None };
    let Value::Array(list) = &mut agents.get_mut("list")?.value else { return None };
    if list.iter().any(|a| a.get("default").is_some()) {
        return None;
    }
    let wanted = oc_types::id::normalize_id(id);
    let index = list.iter().position(|a| {
        a.get("id").and_then(Node::as_str).map(oc_types::id::normalize_id) == Some(wanted.clone())
    })?;
    let agent = list.get_mut(index)?;
    let origin = origin.cloned().unwrap_or_else(|| agent.origin.clone());
    let origin = match origin {
        migrated @ Origin::Migrated { .. } => migrated,
        plain => stamped(Node::new(Value::Null, plain), &KeyPath::dotted("routing.defaultAgentId")).origin,
    };
    if let Value::Object(members) = &mut agent.value {
        members.insert("default".to_owned(), Node::new(Value::Bool(true), origin));
    }
    Some(index)
}
