//! Is this session sandboxed (tool-policy 10.2)?

use oc_types::{AgentId, Effect, KeyPath, Node, Trace};

use super::key::{Places, builtin, step};
use super::{Mode, SandboxError, default_agent};
use crate::session_key::{SessionKey, SessionScope};

/// Where a session's tools run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Runs {
    /// On the host of the gateway.
    OnHost,
    /// In a sandbox; without one the call is refused, never run on the host (SP-239).
    Sandboxed,
}

impl Runs {
    /// The verdict word: `host` or `sandboxed`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::OnHost => "host",
            Self::Sandboxed => "sandboxed",
        }
    }

    /// Whether this is [`Runs::Sandboxed`].
    #[must_use]
    pub fn is_sandboxed(self) -> bool {
        self == Self::Sandboxed
    }
}

/// The answer to "is this session sandboxed?".
#[derive(Clone, Debug, PartialEq)]
pub struct Sandboxing {
    /// The agent whose sandbox settings count: the one in the key, else the default agent.
    pub agent: AgentId,
    /// The mode in force.
    pub mode: Mode,
    /// The key that sets the mode; `None` when it is the default.
    pub mode_key: Option<KeyPath>,
    /// Where the tools run.
    pub runs: Runs,
    /// The rules consulted.
    pub trace: Trace,
}

/// Decides where the tools of a session run. Without a key (`None`, or blank) there is no session, hence no sandbox.
///
/// # Errors
/// [`SandboxError`]: a malformed key, or a mode that is none of `off`, `non-main`, `all`.
pub fn is_sandboxed(config: &Node, session: Option<&str>) -> Result<Sandboxing, SandboxError> {
    let key = match session.map(str::trim).filter(|s| !s.is_empty()) {
        Some(text) => Some(SessionKey::parse(text)?),
        None => None,
    };
    let agent = key.as_ref().and_then(SessionKey::agent).cloned().unwrap_or_else(|| default_agent(config));
    is_sandboxed_for(config, &agent, key.as_ref())
}

/// The same with the settings of a given agent, whatever the key says.
///
/// # Errors
/// [`SandboxError`]: a mode that is none of `off`, `non-main`, `all`.
pub fn is_sandboxed_for(
    config: &Node,
    agent: &AgentId,
    session: Option<&SessionKey>,
) -> Result<Sandboxing, SandboxError> {
    let places = Places::new(config, agent);
    let set = places.either(&["sandbox", "mode"]);
    let mode = match &set {
        Some(found) => Mode::read(found.node, &found.key)?,
        None => Mode::Off,
    };
    let mut trace = Trace::new();
    if let (Some(mine), Some(shadowed)) =
        (places.agent(&["sandbox", "mode"]), places.defaults(&["sandbox", "mode"]))
    {
        let detail = format!("{} replaces it for agent {agent}", mine.key);
        trace.push(step(config, ("mode", "shadowed"), &shadowed.key, Effect::Inert, detail));
    }
    let mode_key = set.as_ref().map(|f| f.key.clone());
    let shown = mode_key.clone().unwrap_or_else(|| KeyPath::dotted("agents.defaults.sandbox.mode"));
    let is_main =
        session.is_some_and(|k| k.is_main_of(agent, SessionScope::from_config(config)) && is_own(k, agent));
    let (runs, rule, detail) = match (session, mode) {
        (None, _) => (Runs::OnHost, "no-session", "there is no session key".to_owned()),
        (Some(_), Mode::Off) => (Runs::OnHost, "off", "no session of this agent is sandboxed".to_owned()),
        (Some(_), Mode::All) => {
            (Runs::Sandboxed, "all", "every session of this agent is sandboxed".to_owned())
        }
        (Some(_), Mode::NonMain) if is_main => {
            (Runs::OnHost, "non-main", format!("this is the main session of agent {agent}"))
        }
        (Some(_), Mode::NonMain) => (
            Runs::Sandboxed,
            "non-main",
            format!("only agent:{agent}:main is the main session; every other session is sandboxed"),
        ),
    };
    let effect = Effect::Admits;
    trace.push(match session {
        None => builtin(("mode", rule), effect, detail),
        Some(_) => step(config, ("mode", rule), &shown, effect, detail),
    });
    Ok(Sandboxing { agent: agent.clone(), mode, mode_key, runs, trace })
}

/// A key that names another agent is never this agent's main session.
fn is_own(key: &SessionKey, agent: &AgentId) -> bool {
    key.agent().is_none_or(|a| a == agent)
}
