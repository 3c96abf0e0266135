//! From a decision to its record: ids, words and digests, so that it can be made again under another configuration.

use oc_fs::ledger::{Entry, Kind, Record};
use oc_policy::elevated::Turn;
use oc_policy::inbound::ConversationKind;
use oc_policy::owner_only::Ownership;
use oc_policy::sandbox::{Plan, Runs, is_sandboxed};
use oc_types::AgentId;
use serde_json::{Map, Value as Json, json};

use super::call::{CallSender, Caller, ReturnAddress, SessionExec, Surface, ToolCall};
use super::refused::{Refused, Stage};
use super::snapshot::Snapshot;
use crate::executor::Place;

/// Why a call may act.
#[derive(Clone, Debug, Default)]
pub(super) struct Grounds {
    /// Deciding rule.
    pub rule: String,
    /// Its key.
    pub key_path: Option<String>,
    /// Where that stands.
    pub source: Option<String>,
    /// The approval that was given.
    pub approval_id: Option<String>,
    /// Further inputs of the decision.
    pub inputs: Map<String, Json>,
}

/// The parts that every record of a call has.
fn entry(snapshot: &Snapshot, call: &ToolCall, kind: Kind) -> Entry {
    let c = &call.caller;
    Entry {
        kind,
        actor: c.actor(),
        agent: c.agent.as_str().to_owned(),
        session: c.session.clone(),
        subject: format!("tool:{}", oc_policy::tool_name::canonical(&call.tool)),
        verdict: String::new(),
        rule: String::new(),
        key_path: None,
        source: None,
        config_gen: snapshot.digest().to_owned(),
        approval_id: None,
        call: call.id.clone(),
        inputs: Map::new(),
    }
}

/// What the policy was asked with, and who stands behind the call.
fn all_inputs(snapshot: &Snapshot, call: &ToolCall) -> Map<String, Json> {
    let mut out = inputs(snapshot, &call.caller);
    if !call.behind.is_empty() {
        let who: Vec<String> = call.behind.iter().map(Caller::whereabouts).collect();
        out.insert("behind".to_owned(), who.join("; ").into());
    }
    out
}

/// The record of a call that may act.
pub(super) fn allowed(snapshot: &Snapshot, call: &ToolCall, place: Place, grounds: &Grounds) -> Entry {
    let mut inputs = all_inputs(snapshot, call);
    inputs.insert("place".to_owned(), place.word().into());
    inputs.extend(grounds.inputs.clone());
    Entry {
        verdict: "allowed".to_owned(),
        rule: grounds.rule.clone(),
        key_path: grounds.key_path.clone(),
        source: grounds.source.clone(),
        approval_id: grounds.approval_id.clone(),
        inputs,
        ..entry(snapshot, call, Kind::Decision)
    }
}

/// The record of a call that waits for a person.
pub(super) fn asked(snapshot: &Snapshot, call: &ToolCall, grounds: &Grounds) -> Entry {
    let mut inputs = all_inputs(snapshot, call);
    inputs.insert("stage".to_owned(), Stage::Approval.word().into());
    inputs.extend(grounds.inputs.clone());
    Entry {
        verdict: "asked".to_owned(),
        rule: grounds.rule.clone(),
        key_path: grounds.key_path.clone(),
        source: grounds.source.clone(),
        approval_id: grounds.approval_id.clone(),
        inputs,
        ..entry(snapshot, call, Kind::Decision)
    }
}

/// The record of a refusal.
pub(super) fn refused(snapshot: &Snapshot, call: &ToolCall, refused: &Refused, grounds: &Grounds) -> Entry {
    let d = &refused.explanation().decided_by;
    let mut inputs = all_inputs(snapshot, call);
    inputs.insert("stage".to_owned(), refused.stage().word().into());
    inputs.extend(grounds.inputs.clone());
    if let Some(whom) = refused.whom() {
        inputs.insert("decidedFor".to_owned(), whom.into());
    }
    Entry {
        verdict: "denied".to_owned(),
        rule: format!("{}: {}", d.layer, d.rule),
        key_path: d.key_path.as_ref().map(ToString::to_string),
        source: Some(d.source.to_string()),
        approval_id: grounds.approval_id.clone(),
        inputs,
        ..entry(snapshot, call, Kind::Decision)
    }
}

/// The record of what came of a call.
pub(super) fn outcome(
    snapshot: &Snapshot,
    call: &ToolCall,
    place: Place,
    verdict: &str,
    facts: Map<String, Json>,
) -> Entry {
    let mut inputs = facts;
    inputs.insert("place".to_owned(), place.word().into());
    Entry { verdict: verdict.to_owned(), inputs, ..entry(snapshot, call, Kind::Outcome) }
}

fn turn_word(turn: Turn) -> &'static str {
    match turn {
        Turn::Person => "person",
        Turn::Cron => "cron",
        Turn::Hook => "hook",
        Turn::Background => "background",
        Turn::InterSession => "inter-session",
    }
}

/// What the tool policy was asked with.
fn inputs(snapshot: &Snapshot, c: &Caller) -> Map<String, Json> {
    let mut out = Map::new();
    let runs = match snapshot.plan(&c.session).as_deref() {
        Ok(Plan::Host(_)) => Some(Runs::OnHost),
        Ok(Plan::Sandbox(_)) => Some(Runs::Sandboxed),
        // Sandboxed it is, though nobody can say how.
        Err(_) => is_sandboxed(snapshot.config(), Some(&c.session)).ok().map(|s| s.runs),
    };
    if let Some(runs) = runs {
        let runs = if runs.is_sandboxed() { "sandboxed" } else { "on-host" };
        out.insert("runs".to_owned(), runs.into());
    }
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            out.insert(name.to_owned(), json!(value));
        }
    };
    put("surface", Some(c.surface.word()));
    put("turn", Some(turn_word(c.turn)));
    put("spawnedBy", c.spawned_by.as_deref());
    put("channel", c.channel.as_deref());
    put("account", c.account.as_deref());
    put("group", c.group.as_deref());
    put("groupChannel", c.group_channel.as_deref());
    put("groupSpace", c.group_space.as_deref());
    put("senderId", c.sender.id.as_deref());
    put("senderE164", c.sender.e164.as_deref());
    put("senderUsername", c.sender.username.as_deref());
    put("senderName", c.sender.name.as_deref());
    put("senderFrom", c.sender.from.as_deref());
    put("owner", (c.owner == Ownership::Proven).then_some("proven"));
    put("provider", c.model.as_ref().map(|(p, _)| p.as_str()));
    put("model", c.model.as_ref().map(|(_, m)| m.as_str()));
    out
}

/// The caller of a recorded decision, as far as the tool policy asks about it; `None` when the record is no decision about a tool.
#[must_use]
pub fn caller_of(record: &Record) -> Option<(String, Caller)> {
    let e = &record.entry;
    let tool = e.subject.strip_prefix("tool:").filter(|_| e.kind == Kind::Decision)?;
    let text = |name: &str| e.inputs.get(name).and_then(Json::as_str).map(str::to_owned);
    let surface = Surface::ALL.into_iter().find(|s| Some(s.word()) == text("surface").as_deref())?;
    let turn = [Turn::Person, Turn::Cron, Turn::Hook, Turn::Background, Turn::InterSession]
        .into_iter()
        .find(|t| Some(turn_word(*t)) == text("turn").as_deref())?;
    let caller = Caller {
        surface,
        turn,
        agent: AgentId::normalized(&e.agent),
        session: e.session.clone(),
        spawned_by: text("spawnedBy"),
        channel: text("channel"),
        account: text("account"),
        group: text("group"),
        group_channel: text("groupChannel"),
        group_space: text("groupSpace"),
        conversation: ConversationKind::Unknown,
        sender: CallSender {
            id: text("senderId"),
            e164: text("senderE164"),
            username: text("senderUsername"),
            name: text("senderName"),
            from: text("senderFrom"),
        },
        owner: match text("owner").as_deref() {
            Some("proven") => Ownership::Proven,
            _ => Ownership::NotProven,
        },
        model: text("provider").zip(text("model")),
        exec: SessionExec::default(),
        back: ReturnAddress::default(),
    };
    Some((tool.to_owned(), caller))
}
