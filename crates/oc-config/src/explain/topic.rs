//! What is known about single keys beside their values: defaults, words, and what people get wrong about them.

use oc_types::{KeyPath, Segment};
use serde_json::{Value as Json, json};

use super::Asked;
use super::places::Holder;
use crate::load::Loaded;
use crate::schema::{self, Kind, Literal, path_matches};

/// Defaults that are in force without being filled into the tree.
fn defaults() -> Vec<(&'static str, Json)> {
    vec![
        ("gateway.port", json!(18789)),
        ("gateway.bind", json!("loopback")),
        ("gateway.auth.mode", json!("token")),
        ("session.dmScope", json!("main")),
        ("session.scope", json!("per-sender")),
        ("session.mainKey", json!("main")),
        ("channels.*.dmPolicy", json!("pairing")),
        ("channels.*.dm.policy", json!("pairing")),
        ("channels.*.groupPolicy", json!("allowlist")),
        ("agents.defaults.sandbox.mode", json!("off")),
        ("agents.defaults.sandbox.backend", json!("auto")),
        ("agents.defaults.sandbox.scope", json!("agent")),
        ("agents.defaults.sandbox.workspaceAccess", json!("none")),
        ("agents.defaults.sandbox.sessionToolsVisibility", json!("spawned")),
        ("agents.defaults.sandbox.docker.image", json!("openclaw-sandbox:bookworm-slim")),
        ("agents.defaults.sandbox.docker.containerPrefix", json!("openclaw-sbx-")),
        ("agents.defaults.sandbox.docker.workdir", json!("/workspace")),
        ("agents.defaults.sandbox.docker.readOnlyRoot", json!(true)),
        ("agents.defaults.sandbox.docker.tmpfs", json!(["/tmp", "/var/tmp", "/run"])),
        ("agents.defaults.sandbox.docker.network", json!("none")),
        ("agents.defaults.sandbox.docker.capDrop", json!(["ALL"])),
        ("agents.defaults.sandbox.browser.enabled", json!(false)),
        ("agents.defaults.sandbox.browser.allowHostControl", json!(false)),
        ("agents.defaults.sandbox.prune.idleHours", json!(24)),
        ("agents.defaults.sandbox.prune.maxAgeDays", json!(7)),
        ("agents.defaults.readOnlyMode", json!(false)),
        ("agents.defaults.elevatedDefault", json!("on")),
        ("tools.elevated.enabled", json!(true)),
        ("commands.useAccessGroups", json!(true)),
    ]
}

/// The default that is in force when a key is not set.
pub(super) fn default_of(key: &KeyPath) -> Option<Json> {
    if let Some((_, value)) = defaults().into_iter().find(|(pattern, _)| path_matches(pattern, key)) {
        return Some(value);
    }
    match schema::lookup(key)?.default? {
        Literal::Bool(b) => Some(b.into()),
        Literal::Number(n) => {
            Some(oc_types::Node::new(oc_types::Value::Number(n), oc_types::Origin::Default).to_json())
        }
        Literal::Text(t) => Some(t.into()),
        Literal::Object => Some(json!({})),
    }
}

/// The words that a key accepts, when it accepts only words.
pub(super) fn words(key: &KeyPath) -> Vec<&'static str> {
    fn of(kind: &Kind) -> Vec<&'static str> {
        match kind {
            Kind::Word(words) | Kind::ProductWord(words) => words.to_vec(),
            Kind::Either(kinds) => kinds.iter().flat_map(of).collect(),
            _ => Vec::new(),
        }
    }
    schema::lookup(key).map(|leaf| of(&leaf.kind)).unwrap_or_default()
}

/// The valid key nearest to one that does not exist: the same parent, the nearest name.
pub(super) fn nearest_key(key: &KeyPath) -> Option<KeyPath> {
    let Some(Segment::Key(last)) = key.segments().last() else { return None };
    let parent = key.parent()?;
    let shape = schema::lookup(&parent)?.kind.shape()?;
    let name = oc_text::distance::nearest(last, shape.keys().map(|k| k.name))?;
    Some(parent.key(name))
}

/// Whether values of several places are filters that all apply, instead of one replacing the other (tool lists).
pub(super) fn is_filter(key: &KeyPath) -> bool {
    ["tools.allow", "tools.deny", "tools.byProvider.*.allow", "tools.byProvider.*.deny"]
        .iter()
        .any(|p| path_matches(p, key))
        || key.starts_with(&KeyPath::dotted("tools.elevated"))
}

/// What people get wrong about a key.
pub(super) fn notes(loaded: &Loaded, asked: &Asked<'_>, winner: Option<&Holder>) -> Vec<String> {
    let key = asked.key;
    let mut out = Vec::new();
    let exec = |name: &str| {
        path_matches(&format!("tools.exec.{name}"), key)
            || path_matches(&format!("agents.list[].tools.exec.{name}"), key)
    };
    if exec("ask") || exec("security") {
        out.push(
            "This is the requested side; exec-approvals.json can only tighten it. A value of an agent replaces the \
             global one, the two are not combined."
                .to_owned(),
        );
        let text = |name: &str| {
            let key = KeyPath::dotted("tools.exec").key(name);
            let asked = Asked { key: &key, ..*asked };
            let held = super::places::holders(loaded, &asked).into_iter().find_map(|h| h.node);
            held.and_then(|n| n.as_str().map(str::to_owned))
        };
        if text("ask").as_deref() == Some("off") && text("security").as_deref() == Some("allowlist") {
            out.push(
                "ask \"off\" with security \"allowlist\" refuses unlisted commands; it does not run them unasked."
                    .to_owned(),
            );
        }
    }
    if is_filter(key) && asked.agent.is_some() {
        let what =
            "The agent's own value does not replace this one: each can only narrow what the other leaves.";
        out.push(what.to_owned());
    }
    if path_matches("session.mainKey", key) && winner.is_some() {
        out.push("Any value is accepted and means main.".to_owned());
    }
    if path_matches("agents.defaults.elevatedDefault", key) && winner.is_none() {
        out.push(
            "With the default, exec of an approved sender leaves the sandbox without a directive; \"off\" requires one."
                .to_owned(),
        );
    }
    let words = words(key);
    if !words.is_empty() {
        out.push(format!("Accepted: {}.", words.join(", ")));
    }
    out
}
