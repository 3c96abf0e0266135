//! One request and what became of it (exec-approval 9.1, 9.2).

use serde::{Deserialize, Serialize};

use crate::binding::Binding;
use crate::request::Request;

/// What a person answers (exec-approval 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Run it, this once.
    AllowOnce,
    /// Run it, and the same again without asking.
    AllowAlways,
    /// Do not run it.
    Deny,
}

impl Decision {
    /// Reads a wire word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "allow-once" => Some(Self::AllowOnce),
            "allow-always" => Some(Self::AllowAlways),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }

    /// The wire word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::AllowOnce => "allow-once",
            Self::AllowAlways => "allow-always",
            Self::Deny => "deny",
        }
    }
}

/// Where an approved command runs, when the request leaves that to the person (route `prompt`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// On the host of the gateway.
    Host,
    /// In the sandbox.
    Sandbox,
}

impl Target {
    /// Reads a wire word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "host" => Some(Self::Host),
            "sandbox" => Some(Self::Sandbox),
            _ => None,
        }
    }

    /// The wire word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Sandbox => "sandbox",
        }
    }
}

/// The process that asked and waits. The start time tells a process from a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Owner {
    /// Process number.
    pub pid: u32,
    /// When it started, in the words of the system (boot and ticks since then).
    pub started: String,
}

/// Why a request ended without running to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Denial {
    /// A person said no.
    UserDenied,
    /// Nobody answered in time.
    ApprovalTimeout,
    /// There was nobody to ask.
    NoApprovalRoute,
    /// The request could not be announced.
    ApprovalRequestFailed,
    /// The process that waited is gone.
    GatewayRestart,
    /// The agent's run was aborted, or its session reset.
    RunAborted,
    /// A program is another file than the one that was shown.
    ExecutableChanged,
    /// Something else is not what was approved.
    ApprovalMismatch,
    /// The rules changed in between and now refuse.
    PolicyChanged,
    /// The system could not start it.
    SpawnFailed,
    /// The node could not be called.
    InvokeFailed,
}

impl Denial {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::UserDenied => "user-denied",
            Self::ApprovalTimeout => "approval-timeout",
            Self::NoApprovalRoute => "no-approval-route",
            Self::ApprovalRequestFailed => "approval-request-failed",
            Self::GatewayRestart => "gateway-restart",
            Self::RunAborted => "run-aborted",
            Self::ExecutableChanged => "executable-changed",
            Self::ApprovalMismatch => "approval-mismatch",
            Self::PolicyChanged => "policy-changed",
            Self::SpawnFailed => "spawn-failed",
            Self::InvokeFailed => "invoke-failed",
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// With this exit code.
    Exit(i32),
    /// It ran longer than allowed and was ended.
    Timeout,
    /// The process that ran it is gone; how it ended is not known.
    Lost,
}

/// Where a request stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "kebab-case")]
pub enum State {
    /// Waiting for an answer.
    Pending,
    /// Approved; the waiting run has not taken it up yet.
    Allowed,
    /// Taken up by the one run that may.
    Consumed,
    /// The run goes on.
    Running,
    /// The run is over.
    Finished {
        /// How it ended.
        ending: Ending,
    },
    /// It does not run (again).
    Denied {
        /// Why.
        reason: Denial,
        /// What exactly; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
}

impl State {
    /// Whether nothing more will happen to the request.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Finished { .. } | Self::Denied { .. })
    }

    /// One stable word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Allowed => "allowed",
            Self::Consumed => "consumed",
            Self::Running => "running",
            Self::Finished { .. } => "finished",
            Self::Denied { .. } => "denied",
        }
    }
}

/// What an approval is about. Approver lists of one kind never count for another (SP-200).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A command.
    Exec,
    /// An action of a plugin.
    Plugin,
}

/// The answer that counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    /// What was said.
    pub decision: Decision,
    /// Where it runs; set exactly when the request left that open and the answer allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
}

/// A request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// Random and unguessable (SP-175).
    pub id: String,
    /// Eight hexadecimal digits that people type.
    pub code: String,
    /// What it is about.
    pub kind: Kind,
    /// What was asked.
    pub request: Request,
    /// What an answer binds (SP-170).
    pub binding: Binding,
    /// Who waits.
    pub owner: Owner,
    /// Milliseconds since 1970.
    pub created_at_ms: u64,
    /// An answer at this moment or later is too late.
    pub expires_at_ms: u64,
    /// Where it stands.
    pub state: State,
    /// The answer that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
    /// When it left `pending`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at_ms: Option<u64>,
    /// When the run took it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumed_at_ms: Option<u64>,
}
