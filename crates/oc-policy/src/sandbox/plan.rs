//! The whole answer for one session: host, or which sandbox.

use oc_types::Node;

use super::mounts::scope_key;
use super::{
    Door, Place, Resolved, SandboxError, Sandboxing, SessionVisibility, Setting, doors, is_sandboxed,
    resolve, session_visibility,
};

/// Where a session's tools run and with what.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// On the host.
    Host(Sandboxing),
    /// In a sandbox.
    Sandbox(Box<SandboxPlan>),
}

/// A sandboxed session's sandbox.
#[derive(Clone, Debug, PartialEq)]
pub struct SandboxPlan {
    /// Why it is sandboxed.
    pub sandboxing: Sandboxing,
    /// The session's key, trimmed.
    pub session: String,
    /// The settings in force.
    pub settings: Resolved,
    /// Who shares the sandbox.
    pub scope_key: String,
    /// What is closed to the session whatever its tool lists say.
    pub doors: Vec<Door>,
    /// Which sessions its session tools see.
    pub session_visibility: Setting<SessionVisibility>,
}

/// Plans a session's execution.
///
/// # Errors
/// [`SandboxError`]: a malformed key, an unknown word, a value of the wrong type. The caller refuses the call.
pub fn plan(config: &Node, session: Option<&str>, place: &Place) -> Result<Plan, SandboxError> {
    let sandboxing = is_sandboxed(config, session)?;
    let session = session.map(str::trim).unwrap_or_default();
    if !sandboxing.runs.is_sandboxed() {
        return Ok(Plan::Host(sandboxing));
    }
    let settings = resolve(config, &sandboxing.agent, place)?;
    Ok(Plan::Sandbox(Box::new(SandboxPlan {
        session: session.to_owned(),
        scope_key: scope_key(settings.scope.value, session),
        doors: doors(config, &settings),
        session_visibility: session_visibility(config)?,
        settings,
        sandboxing,
    })))
}
