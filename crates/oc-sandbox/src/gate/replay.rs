//! A recorded decision, made again under another configuration (design 4, replay).
//!
//! What is compared: whether the rules let the tool through, whether it acts in a sandbox, and for `exec` what stands between. The arguments
//! are not recorded, so what depends on them alone (a malformed call, an answer of a person) is not compared.

use std::sync::Arc;

use oc_fs::ledger::Record;
use oc_policy::exec_route::{Approval, Host, exec_route};
use oc_policy::reach::Direction;
use oc_policy::sandbox::Runs;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::call::ToolCall;
use super::decide::permits;
use super::recording::caller_of;
use super::refused::{Refused, Stage};
use super::snapshot::Snapshot;

/// A decision that comes out otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    /// Number of the record.
    pub seq: u64,
    /// The tool.
    pub tool: String,
    /// The agent.
    pub agent: String,
    /// The session.
    pub session: String,
    /// Who asked.
    pub actor: String,
    /// Which way.
    pub direction: Direction,
    /// How it was.
    pub before: String,
    /// How it is.
    pub after: String,
    /// The rule that decided then.
    pub rule_before: String,
    /// The rule that decides now; empty when none takes it away.
    pub rule_after: String,
}

/// How far a tool got: in the order of their reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Shut,
    Open { runs: Runs, approval: Option<Approval> },
}

impl Way {
    fn words(self) -> String {
        match self {
            Self::Shut => "shut".to_owned(),
            Self::Open { runs, approval } => {
                let place = if runs.is_sandboxed() { "in a sandbox" } else { "on the host" };
                match approval {
                    Some(approval) => format!("{place}, approval {}", approval.word()),
                    None => place.to_owned(),
                }
            }
        }
    }

    fn towards(self, after: Self) -> Option<Direction> {
        match (self, after) {
            (before, after) if before == after => None,
            (Self::Shut, _) => Some(Direction::Opens),
            (_, Self::Shut) => Some(Direction::Closes),
            (Self::Open { runs: r0, approval: a0 }, Self::Open { runs: r1, approval: a1 }) => {
                // The place weighs more than the approval: nothing in a sandbox reaches as far as the host.
                let nearer = (r0.is_sandboxed(), r1.is_sandboxed());
                Some(match nearer {
                    (true, false) => Direction::Loosens,
                    (false, true) => Direction::Tightens,
                    _ if a1 > a0 => Direction::Loosens,
                    _ => Direction::Tightens,
                })
            }
        }
    }
}

/// Makes a recorded decision again. `None` when the record is no decision about a tool, was decided by what somebody behind the call may, or
/// comes out the same. `approvals_file`: whether
/// the host has one.
#[must_use]
pub fn replay(record: &Record, snapshot: &Snapshot, approvals_file: bool) -> Option<Changed> {
    let (tool, caller) = caller_of(record)?;
    let before = recorded(record);
    if record.entry.inputs.contains_key("decidedFor") {
        // The record says of them no more than who they are.
        return None;
    }
    let behind = Arc::default();
    let call = ToolCall { id: String::new(), tool: tool.clone(), arguments: Map::new(), caller, behind };
    let (after, rule_after) = match permits(snapshot, &call) {
        Ok(plan) => {
            let runs = if plan.is_some() { Runs::Sandboxed } else { Runs::OnHost };
            (open(snapshot, &call, runs, approvals_file, before), String::new())
        }
        Err(refused) => (Way::Shut, rule(&refused)),
    };
    let direction = before.towards(after)?;
    let e = &record.entry;
    Some(Changed {
        seq: record.seq,
        tool,
        agent: e.agent.clone(),
        session: e.session.clone(),
        actor: e.actor.clone(),
        direction,
        before: before.words(),
        after: after.words(),
        rule_before: e.key_path.as_ref().map_or_else(|| e.rule.clone(), |k| format!("{} ({k})", e.rule)),
        rule_after,
    })
}

fn rule(refused: &Refused) -> String {
    let d = &refused.explanation().decided_by;
    let key = d.key_path.as_ref().map(|k| format!(" ({k})")).unwrap_or_default();
    format!("{}: {}{key}", d.layer, d.rule)
}

/// How far the recorded call got past the rules.
fn recorded(record: &Record) -> Way {
    let e = &record.entry;
    let text = |name: &str| e.inputs.get(name).and_then(Json::as_str);
    let by_rules = [Stage::Session, Stage::Policy, Stage::HostDoor];
    if e.verdict != "allowed" && text("stage").is_none_or(|s| by_rules.iter().any(|b| b.word() == s)) {
        return Way::Shut;
    }
    // A command of a sandboxed session may go to the host.
    let on_host = text("runs") != Some("sandboxed") || text("route").is_some_and(|r| r != "sandbox");
    let runs = if on_host { Runs::OnHost } else { Runs::Sandboxed };
    let words = [Approval::Denied, Approval::Always, Approval::ListedOnly, Approval::OnMiss, Approval::None];
    let approval = text("approval").and_then(|word| words.into_iter().find(|a| a.word() == word));
    Way::Open { runs, approval }
}

/// How far the call gets now. Without a recorded approval (a tool that asks nobody, an elevated command) none is compared.
fn open(snapshot: &Snapshot, call: &ToolCall, runs: Runs, approvals_file: bool, before: Way) -> Way {
    let compared = !matches!(before, Way::Open { approval: None, .. });
    let is_exec = oc_policy::tool_name::canonical(&call.tool) == "exec";
    if !is_exec || !compared {
        return Way::Open { runs, approval: None };
    }
    let route = exec_route(snapshot.config(), &call.caller.agent, runs, approvals_file);
    let runs = if route.host == Host::Sandbox { runs } else { Runs::OnHost };
    Way::Open { runs, approval: Some(route.approval) }
}
