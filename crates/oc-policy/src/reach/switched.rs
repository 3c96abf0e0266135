//! Doors that do not pass the channel rules and follow switches of their own: the owner, the HTTP token, hooks, nodes.

use oc_types::{AgentId, Node};

use super::doors::{DoorFacts, agents};
use super::{Caller, Door, Means};
use crate::sandbox::default_agent;
use crate::session_key::SessionKey;

/// The sessions that hooks have of their own.
const OWN: &str = "hook:any";

pub(super) fn doors(config: &Node, facts: DoorFacts, found: &mut Vec<Door>) {
    let on = |keys: &[&str]| config.path(keys).and_then(Node::as_bool) == Some(true);
    let turns = ["chatCompletions", "responses"]
        .iter()
        .any(|name| on(&["gateway", "http", "endpoints", name, "enabled"]));
    for agent in agents(config) {
        let main = format!("agent:{agent}:main");
        found.push(plain(Caller::Owner, &agent, "main session", main.clone()));
        if facts.gateway_secret {
            let tools = plain(Caller::HttpToken, &agent, "HTTP tools", main.clone());
            found.push(Door { means: Means::Call, ..tools });
        }
        // Its caller names any session of the agent, or has one of its own; the turn has the agent's tools, not those of the HTTP list.
        if facts.gateway_secret && turns {
            found.push(plain(Caller::HttpToken, &agent, "HTTP turns, main session", main));
            found.push(plain(Caller::HttpToken, &agent, "HTTP turns", format!("agent:{agent}:openai:any")));
        }
    }
    if on(&["hooks", "enabled"]) {
        found.extend(hooks(config));
    }
    let home = default_agent(config);
    found.push(plain(Caller::Node, &home, "node events", format!("agent:{home}:node-any")));
}

fn plain(caller: Caller, agent: &AgentId, via: &str, session_key: String) -> Door {
    Door {
        caller,
        means: Means::Turn,
        agent: agent.clone(),
        via: via.to_owned(),
        session_key,
        channel: None,
        account: None,
        group: None,
        sender: None,
    }
}

/// Where hooks are heard: in sessions of their own, and in those that the configuration names or lets a request name.
fn hooks(config: &Node) -> Vec<Door> {
    let at = |name: &str| config.path(&["hooks", name]);
    let listed = at("allowedAgentIds").and_then(Node::entries);
    let may = |agent: &AgentId| {
        let listed = listed.as_ref();
        listed.is_none_or(|ids| ids.iter().any(|i| i.trim() == "*" || AgentId::normalized(i) == *agent))
    };
    let all: Vec<AgentId> = agents(config).into_iter().filter(may).collect();
    let mut out: Vec<Door> = Vec::new();
    let mut add = |via: &str, agent: &AgentId, rest: &str| {
        let key = format!("agent:{agent}:{rest}");
        if all.contains(agent) && out.iter().all(|door| door.session_key != key) {
            out.push(plain(Caller::Hook, agent, via, key));
        }
    };
    for agent in &all {
        add("hooks", agent, OWN);
    }
    if let Some(key) = at("defaultSessionKey").and_then(Node::as_str).and_then(|k| SessionKey::parse(k).ok())
    {
        for agent in all.iter().filter(|a| key.agent().is_none_or(|named| named == *a)) {
            add("hooks.defaultSessionKey", agent, key.rest());
        }
    }
    let mut filled = false;
    for (n, mapping) in at("mappings").and_then(Node::as_array).unwrap_or_default().iter().enumerate() {
        let agent = match mapping.get("agentId").filter(|a| !a.is_null()) {
            None => None,
            // A blank one, and one that is none, is refused when it is looked for.
            Some(id) => match id.as_str().map(AgentId::strict) {
                Some(Ok(id)) => Some(id),
                Some(Err(_)) | None => continue,
            },
        };
        let Some(key) = mapping.get("sessionKey").and_then(Node::as_str) else { continue };
        // What the request fills in is bounded like what it names.
        if key.contains("{{") {
            filled = true;
            continue;
        }
        let Ok(key) = SessionKey::parse(key) else { continue };
        let of = key.agent().cloned().or(agent).unwrap_or_else(|| default_agent(config));
        add(&format!("hooks.mappings[{n}]"), &of, key.rest());
    }
    if filled || at("allowRequestSessionKey").and_then(Node::as_bool) == Some(true) {
        let prefixes = at("allowedSessionKeyPrefixes").and_then(Node::entries).unwrap_or_default();
        for prefix in prefixes.iter().map(|p| p.trim().to_lowercase()).filter(|p| !p.is_empty()) {
            for agent in &all {
                for rest in below(&prefix, agent) {
                    add("hooks.allowedSessionKeyPrefixes", agent, &rest);
                }
            }
        }
    }
    out
}

/// Sessions of an agent that a prefix stands for: the main one, the one that it spells, and any that goes on.
fn below(prefix: &str, agent: &AgentId) -> Vec<String> {
    let whole = format!("agent:{agent}:");
    let rest = match prefix.strip_prefix(&whole) {
        Some(rest) => rest,
        // It ends inside the agent's name, so it stands for all of its sessions.
        None if whole.starts_with(prefix) && prefix.starts_with("agent:") => "",
        None if prefix.starts_with("agent:") => return Vec::new(),
        None => prefix,
    };
    let main = "main".starts_with(rest).then(|| "main".to_owned());
    let spelled = (!rest.is_empty() && !rest.ends_with(':')).then(|| rest.to_owned());
    main.into_iter().chain(spelled).chain([format!("{rest}any")]).collect()
}
