//! Why is this message answered, held back or dropped? (user questions 1, 2)
//!
//! A change that is offered has been tried on a copy of the configuration or of the message: it leads to the verdict it claims.

mod flip;
mod notes;
#[cfg(test)]
mod tests;

use oc_types::{DecidedBy, Effect, Explanation, Flip, KeyPath, Node, Origin};
use serde_json::{Map, Value, json};

use super::settings::step;
use super::{AccessIssue, AccessPolicy, Approved, Decision, Outcome, PairingView};
use crate::inbound::Inbound;

/// Where the pairing stores lie, for people: paths below the state directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFiles {
    /// The approved list.
    pub approved: String,
    /// The pending requests.
    pub pending: String,
    /// Where each entry of the approved list stands, in the list's order; may be empty.
    pub entries_at: Vec<Origin>,
}

impl StoreFiles {
    /// The usual names for a channel.
    #[must_use]
    pub fn of(channel: &str) -> Self {
        Self {
            approved: format!("credentials/{channel}-allowFrom.json"),
            pending: format!("credentials/{channel}-pairing.json"),
            entries_at: Vec::new(),
        }
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// The configuration.
    pub config: &'q Node,
    /// The message.
    pub message: &'q Inbound,
    /// The stores, read.
    pub pairing: &'q PairingView,
    /// The stores' names.
    pub files: &'q StoreFiles,
}

/// Answers. Makes and refreshes no request.
#[must_use]
pub fn explain_message(question: &Question<'_>) -> Explanation {
    let policy = match AccessPolicy::new(question.config) {
        Ok(policy) => policy,
        Err(issues) => return invalid(question, &issues),
    };
    let mut decision = policy.decide(question.message, question.pairing);
    point_into_store(question, &mut decision);
    let flip = flip::flips(question, &decision);
    let word = decision.outcome.reason().map_or("admitted", super::Reason::word);
    let reason =
        if decision.detail.is_empty() { word.to_owned() } else { format!("{word}: {}", decision.detail) };
    Explanation {
        subject: "message".to_owned(),
        verdict: decision.outcome.word().to_owned(),
        reason,
        notes: notes::notes(question, &decision),
        facts: facts(question, &decision),
        decided_by: decision.decided_by,
        trace: decision.trace,
        flip,
    }
}

/// An approved sender is admitted by an entry of the store: that is the place to show.
fn point_into_store(question: &Question<'_>, decision: &mut Decision) {
    if decision.decided_by.layer != "approved-store" {
        return;
    }
    let family = super::Family::of(&question.message.channel);
    let sender = super::SenderKeys::of(family, question.message, None);
    let Some(index) = super::sender_list::store_holds(family, question.pairing.entries(), &sender) else {
        return;
    };
    let unknown = || Origin::Store { file: question.files.approved.as_str().into(), at: None };
    let source = question.files.entries_at.get(index).cloned().unwrap_or_else(unknown);
    let path = KeyPath::dotted("allowFrom").index(index);
    for step in decision.trace.iter_mut().filter(|s| s.layer == "approved-store") {
        step.source = source.clone();
        step.key_path = Some(path.clone());
        step.unset = false;
    }
    decision.decided_by.source = source;
    decision.decided_by.key_path = Some(path);
    decision.decided_by.unset = false;
}

fn facts(question: &Question<'_>, decision: &Decision) -> Map<String, Value> {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
    match &decision.outcome {
        Outcome::Allow(admission) => {
            put("agentId", json!(admission.agent().as_str()));
            put("sessionKey", json!(admission.session_key().as_str()));
            put("commandAuthorized", json!(admission.commands().is_authorized()));
            if let Some(meant) = admission.effective_was_mentioned() {
                put("effectiveWasMentioned", json!(meant));
            }
        }
        Outcome::Pairing(notice) => {
            put("pairingCreated", json!(notice.created()));
            put("pairingId", json!(notice.id()));
            put("pendingCount", json!(notice.pending()));
            if let Some(expires) = notes::own_request(question, notice).and_then(|r| r.created_ms) {
                put("expiresAt", json!(notes::utc(expires.saturating_add(super::REQUEST_LIFETIME_MS))));
            }
        }
        Outcome::ContextOnly(_) | Outcome::Drop(_) => {}
    }
    if let Approved::Unreadable { why } = &question.pairing.approved {
        put("storeError", json!(why));
    }
    out
}

/// The configuration itself is refused: the gateway does not start with it.
fn invalid(question: &Question<'_>, issues: &[AccessIssue]) -> Explanation {
    let mut trace = Vec::new();
    for issue in issues {
        if let Some(because) = &issue.because {
            trace.push(step(
                question.config,
                "validation",
                "because",
                because.clone(),
                Effect::Keeps,
                "asks for it".to_owned(),
            ));
        }
        trace.push(step(
            question.config,
            "validation",
            "access",
            issue.path.clone(),
            Effect::Removes,
            issue.message.clone(),
        ));
    }
    let first = issues.first();
    let decided_by = match trace.iter().find(|s| s.effect == Effect::Removes) {
        Some(s) => DecidedBy {
            layer: s.layer.clone(),
            rule: s.rule.clone(),
            key_path: s.key_path.clone(),
            source: s.source.clone(),
            unset: s.unset,
        },
        None => DecidedBy {
            layer: "validation".to_owned(),
            rule: "access".to_owned(),
            key_path: None,
            source: question.config.origin.clone(),
            unset: false,
        },
    };
    let flip: Vec<Flip> = first.map(|issue| flip::repairs(question, issue)).unwrap_or_default();
    Explanation {
        subject: "message".to_owned(),
        verdict: "config-invalid".to_owned(),
        reason: first.map_or_else(|| "invalid".to_owned(), |i| format!("{}: {}", i.path, i.message)),
        decided_by,
        trace,
        flip,
        notes: vec![
            "The gateway does not start with this file; one that runs keeps its last good configuration."
                .to_owned(),
        ],
        facts: Map::new(),
    }
}
