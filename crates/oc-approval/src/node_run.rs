//! `system.run` on a node (exec-approval 9.4.8 and 12): what a call says, and when it may be sent on marked as approved. Pure.
//!
//! A call without a mark goes to a node that offers the command, and the node asks its own rules and its own people. A mark
//! (`approved`, `approvalDecision`) is the gateway's word that a person said yes to exactly this: it is written here, from a
//! [`Grant`] that was taken up for this call, and never copied from what a caller sent (SP-176).
//!
//! INVARIANT: a message carries a mark only with a grant for this text, directory, agent, session and node (SP-170), taken up once
//! (SP-173); [`Desk`] gives an answer out once, to who asked, for [`LIVE_MS`].
//! INVARIANT: nothing is sent for a node that does not offer `system.run` at the moment of sending, or is not allowed to.

mod desk;
mod line;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::approvals_file::{Ask, Security};
use crate::binding::{Circumstances, Host, Unapprovable};
use crate::life_cycle::Grant;
use crate::request::Asked;

pub use desk::{Desk, LIVE_MS};
pub use line::canonical;

/// Most words of a command.
pub const MAX_WORDS: usize = 1024;
/// Longest time that a command may be given, in milliseconds.
pub const LONGEST_MS: u64 = 24 * 3600 * 1000;

/// Whether a call claims that somebody approved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// It does not.
    None,
    /// It does; nothing follows from that alone.
    Approved,
}

/// A call of `system.run`, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemRun {
    argv: Vec<String>,
    line: String,
    cwd: Option<String>,
    env: BTreeMap<String, String>,
    timeout_ms: Option<u64>,
    agent: Option<String>,
    session: Option<String>,
    run_id: Option<String>,
    claim: Claim,
    needs_screen: bool,
}

/// Why the parameters are no call of `system.run`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotARun {
    /// A member is missing, of another type, or not known.
    #[error("invalid system.run params: {0}")]
    Shape(String),
    /// There is no command.
    #[error("invalid system.run params: command is empty")]
    Empty,
    /// Too many words, too long, or a NUL.
    #[error("invalid system.run params: the command is too long or holds a NUL")]
    Size,
    /// `rawCommand` says something else than `command`.
    #[error("invalid system.run params: rawCommand is not what command runs; leave it out")]
    Mismatch,
}

/// Whether a node may be sent `system.run`, at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Offer {
    /// The platform's list and the operator's let it.
    pub allowed: bool,
    /// The node that is connected declared it.
    pub declared: bool,
}

/// What a call needs before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs<'a> {
    /// Nothing: the node decides.
    Nothing,
    /// The answer to the request with this id.
    Approval(&'a str),
}

/// Why a call is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum NotSent {
    /// The lists do not let it.
    #[error("command not allowlisted")]
    NotAllowed,
    /// The node does not offer it.
    #[error("command not declared by node")]
    NotDeclared,
    /// It claims an approval and names none, or one that is not for exactly this.
    #[error(
        "approved and approvalDecision count only with the runId of a request that was approved for exactly this command and node, and was not used yet"
    )]
    NotApproved,
    /// A person sees no values of variables, so an approval from elsewhere covers none.
    #[error("a command with env cannot be sent as approved; leave approved out and let the node ask")]
    Environment,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Params {
    command: Vec<String>,
    #[serde(default)]
    raw_command: Option<String>,
    #[serde(default)]
    cwd: Option<String>,
    #[serde(default)]
    env: Option<BTreeMap<String, String>>,
    #[serde(default)]
    timeout_ms: Option<u64>,
    #[serde(default)]
    needs_screen_recording: Option<bool>,
    #[serde(default)]
    agent_id: Option<String>,
    #[serde(default)]
    session_key: Option<String>,
    #[serde(default)]
    approved: Option<bool>,
    #[serde(default)]
    approval_decision: Option<String>,
    #[serde(default)]
    run_id: Option<String>,
}

impl SystemRun {
    /// Reads the parameters: a closed object, whose `rawCommand` says what `command` runs.
    ///
    /// # Errors
    /// See [`NotARun`].
    pub fn read(params: &Value) -> Result<Self, NotARun> {
        let p =
            Params::deserialize(params).map_err(|e| NotARun::Shape(oc_text::visible(&e.to_string(), 200)))?;
        let filled = |t: Option<String>| t.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        if p.command.first().is_none_or(|program| program.trim().is_empty()) {
            return Err(NotARun::Empty);
        }
        let length: usize = p.command.iter().map(String::len).sum();
        let nul = p.command.iter().chain(&p.cwd).any(|t| t.contains('\0'));
        if p.command.len() > MAX_WORDS || length > oc_shell::MAX_BYTES || nul {
            return Err(NotARun::Size);
        }
        let line = line::of(&p.command);
        if p.raw_command.as_deref().is_some_and(|raw| !line::says(raw, &p.command)) {
            return Err(NotARun::Mismatch);
        }
        let claimed = p.approved == Some(true) || p.approval_decision.is_some();
        Ok(Self {
            line,
            argv: p.command,
            cwd: filled(p.cwd),
            env: p.env.unwrap_or_default(),
            timeout_ms: p.timeout_ms.map(|ms| ms.clamp(1, LONGEST_MS)),
            agent: filled(p.agent_id),
            session: filled(p.session_key),
            run_id: filled(p.run_id),
            claim: if claimed { Claim::Approved } else { Claim::None },
            needs_screen: p.needs_screen_recording == Some(true),
        })
    }

    /// The command as one line: the text of `sh -c`, else the words, quoted where that is needed.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The directory.
    #[must_use]
    pub fn cwd(&self) -> Option<&str> {
        self.cwd.as_deref()
    }

    /// Variables for the command.
    #[must_use]
    pub fn env(&self) -> &BTreeMap<String, String> {
        &self.env
    }

    /// How long it may run, in milliseconds.
    #[must_use]
    pub fn timeout_ms(&self) -> Option<u64> {
        self.timeout_ms
    }

    /// For which agent.
    #[must_use]
    pub fn agent(&self) -> Option<&str> {
        self.agent.as_deref()
    }

    /// For which session.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// What names the run in events.
    #[must_use]
    pub fn run_id(&self) -> Option<&str> {
        self.run_id.as_deref()
    }

    /// Whether it needs to see the screen.
    #[must_use]
    pub fn needs_screen(&self) -> bool {
        self.needs_screen
    }

    /// Whether it claims an approval.
    #[must_use]
    pub fn claim(&self) -> Claim {
        self.claim
    }

    /// What a call needs before it is sent.
    ///
    /// # Errors
    /// See [`NotSent`].
    pub fn needs(&self, offer: Offer) -> Result<Needs<'_>, NotSent> {
        offered(offer)?;
        match (self.claim, self.run_id.as_deref()) {
            (Claim::None, _) => Ok(Needs::Nothing),
            (Claim::Approved, None) => Err(NotSent::NotApproved),
            (Claim::Approved, Some(_)) if !self.env.is_empty() => Err(NotSent::Environment),
            (Claim::Approved, Some(id)) => Ok(Needs::Approval(id)),
        }
    }

    /// What a person would have been asked about exactly this call to exactly this node. Its binding is what an approval is taken up for.
    ///
    /// # Errors
    /// See [`Unapprovable`].
    pub fn asked(&self, node: &str, agent: &str, session: &str) -> Result<Asked, Unapprovable> {
        let at = circumstances(
            node,
            self.agent.as_deref().unwrap_or(agent),
            self.session.as_deref().unwrap_or(session),
        );
        Asked::of_client(&self.line, self.cwd.as_deref().unwrap_or_default(), None, &at)
    }

    /// The parameters that go to the node, asked for right before they are sent. `run_id` names the run; a mark is written only from
    /// a grant.
    ///
    /// # Errors
    /// [`NotSent`]: also when the node offers it no more, or a claim comes without a grant.
    pub fn message(&self, offer: Offer, run_id: &str, grant: Option<&Grant>) -> Result<Value, NotSent> {
        offered(offer)?;
        if self.claim == Claim::Approved && grant.is_none_or(|g| self.run_id.as_ref() != Some(&g.id)) {
            return Err(NotSent::NotApproved);
        }
        let mut out = Map::new();
        let mut put = |name: &str, value: Option<Value>| value.map(|v| out.insert(name.to_owned(), v));
        put("command", Some(self.argv.as_slice().into()));
        put("cwd", self.cwd.as_deref().map(Value::from));
        put("env", (!self.env.is_empty()).then(|| json!(self.env)));
        put("timeoutMs", self.timeout_ms.map(Value::from));
        put("agentId", self.agent.as_deref().map(Value::from));
        put("sessionKey", self.session.as_deref().map(Value::from));
        put("runId", Some(run_id.into()));
        put("needsScreenRecording", self.needs_screen.then_some(Value::Bool(true)));
        if let (Claim::Approved, Some(grant)) = (self.claim, grant) {
            put("approved", Some(true.into()));
            put("approvalDecision", Some(grant.answer.decision.word().into()));
        }
        Ok(Value::Object(out))
    }
}

/// What a person is asked about a command that a client names by its text (`exec.approval.request` with host `node`).
#[must_use]
pub fn circumstances(node: &str, agent: &str, session: &str) -> Circumstances {
    Circumstances {
        agent: agent.to_owned(),
        session: session.to_owned(),
        host: Host::Node,
        node: Some(node.to_owned()),
        // What the node makes of it is its own affair; here a person is asked about everything.
        security: Security::Allowlist,
        ask: Ask::Always,
    }
}

fn offered(offer: Offer) -> Result<(), NotSent> {
    match offer {
        Offer { allowed: false, .. } => Err(NotSent::NotAllowed),
        Offer { declared: false, .. } => Err(NotSent::NotDeclared),
        Offer { allowed: true, declared: true } => Ok(()),
    }
}
