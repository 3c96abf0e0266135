//! `openclaw explain command`: what would become of a command line, which rule says so, and what would change it.
//!
//! Analyses and decides exactly as a run does ([`crate::analysis`], [`crate::decision`]); starts nothing and keeps nothing.
//! A change that is offered has been tried first.

mod flips;
mod settings;
mod state;
mod story;
mod text_change;

pub use settings::Approvals;

use oc_policy::elevated::{self, Level, UnknownLevel};
use oc_policy::sandbox::{SandboxError, Subject};
use oc_types::{Explanation, Node};
use thiserror::Error;

use crate::analysis::Request;
use crate::decision::Call;
use crate::host_view::HostView;
use state::State;

/// What is asked.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The configuration.
    pub config: &'a Node,
    /// The agent and the session.
    pub subject: &'a Subject,
    /// The line and the environment of the host of execution.
    pub request: Request<'a>,
    /// Parameters of the call.
    pub call: &'a Call,
    /// The channel that the message came through.
    pub channel: Option<&'a str>,
    /// Who wrote it.
    pub sender: elevated::Sender<'a>,
    /// The elevated directive inside the message.
    pub directive: Option<Level>,
    /// Whether somebody can be asked.
    pub approvers: Approvers,
    /// The approvals file.
    pub approvals: &'a Approvals,
    /// The state directory, absolute.
    pub state_directory: &'a str,
    /// The files of the host.
    pub view: &'a dyn HostView,
}

impl std::fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("request", &self.request).finish_non_exhaustive()
    }
}

/// Whether an operator client is connected that can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Approvers {
    /// Yes.
    Present,
    /// No.
    Absent,
    /// It cannot be said.
    Unknown,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ExplainError {
    /// The sandbox settings have no answer.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// `agents.defaults.elevatedDefault` is no level.
    #[error(transparent)]
    Level(#[from] UnknownLevel),
    /// The tool policy has no answer.
    #[error(transparent)]
    Policy(#[from] oc_policy::tool_policy::Refusal),
}

/// Answers.
///
/// # Errors
/// [`ExplainError`]: the settings have no answer, which at run time refuses the call.
pub fn explain(question: &Question<'_>) -> Result<Explanation, ExplainError> {
    let state = State::of(question, question.config, question.request.text, None)?;
    let mut trace = story::trace(question, &state);
    trace.extend(story::people(question, &state));
    Ok(Explanation {
        subject: "command".to_owned(),
        verdict: state.verdict.word().to_owned(),
        reason: state.reason.clone(),
        decided_by: story::decided_by(question, &state),
        trace,
        flip: flips::flips(question, &state),
        notes: story::notes(question, &state),
        facts: story::facts(question, &state),
    })
}
