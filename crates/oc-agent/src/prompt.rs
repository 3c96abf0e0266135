//! The system prompt: our own words, the owner's files in the workspace, and nothing from outside (agent-runtime 4, SP-416, SP-421).
//!
//! It is advice. No check relies on anything in it.
//!
//! Invariant: names of people, rooms and files, topics and paths never enter it; words of the configuration enter it only when they are plain
//! ([`plain_word`]).

mod files;
mod section;
#[cfg(test)]
mod tests;

use oc_policy::sandbox::{HostDoor, SandboxPlan};
use oc_types::AgentId;

pub use files::{BOOTSTRAP, BOOTSTRAP_MAX_CHARS, WorkspaceFile, fitted, read_files};

/// How much of it a session gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Everything.
    Full,
    /// What a sub-agent needs.
    Minimal,
    /// One line.
    None,
}

/// What starts a turn, as far as the prompt says more for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heartbeat {
    /// This agent is woken now and then.
    On,
    /// It is not.
    Off,
}

/// What the integrator knows. Everything else comes from the gate and the offer.
#[derive(Clone, Debug, PartialEq)]
pub struct Ground {
    /// How much.
    pub mode: Mode,
    /// Skills that the owner enabled, as text for the model.
    pub skills: Option<String>,
    /// The workspace's files, in order.
    pub files: Vec<WorkspaceFile>,
    /// IANA name of the owner's time zone.
    pub time_zone: Option<String>,
    /// Whether the agent is woken.
    pub heartbeat: Heartbeat,
}

impl Ground {
    /// A prompt of that mode with nothing else known.
    #[must_use]
    pub fn of(mode: Mode) -> Self {
        Self { mode, skills: None, files: Vec::new(), time_zone: None, heartbeat: Heartbeat::Off }
    }
}

/// What the turn knows.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The agent.
    pub agent: &'a AgentId,
    /// Canonical names of the offered tools.
    pub tools: &'a [&'a str],
    /// The session's sandbox.
    pub sandbox: Option<&'a SandboxPlan>,
    /// Provider and id of the model.
    pub model: Option<(&'a str, &'a str)>,
    /// The channel the conversation is on.
    pub channel: Option<&'a str>,
    /// Whether thinking is on.
    pub thinking: bool,
}

/// A system prompt. Only [`SystemPrompt::build`] makes one, and nothing that somebody said fits into what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemPrompt(String);

impl SystemPrompt {
    /// Puts the sections together, in the order of the specification.
    #[must_use]
    pub fn build(ground: &Ground, facts: &Facts<'_>) -> Self {
        let full = ground.mode == Mode::Full;
        let sections = match ground.mode {
            Mode::None => vec![Some(section::IDENTITY.to_owned())],
            Mode::Full | Mode::Minimal => vec![
                Some(section::IDENTITY.to_owned()),
                Some(section::tools(facts.tools)),
                Some(section::CALL_STYLE.to_owned()),
                Some(section::SAFETY.to_owned()),
                Some(section::RULES.to_owned()),
                Some(section::OUTSIDE.to_owned()),
                full.then(|| section::COMMAND_LINE.to_owned()),
                full.then(|| section::skills(ground.skills.as_deref())).flatten(),
                full.then(|| section::memory(facts.tools)).flatten(),
                Some(section::WORKSPACE.to_owned()),
                facts.sandbox.map(section::sandbox),
                full.then(|| section::PEOPLE.to_owned()),
                full.then(|| section::time(ground.time_zone.as_deref())).flatten(),
                section::files(&ground.files),
                full.then(|| section::REPLIES.to_owned()),
                full.then(|| section::SILENCE.to_owned()),
                (full && ground.heartbeat == Heartbeat::On).then(|| section::HEARTBEAT.to_owned()),
                Some(section::runtime(facts)),
            ],
        };
        Self(sections.into_iter().flatten().collect::<Vec<_>>().join("\n\n"))
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// A word of the configuration that may stand in the prompt: letters, digits and `. _ : / @ + -`, at most 120 of them.
#[must_use]
pub fn plain_word(text: &str) -> Option<&str> {
    let good = |c: char| c.is_ascii_alphanumeric() || "._:/@+-".contains(c);
    (!text.is_empty() && text.len() <= 120 && text.chars().all(good)).then_some(text)
}

fn is_open(plan: &SandboxPlan, door: HostDoor) -> bool {
    use oc_policy::sandbox::DoorState;
    plan.doors.iter().any(|d| d.door == door && d.state != DoorState::Closed)
}
