//! The changes that lead to another answer about a session's sandbox, smallest first.

use oc_types::{Flip, KeyPath, Node};

use super::key::Places;
use super::{Mode, Resolved, Runs, Sandboxing, Scope, Subject};
use crate::session_key::{Class, SessionKey};

/// What was asked and answered.
pub(super) struct Question<'q> {
    pub config: &'q Node,
    pub subject: &'q Subject,
    pub key: &'q SessionKey,
    pub sandboxing: &'q Sandboxing,
    pub settings: &'q Resolved,
}

fn set(key: &KeyPath, value: &str) -> String {
    format!("--set '{key}={value}'")
}

/// The key to set for this agent alone; `agents.defaults` when the agent has no entry.
fn own_key(q: &Question<'_>, field: &str) -> KeyPath {
    let base = match &Places::new(q.config, &q.subject.agent).entry {
        Some(entry) => entry.key_path(),
        None => KeyPath::dotted("agents.defaults"),
    };
    base.key("sandbox").key(field)
}

fn flip(change: String, verdict: Runs, opens: impl Into<String>) -> Flip {
    Flip { change, verdict: verdict.word().to_owned(), opens: opens.into() }
}

pub(super) fn flips(q: &Question<'_>) -> Vec<Flip> {
    match q.sandboxing.runs {
        Runs::OnHost => on_host(q),
        Runs::Sandboxed => sandboxed(q),
    }
}

fn on_host(q: &Question<'_>) -> Vec<Flip> {
    let is_main = q.key.is_main_of(&q.subject.agent, crate::session_key::SessionScope::from_config(q.config));
    let key = own_key(q, "mode");
    let whole = key.starts_with(&KeyPath::dotted("agents.defaults"));
    let who = if whole { "every agent without a mode of its own" } else { "this agent" };
    let mut out = Vec::new();
    if !is_main {
        let says = format!("sandboxes every session of {who} but the main one");
        out.push(flip(set(&key, "\"non-main\""), Runs::Sandboxed, says));
    }
    out.push(flip(set(&key, "\"all\""), Runs::Sandboxed, format!("sandboxes every session of {who}")));
    out
}

fn sandboxed(q: &Question<'_>) -> Vec<Flip> {
    let mut out = Vec::new();
    out.extend(own_docker(q));
    out.extend(inherited_binds(q));
    let dm = q.key.class() == Class::Dm;
    if dm && q.sandboxing.mode == Mode::NonMain {
        let agent = q.key.agent().unwrap_or(&q.subject.agent);
        out.push(flip(
            set(&KeyPath::dotted("session.dmScope"), "\"main\""),
            Runs::OnHost,
            format!(
                "direct messages move to agent:{agent}:main; warning: everybody who may write directly then shares \
                 that one session and its history"
            ),
        ));
        out.push(flip(
            "give this person an agent of their own with sandbox.mode \"off\" and a binding for that peer"
                .to_owned(),
            Runs::OnHost,
            "only that person's messages run on the host",
        ));
        return out;
    }
    let key = own_key(q, "mode");
    let is_main = q.key.is_main_of(&q.subject.agent, crate::session_key::SessionScope::from_config(q.config));
    if is_main && q.sandboxing.mode == Mode::All {
        let says = "the main session runs on the host; every other stays sandboxed";
        out.push(flip(set(&key, "\"non-main\""), Runs::OnHost, says));
    } else {
        let says = "every session that this key covers then runs on the host, groups and sub-agents included";
        out.push(flip(set(&key, "\"off\""), Runs::OnHost, says));
    }
    out
}

/// An agent that lists binds of its own cannot take away those of `agents.defaults`.
fn inherited_binds(q: &Question<'_>) -> Option<Flip> {
    let defaults = KeyPath::dotted("agents.defaults");
    let inherited =
        q.settings.docker.binds.iter().any(|b| b.key.as_ref().is_some_and(|k| k.starts_with(&defaults)));
    let own = Places::new(q.config, &q.subject.agent).agent(&["sandbox", "docker", "binds"]).is_some();
    (inherited && own && q.settings.scope.value != Scope::Shared).then(|| {
        flip(
            "move the bind from agents.defaults.sandbox.docker.binds to the agents that need it".to_owned(),
            Runs::Sandboxed,
            "this agent's sandbox no longer sees it; no value of an agent takes a bind of agents.defaults away",
        )
    })
}

/// Under `shared`, the scope that brings the agent's own settings into force.
fn own_docker(q: &Question<'_>) -> Option<Flip> {
    if q.settings.scope.value != Scope::Shared {
        return None;
    }
    let places = Places::new(q.config, &q.subject.agent);
    let mut counts = Vec::new();
    for group in ["docker", "browser", "prune"] {
        if let Some(found) = places.agent(&["sandbox", group]) {
            for (field, value) in found.node.as_object().into_iter().flatten() {
                let value = match value.as_str() {
                    Some(_) if field == "setupCommand" => "its own".to_owned(),
                    Some(text) => text.to_owned(),
                    None if field == "env" => "its own variables".to_owned(),
                    None => value.to_json().to_string(),
                };
                counts.push(format!("{group}.{field} {}", value.chars().take(60).collect::<String>()));
            }
        }
    }
    (!counts.is_empty()).then(|| {
        flip(
            set(&own_key(q, "scope"), "\"agent\""),
            Runs::Sandboxed,
            format!("the agent gets a container of its own and these count: {}", counts.join(", ")),
        )
    })
}

pub(super) fn notes(q: &Question<'_>) -> Vec<String> {
    let mut out = Vec::new();
    if !q.sandboxing.runs.is_sandboxed() {
        return out;
    }
    if q.sandboxing.mode == Mode::NonMain {
        out.push(
            "Who sends does not matter here: neither owning the bot nor being in allowFrom changes where tools run."
                .to_owned(),
        );
    }
    out
}
