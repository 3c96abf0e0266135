//! Agents: ids, directories, bindings, avatars.

use std::collections::BTreeMap;

use oc_types::id::normalize_id;
use oc_types::{AgentId, KeyPath, Node};

use super::describe::shown;
use super::{Report, ValidateContext};
use crate::Reading;

pub(super) fn check(tree: &Node, context: &ValidateContext<'_>, report: &mut Report) {
    let list = tree.path(&["agents", "list"]).and_then(Node::as_array).unwrap_or_default();
    let product = context.reading == Reading::Product;
    let at = |i: usize| KeyPath::dotted("agents.list").index(i);
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    let mut directories: BTreeMap<String, usize> = BTreeMap::new();
    for (i, agent) in list.iter().enumerate() {
        let id = agent.get("id").and_then(Node::as_str);
        if let (Some(text), Some(node)) = (id, agent.get("id")) {
            let mut quiet = Report::default();
            let report = if product { &mut *report } else { &mut quiet };
            id_rules(text, node, at(i).key("id"), &mut ids, i, report);
        }
        directory(agent, id.unwrap_or_default(), &at(i), &mut directories, i, report);
        avatar(tree, agent, &at(i), report);
    }
    references(tree, &ids, list.is_empty(), product, report);
}

/// SP-120: an id is neither blank nor another's.
fn id_rules(
    text: &str,
    node: &Node,
    at: KeyPath,
    ids: &mut BTreeMap<String, usize>,
    index: usize,
    report: &mut Report,
) {
    let id = normalize_id(text);
    if id.is_empty() {
        return report.say(at, node, "an agent id must not be blank", "use letters, digits, '-' and '_'");
    }
    match ids.entry(id) {
        std::collections::btree_map::Entry::Occupied(first) => {
            let message = format!(
                "{} is the same agent as agents.list[{}]: both ids become \"{}\"",
                shown(text, false),
                first.get(),
                first.key()
            );
            report.say(at, node, message, "give every agent an id of its own");
        }
        std::collections::btree_map::Entry::Vacant(free) => {
            free.insert(index);
        }
    }
}

/// Two agents must not share a directory: it holds credentials.
fn directory(
    agent: &Node,
    id: &str,
    at: &KeyPath,
    seen: &mut BTreeMap<String, usize>,
    index: usize,
    report: &mut Report,
) {
    let written = agent.get("agentDir").and_then(Node::as_str).map(str::trim).filter(|d| !d.is_empty());
    // Without a directory of its own an agent has one named after its id, below the state directory.
    let path = match written {
        Some(path) => plain_path(path),
        None => format!("\0{}", AgentId::normalized(id)),
    };
    match seen.get(&path) {
        Some(first) if written.is_some() => {
            let node = agent.get("agentDir").unwrap_or(agent);
            let message = format!("agents.list[{first}] uses this directory already");
            report.say(at.key("agentDir"), node, message, "give every agent a directory of its own");
        }
        Some(_) => {}
        None => {
            seen.insert(path, index);
        }
    }
}

/// A path without `.`, `..`, doubled and trailing slashes, for comparison only.
fn plain_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// An avatar is an address, or a file inside the agent's workspace.
fn avatar(tree: &Node, agent: &Node, at: &KeyPath, report: &mut Report) {
    let Some(node) = agent.path(&["identity", "avatar"]) else { return };
    let Some(text) = node.as_str().map(str::trim).filter(|t| !t.is_empty()) else { return };
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("data:") || lower.starts_with("https://") || lower.starts_with("http://") {
        return;
    }
    let workspace = agent
        .get("workspace")
        .or_else(|| tree.path(&["agents", "defaults", "workspace"]))
        .and_then(Node::as_str)
        .map(plain_path);
    let scheme = lower.split_once(':').is_some_and(|(s, _)| {
        s.len() > 1 && s.starts_with(|c: char| c.is_ascii_lowercase()) && s.chars().all(scheme_char)
    });
    let path = plain_path(text);
    let inside = match (&workspace, text.starts_with('/')) {
        (Some(root), true) => path.strip_prefix(root.as_str()).is_some_and(|rest| rest.starts_with('/')),
        (None, true) => false,
        (_, false) => !escapes(text),
    };
    if scheme || text.starts_with('~') || !inside {
        report.say(
            at.key("identity").key("avatar"),
            node,
            "an avatar is an http(s) or data address, or a file inside the agent's workspace",
            "write a path relative to the workspace",
        );
    }
}

fn scheme_char(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '+' | '-' | '.')
}

fn escapes(path: &str) -> bool {
    let mut depth = 0i64;
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    depth == 0
}

/// SP-120: whatever names an agent names one that exists. With no list any name is an agent.
fn references(tree: &Node, ids: &BTreeMap<String, usize>, no_list: bool, product: bool, report: &mut Report) {
    let named = |node: &Node, at: KeyPath, report: &mut Report| {
        let Some(text) = node.as_str() else { return };
        let id = normalize_id(text);
        if id.is_empty() {
            report.say(at, node, "an agent id must not be blank", "name an agent of agents.list");
        } else if !no_list && !ids.contains_key(&id) {
            let known: Vec<&str> = ids.keys().map(String::as_str).collect();
            let near = oc_text::distance::nearest(&id, known.iter().copied());
            let fix = match near {
                Some(near) => format!("perhaps \"{near}\"; or add this one to agents.list"),
                None => format!("name one of {}, or add this one to agents.list", known.join(", ")),
            };
            report.say(at, node, format!("there is no agent {} in agents.list", shown(text, false)), fix);
        }
    };
    for (peer, agents) in tree.get("broadcast").and_then(Node::as_object).into_iter().flatten() {
        for (i, node) in agents.as_array().unwrap_or_default().iter().enumerate() {
            named(node, KeyPath::dotted("broadcast").key(peer.as_str()).index(i), report);
        }
    }
    if !product {
        return; // The era release lets the rest fall to the default agent.
    }
    let list = |keys: &[&str]| tree.path(keys).and_then(Node::as_array).unwrap_or_default();
    for (i, binding) in list(&["bindings"]).iter().enumerate() {
        if let Some(node) = binding.get("agentId") {
            named(node, KeyPath::dotted("bindings").index(i).key("agentId"), report);
        }
    }
    for (i, node) in list(&["hooks", "allowedAgentIds"]).iter().enumerate() {
        if node.as_str().map(str::trim) != Some("*") {
            named(node, KeyPath::dotted("hooks.allowedAgentIds").index(i), report);
        }
    }
    for (i, rule) in list(&["hooks", "mappings"]).iter().enumerate() {
        if let Some(node) = rule.get("agentId") {
            named(node, KeyPath::dotted("hooks.mappings").index(i).key("agentId"), report);
        }
    }
}
