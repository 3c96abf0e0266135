//! The gate: enabled, a person's turn, a known provider, the global list, the agent's list. The first failing stage ends it.

use oc_types::{AgentId, Effect, KeyPath, Node, Origin, Trace, TraceStep};
use serde::Serialize;

use super::list::{List, ListMatch, agent_list, global_list};
use super::sender::Sender;
use crate::sandbox::agent_entry;

/// What started the turn. Only a person's message can be elevated (SP-115).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Turn {
    /// A person's message.
    Person,
    /// A scheduled job.
    Cron,
    /// A webhook or another hook.
    Hook,
    /// A heartbeat or other work in the background.
    Background,
    /// A message of another session, a sub-agent's turn included.
    InterSession,
}

/// The stages, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// `tools.elevated.enabled`, global and of the agent.
    Enabled,
    /// The turn was not started by a person.
    Turn,
    /// The message provider is unknown.
    Provider,
    /// The sender is not in the list.
    AllowFrom,
}

impl Stage {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Turn => "turn",
            Self::Provider => "provider",
            Self::AllowFrom => "allowFrom",
        }
    }
}

/// A failing stage with the key to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The stage.
    pub stage: Stage,
    /// The key as it is printed, list positions left out (`agents.list[].tools.elevated.enabled`); `ctx.*` for facts of the message.
    pub key: String,
    /// The key with its position; `None` for facts of the message.
    pub key_path: Option<KeyPath>,
}

impl Serialize for Failure {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut m = s.serialize_map(Some(2))?;
        m.serialize_entry("gate", self.stage.word())?;
        m.serialize_entry("key", &self.key)?;
        m.end()
    }
}

/// The outcome of the gate. Only [`gate`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct ElevatedGate {
    enabled: bool,
    failures: Vec<Failure>,
    matched: Vec<ListMatch>,
    trace: Trace,
}

impl ElevatedGate {
    /// Whether the feature is on for this agent.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Whether this sender may elevate.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.failures.is_empty()
    }

    /// What failed; empty when allowed.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// The entries that approved the sender, global first.
    #[must_use]
    pub fn matched(&self) -> &[ListMatch] {
        &self.matched
    }

    /// The rules consulted.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }
}

/// `{enabled, allowed, failures: [{gate, key}]}`.
impl Serialize for ElevatedGate {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut m = s.serialize_map(Some(3))?;
        m.serialize_entry("enabled", &self.is_enabled())?;
        m.serialize_entry("allowed", &self.is_allowed())?;
        m.serialize_entry("failures", &self.failures)?;
        m.end()
    }
}

/// The two `enabled` keys with whether each lets it pass. Only an absent key or `true` does.
pub(crate) fn enabled_keys(config: &Node, agent: &AgentId) -> Vec<(String, KeyPath, bool)> {
    let mut keys = vec![("tools.elevated.enabled".to_owned(), KeyPath::dotted("tools.elevated.enabled"))];
    if let Some(entry) = agent_entry(config, agent) {
        keys.push((
            "agents.list[].tools.elevated.enabled".to_owned(),
            entry.key_path().key("tools").key("elevated").key("enabled"),
        ));
    }
    keys.into_iter()
        .map(|(shown, path)| {
            let on = config.at(&path).is_none_or(|n| n.is_null() || n.as_bool() == Some(true));
            (shown, path, on)
        })
        .collect()
}

fn step(config: &Node, rule: &str, key: Option<&KeyPath>, effect: Effect, detail: String) -> TraceStep {
    let found = key.map(|k| config.nearest(k));
    TraceStep {
        layer: "elevated".to_owned(),
        rule: rule.to_owned(),
        key_path: key.cloned(),
        source: found.as_ref().map_or(Origin::Builtin, |(n, _, _)| n.origin.clone()),
        unset: found.is_some_and(|(_, _, there)| !there),
        effect,
        detail,
    }
}

/// Asks whether a sender may elevate `exec` of an agent.
///
/// `provider` is the message provider exactly as the channel names itself; blank counts as unknown.
#[must_use]
pub fn gate(
    config: &Node,
    agent: &AgentId,
    provider: Option<&str>,
    sender: &Sender<'_>,
    turn: Turn,
) -> ElevatedGate {
    let mut out =
        ElevatedGate { enabled: true, failures: Vec::new(), matched: Vec::new(), trace: Trace::new() };
    for (key, path, on) in enabled_keys(config, agent) {
        let (effect, detail) = match (on, config.at(&path)) {
            (false, _) => (Effect::Removes, "elevated execution is switched off here".to_owned()),
            (true, Some(_)) => (Effect::Keeps, "on".to_owned()),
            (true, None) => (Effect::Keeps, "unset, which means on".to_owned()),
        };
        out.trace.push(step(config, "enabled", Some(&path), effect, detail));
        if !on {
            out.enabled = false;
            out.failures.push(Failure { stage: Stage::Enabled, key, key_path: Some(path) });
        }
    }
    if !out.failures.is_empty() {
        return out;
    }
    if turn != Turn::Person {
        let detail = "only a message of a person can be elevated".to_owned();
        out.trace.push(step(config, "turn", None, Effect::Removes, detail));
        out.failures.push(Failure { stage: Stage::Turn, key: "ctx.Turn".to_owned(), key_path: None });
        return out;
    }
    let Some(provider) = provider.filter(|p| !p.trim().is_empty()) else {
        let detail = "the message names no provider".to_owned();
        out.trace.push(step(config, "provider", None, Effect::Removes, detail));
        out.failures.push(Failure { stage: Stage::Provider, key: "ctx.Provider".to_owned(), key_path: None });
        return out;
    };
    let lists = std::iter::once(global_list(config, provider)).chain(agent_list(config, agent, provider));
    for list in lists {
        let hit = list.find(sender);
        out.trace.push(list_step(config, &list, hit.as_ref()));
        match hit {
            Some(hit) => out.matched.push(hit),
            None => {
                out.failures.push(Failure {
                    stage: Stage::AllowFrom,
                    key: list.key,
                    key_path: Some(list.key_path),
                });
                return out;
            }
        }
    }
    out
}

fn list_step(config: &Node, list: &List<'_>, hit: Option<&ListMatch>) -> TraceStep {
    let Some(hit) = hit else {
        let detail = match (list.node, &list.fallback) {
            (Some(_), _) => "the sender is not in this list".to_owned(),
            (None, Some((key, _))) => format!("unset; {key} stands in and does not name the sender"),
            (None, None) => "there is no list for this provider, which approves nobody".to_owned(),
        };
        return step(config, "allowFrom", Some(&list.key_path), Effect::Removes, detail);
    };
    let mut detail = format!("entry {:?} matches the {}", hit.entry, hit.kind.word());
    if hit.kind.is_mutable() {
        detail.push_str(", which its owner can change");
    }
    step(config, "allowFrom", Some(&hit.key_path), Effect::Keeps, detail)
}
