//! The tool policy once more, written straight from the documents: slow, obvious, strings all the way. It shares no code with
//! the crate. Covers what `world.rs` generates.

use std::collections::BTreeMap;

use serde_json::Value;

use super::world::{PLUGINS, TOOLS};

/// `{allow?, deny}`; a tool has to pass the policy.
#[derive(Clone, Debug)]
pub struct Policy {
    allow: Option<Vec<String>>,
    deny: Vec<String>,
}

/// Layers in order, each with the policies that all have to pass.
pub type Layers = Vec<(&'static str, Vec<Policy>)>;

fn normal(text: &str) -> String {
    match text.trim().to_lowercase().as_str() {
        "bash" => "exec".into(),
        "apply-patch" => "apply_patch".into(),
        "automations" => "cron".into(),
        other => other.into(),
    }
}

fn group(name: &str) -> Option<Vec<&'static str>> {
    let text = match name {
        "group:runtime" => "exec process",
        "group:fs" => "read write edit apply_patch",
        "group:sessions" => "sessions_list sessions_history sessions_send sessions_spawn session_status",
        "group:memory" => "memory_search memory_get",
        "group:web" => "web_search web_fetch",
        "group:ui" => "browser canvas",
        "group:automation" => "cron gateway",
        "group:messaging" => "message",
        "group:nodes" => "nodes",
        "group:agents" => "agents_list",
        "group:media" => "image tts",
        "group:openclaw" => {
            "browser canvas nodes cron message gateway agents_list sessions_list sessions_history sessions_send \
             sessions_spawn session_status memory_search memory_get web_search web_fetch image"
        }
        _ => return None,
    };
    Some(text.split_whitespace().collect())
}

/// Normalise, expand groups, plugins and `group:plugins`, drop blanks.
fn expand(entries: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    for entry in entries {
        let word = normal(entry);
        if word.is_empty() {
            continue;
        }
        let owned: Vec<&str> =
            PLUGINS.iter().filter(|(_, p)| word == "group:plugins" || *p == word).map(|(t, _)| *t).collect();
        if let Some(members) = group(&word) {
            out.extend(members.iter().map(|m| (*m).to_owned()));
        } else if owned.is_empty() {
            out.push(word);
        } else {
            out.extend(owned.iter().map(|m| (*m).to_owned()));
        }
    }
    out
}

/// `*` any run of characters, anchored; everything else literal.
fn like(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some(b'*'), _) => like(&pattern[1..], text) || (!text.is_empty() && like(pattern, &text[1..])),
        (Some(p), Some(t)) if p == t => like(&pattern[1..], &text[1..]),
        _ => false,
    }
}

fn any(patterns: &[String], tool: &str) -> bool {
    patterns.iter().any(|p| like(p.as_bytes(), tool.as_bytes()))
}

/// The five steps of tool-policy 2.
fn passes(policy: &Policy, tool: &str) -> bool {
    if any(&expand(&policy.deny), tool) {
        return false;
    }
    let Some(allow) = &policy.allow else { return true };
    let allow = expand(allow);
    if allow.is_empty() {
        return true;
    }
    any(&allow, tool) || (tool == "apply_patch" && any(&allow, "exec"))
}

fn strings(v: &Value) -> Option<Vec<String>> {
    Some(v.as_array()?.iter().map(|e| e.as_str().unwrap().to_owned()).collect())
}

/// `allow` and `alsoAllow` together.
fn lists(v: &Value) -> Policy {
    let (allow, also) = (strings(&v["allow"]), strings(&v["alsoAllow"]).unwrap_or_default());
    let allow = match allow {
        Some(a) if a.is_empty() && !also.is_empty() => Some([vec!["*".to_owned()], also].concat()),
        Some(a) => Some([a, also].concat()),
        None if !also.is_empty() => Some([vec!["*".to_owned()], also].concat()),
        None => None,
    };
    Policy { allow, deny: strings(&v["deny"]).unwrap_or_default() }
}

fn profile_list(name: &str) -> Option<Vec<String>> {
    let text = match name {
        "minimal" => "session_status",
        "coding" => "group:fs group:runtime group:sessions group:memory image",
        "messaging" => "group:messaging sessions_list sessions_history sessions_send session_status",
        _ => return None,
    };
    Some(text.split_whitespace().map(str::to_owned).collect())
}

/// Only registered plugin tools, plugins, `group:plugins` or channels.
fn only_adds(policy: &Policy) -> bool {
    let Some(allow) = &policy.allow else { return false };
    let words: Vec<String> = allow.iter().map(|e| normal(e)).filter(|w| !w.is_empty()).collect();
    let channels = ["telegram", "slack", "whatsapp", "discord", "signal", "imessage", "googlechat"];
    let adds = |w: &String| {
        w == "group:plugins"
            || channels.contains(&w.as_str())
            || PLUGINS.iter().any(|(t, p)| t == w || p == w)
    };
    !words.is_empty() && words.iter().all(adds)
}

/// The policy of a scope, and what its profile allows: a list that only adds moves from the one to the other.
fn scope(v: &Value) -> (Policy, Option<Option<Vec<String>>>) {
    let mut policy = lists(v);
    let profile = v["profile"].as_str().map(|name| {
        let mut list = profile_list(name)?;
        if only_adds(&policy) {
            list.extend(policy.allow.take().unwrap());
        }
        Some(list)
    });
    (policy, profile)
}

/// The profile layer of a narrow and a wide scope.
fn profile(narrow: &Value, wide: &Value) -> Vec<Policy> {
    let own = scope(narrow).1;
    let list = if own.is_some() { own } else { scope(wide).1 };
    let Some(Some(mut list)) = list else { return vec![] };
    let extras = strings(&narrow["alsoAllow"]).or_else(|| strings(&wide["alsoAllow"])).unwrap_or_default();
    list.extend(extras);
    vec![Policy { allow: Some(list), deny: vec![] }]
}

fn provider<'v>(tools: &'v Value, context: &Value) -> &'v Value {
    static NOTHING: Value = Value::Null;
    let clean = |v: &Value| v.as_str().map(|s| s.trim().to_lowercase()).filter(|s| !s.is_empty());
    let Some(provider) = clean(&context["provider"]) else { return &NOTHING };
    let mut keys = Vec::new();
    if let Some(model) = clean(&context["model"]) {
        keys.push(if model.contains('/') { model } else { format!("{provider}/{model}") });
    }
    keys.push(provider);
    let Some(map) = tools["byProvider"].as_object() else { return &NOTHING };
    for key in keys {
        if let Some((_, v)) = map.iter().find(|(k, _)| k.trim().to_lowercase() == key) {
            return v;
        }
    }
    &NOTHING
}

fn agent_id(text: &str) -> String {
    text.trim().to_lowercase().replace(' ', "-")
}

fn agent<'v>(config: &'v Value, id: &str) -> &'v Value {
    static NOTHING: Value = Value::Null;
    let list = config["agents"]["list"].as_array().unwrap();
    list.iter().find(|a| agent_id(a["id"].as_str().unwrap()) == id).unwrap_or(&NOTHING)
}

fn default_agent(config: &Value) -> String {
    let list = config["agents"]["list"].as_array().unwrap();
    let marked = list.iter().find(|a| a["default"] == true).or(list.first());
    marked.map_or("main".into(), |a| agent_id(a["id"].as_str().unwrap()))
}

/// `(agent, rest)` of a key; an error for a malformed one.
fn split(key: &str) -> Result<(Option<String>, String), String> {
    let key = key.trim();
    if !key.to_lowercase().starts_with("agent:") {
        return Ok((None, key.into()));
    }
    let parts: Vec<&str> = key.splitn(3, ':').collect();
    if parts.len() < 3 || parts[0] != "agent" || parts.iter().any(|p| p.trim().is_empty()) {
        return Err("malformed_agent".into());
    }
    Ok((Some(parts[1].to_lowercase()), parts[2].into()))
}

fn is_subagent(rest: &str) -> bool {
    rest.to_lowercase().starts_with("subagent:")
}

fn room(rest: &str) -> Option<(String, String)> {
    let rest = if is_subagent(rest) { rest.split_once(':').unwrap().1 } else { rest };
    let low = rest.to_lowercase();
    let cut = low.rfind(":topic:").max(low.rfind(":thread:")).unwrap_or(rest.len());
    let parts: Vec<&str> = rest[..cut].splitn(3, ':').collect();
    match parts[..] {
        [channel, "group" | "channel", id] if !id.is_empty() => Some((channel.to_lowercase(), id.into())),
        _ => None,
    }
}

fn sender_policy(room: &Value, context: &Value) -> Option<Policy> {
    let mut entries: Vec<(String, &Value)> = Vec::new();
    for map in [&room["toolsBySender"], &room["tools"]["bySender"]] {
        for (k, v) in map.as_object().into_iter().flatten() {
            entries.push((k.trim().to_lowercase(), v));
        }
    }
    let text = |key: &str| {
        let v = context[key].as_str()?.trim();
        Some(v.strip_prefix('@').unwrap_or(v).to_lowercase()).filter(|v| !v.is_empty())
    };
    let phone = |t: &str| t.starts_with('+') && t.len() > 1 && t[1..].chars().all(|c| c.is_ascii_digit());
    let id = text("senderId");
    let e164 = text("senderE164").or_else(|| id.clone().filter(|i| phone(i)));
    for (kind, value) in
        [("id", id), ("e164", e164), ("username", text("senderUsername")), ("name", text("senderName"))]
    {
        let Some(value) = value else { continue };
        let mut wanted = vec![];
        if kind == "id" {
            wanted.push(format!("channel:telegram:{value}"));
        }
        wanted.push(format!("{kind}:{value}"));
        for key in wanted {
            if let Some((_, v)) = entries.iter().find(|(k, _)| *k == key) {
                return Some(lists(v));
            }
        }
        let fits = |k: &str| {
            let kinds: &[&str] = if k.starts_with('@') {
                &["username"]
            } else if phone(k) {
                &["e164"]
            } else if k.chars().all(|c| c.is_ascii_digit()) {
                &["id"]
            } else {
                &["id", "username", "name"]
            };
            kinds.contains(&kind) && k.strip_prefix('@').unwrap_or(k) == value
        };
        let untyped = |k: &str| !k.contains(':') && k != "*";
        if let Some((_, v)) = entries.iter().find(|(k, _)| untyped(k) && fits(k)) {
            return Some(lists(v));
        }
    }
    entries.iter().find(|(k, _)| k == "*").map(|(_, v)| lists(v))
}

fn room_policy(room: &Value, context: &Value) -> Option<Policy> {
    if !room.is_object() {
        return None;
    }
    if let Some(p) = sender_policy(room, context) {
        return Some(p);
    }
    let tools = room["tools"].as_object()?;
    if tools.len() == 1 && tools.contains_key("bySender") {
        return None;
    }
    Some(lists(&room["tools"]))
}

fn group_policy(config: &Value, context: &Value, rest: Option<&str>, parent: Option<&str>) -> Option<Policy> {
    let known = rest.and_then(room).or_else(|| parent.and_then(room));
    let channel = context["channel"].as_str().map(str::to_lowercase).or(known.clone().map(|k| k.0))?;
    let id = context["groupId"].as_str().map(str::to_owned).or(known.map(|k| k.1))?;
    if channel != "telegram" {
        return None;
    }
    let id = id.split(":topic:").next().unwrap();
    let telegram = &config["channels"]["telegram"];
    let account = context["accountId"].as_str().unwrap_or("default");
    let accounts = telegram["accounts"].as_object();
    let own = accounts.and_then(|a| a.iter().find(|(k, _)| k.to_lowercase() == account.to_lowercase()));
    let groups = match own {
        Some((_, a)) if a["groups"].is_object() => &a["groups"],
        _ => &telegram["groups"],
    };
    room_policy(&groups[id], context).or_else(|| room_policy(&groups["*"], context))
}

fn sandbox_policy(config: &Value, agent: &Value) -> Policy {
    let default_allow = "exec process read write edit apply_patch image sessions_list sessions_history sessions_send \
                         sessions_spawn session_status";
    let default_deny =
        "browser canvas nodes cron gateway telegram whatsapp discord googlechat slack signal imessage";
    let find = |field: &str, default: &str| {
        let levels = [
            [&agent["sandbox"]["tools"][field], &agent["tools"]["sandbox"]["tools"][field]],
            [
                &config["agents"]["defaults"]["sandbox"]["tools"][field],
                &config["tools"]["sandbox"]["tools"][field],
            ],
        ];
        for [seed, upstream] in levels {
            match (strings(seed), strings(upstream)) {
                (Some(a), Some(b)) if field == "deny" => return [a, b].concat(),
                (Some(a), _) => return a,
                (None, Some(b)) => return b,
                (None, None) => {}
            }
        }
        default.split_whitespace().map(str::to_owned).collect()
    };
    let plain = |entries: Vec<String>| -> Vec<String> {
        let words = entries.iter().map(|e| normal(e)).filter(|w| !w.is_empty());
        words
            .flat_map(|w| group(&w).map_or(vec![w.clone()], |m| m.iter().map(|s| (*s).to_owned()).collect()))
            .collect()
    };
    let (mut allow, deny) = (plain(find("allow", default_allow)), plain(find("deny", default_deny)));
    if !allow.contains(&"image".to_owned()) && !deny.contains(&"image".to_owned()) {
        allow.push("image".into());
    }
    Policy { allow: Some(allow), deny }
}

fn is_sandboxed(config: &Value, id: &str, key: &str, rest: &str, named: bool) -> bool {
    let own = agent(config, id)["sandbox"]["mode"].as_str();
    match own.or(config["agents"]["defaults"]["sandbox"]["mode"].as_str()).unwrap_or("off") {
        "off" => false,
        "all" => true,
        _ => {
            let main = rest.eq_ignore_ascii_case("main");
            let global = config["session"]["scope"] == "global" && !named && key == "global";
            !(main || global)
        }
    }
}

fn subagent_policy(config: &Value) -> Policy {
    let mut deny: Vec<String> =
        "sessions_list sessions_history sessions_send sessions_spawn gateway agents_list \
                                 whatsapp_login session_status cron memory_search memory_get"
            .split_whitespace()
            .map(str::to_owned)
            .collect();
    let mut allow = None;
    let tools = &config["tools"];
    for v in [&tools["subagent"], &tools["subagent"]["tools"], &tools["subagents"]["tools"]] {
        deny.extend(strings(&v["deny"]).unwrap_or_default());
        allow = allow.or(strings(&v["allow"]));
    }
    Policy { allow, deny }
}

/// The layers of one session.
fn session(
    config: &Value,
    context: &Value,
    key: Option<&str>,
    parent: Option<&str>,
) -> Result<Layers, String> {
    let parts = key.map(split).transpose()?;
    let parent_rest = parent.map(split).transpose()?.map(|p| p.1);
    let rest = parts.as_ref().map(|p| p.1.as_str());
    let named = parts.as_ref().map(|p| p.0.clone().unwrap_or("main".into()));
    let nothing = Value::Null;
    let agent_tools = named.as_ref().map_or(&nothing, |id| &agent(config, id)["tools"]);
    let tools = &config["tools"];
    let (global_provider, agent_provider) = (provider(tools, context), provider(agent_tools, context));
    let mut layers: Layers = vec![
        ("profile", profile(agent_tools, tools)),
        ("providerProfile", profile(agent_provider, global_provider)),
        ("global", vec![scope(tools).0]),
        ("globalProvider", vec![scope(global_provider).0]),
        ("agent", vec![scope(agent_tools).0]),
        ("agentProvider", vec![scope(agent_provider).0]),
        ("group", group_policy(config, context, rest, parent_rest.as_deref()).into_iter().collect()),
    ];
    if let (Some(key), Some((id, rest))) = (key, &parts) {
        let boxed = id.clone().unwrap_or_else(|| default_agent(config));
        if is_sandboxed(config, &boxed, key, rest, id.is_some()) {
            layers.push(("sandbox", vec![sandbox_policy(config, agent(config, &boxed))]));
        }
        if is_subagent(rest) {
            layers.push(("subagent", vec![subagent_policy(config)]));
        }
    }
    Ok(layers)
}

/// All layers that bind, with those of the spawning session under `subagent`.
pub fn layers(row: &Value) -> Result<Layers, String> {
    let (config, context) = (&row["config"], &row["context"]);
    let (key, parent) = (context["sessionKey"].as_str(), context["spawnedBy"].as_str());
    let mut all = session(config, context, key, parent)?;
    if let (Some(key), Some(parent)) = (key, parent)
        && is_subagent(&split(key)?.1)
    {
        let inherited = session(config, context, Some(parent), None)?;
        all.push(("subagent", inherited.into_iter().flat_map(|(_, p)| p).collect()));
    }
    Ok(all)
}

/// What is left, and who removed the rest.
pub fn evaluate(row: &Value, layers: &Layers) -> (Vec<String>, BTreeMap<String, &'static str>) {
    let (mut allowed, mut removed) = (Vec::new(), BTreeMap::new());
    for tool in TOOLS {
        let owner = row["context"]["senderIsOwner"] == true;
        let by = if *tool == "whatsapp_login" && !owner {
            Some("ownerOnly")
        } else {
            layers.iter().find(|(_, ps)| ps.iter().any(|p| !passes(p, &normal(tool)))).map(|(name, _)| *name)
        };
        match by {
            None => allowed.push((*tool).to_owned()),
            Some(layer) => {
                removed.insert((*tool).to_owned(), layer);
            }
        }
    }
    allowed.sort();
    (allowed, removed)
}
