//! Which sandbox a sandboxed session gets. It never falls back to the host (SP-239).

use std::fmt;
use std::sync::Arc;

use oc_policy::sandbox::{Backend, SandboxPlan};

use crate::executor::{Executor, ExecutorError, Pending, Place};

/// A sandboxed session with what its executor needs to know.
#[derive(Clone, Debug)]
pub struct SandboxSession {
    /// The plan, from the policy.
    pub plan: SandboxPlan,
    /// The agent's workspace on the host.
    pub agent_workspace: String,
}

/// A session that acts on the host.
#[derive(Clone, Debug)]
pub struct HostSession {
    /// The agent's workspace.
    pub workspace: String,
}

/// Where executors come from. Asking makes nothing yet: containers and sandboxes are made when a call starts.
pub trait Executors: fmt::Debug + Send + Sync {
    /// Whether a container engine answers; the error says why not.
    fn engine(&self) -> Pending<'_, ()>;
    /// The container of a session.
    fn container<'a>(&'a self, session: &'a SandboxSession) -> Pending<'a, Arc<dyn Executor>>;
    /// The native sandbox of a session.
    fn native<'a>(&'a self, session: &'a SandboxSession) -> Pending<'a, Arc<dyn Executor>>;
    /// The gateway host.
    fn host<'a>(&'a self, session: &'a HostSession) -> Pending<'a, Arc<dyn Executor>>;
}

/// A chosen sandbox.
#[derive(Debug)]
pub struct Chosen {
    /// What carries the call out.
    pub executor: Arc<dyn Executor>,
    /// Why it is this one, when the configuration left it open.
    pub note: Option<String>,
}

/// Chooses the sandbox of a session by `sandbox.backend`: `auto` takes the engine when one answers, else the native sandbox.
///
/// # Errors
/// [`ExecutorError::Unavailable`] with the cause.
pub async fn choose(executors: &dyn Executors, session: &SandboxSession) -> Result<Chosen, ExecutorError> {
    let chosen = |executor, note| Chosen { executor, note };
    match session.plan.settings.backend.value {
        Backend::Container => {
            executors.engine().await?;
            Ok(chosen(executors.container(session).await?, None))
        }
        Backend::Native => Ok(chosen(executors.native(session).await?, None)),
        Backend::Auto => match executors.engine().await {
            Ok(()) => Ok(chosen(executors.container(session).await?, None)),
            Err(no_engine) => match executors.native(session).await {
                Ok(native) => {
                    let note = format!(
                        "native sandbox, because there is no container engine ({})",
                        cause(&no_engine)
                    );
                    Ok(chosen(native, Some(note)))
                }
                Err(no_native) => Err(ExecutorError::Unavailable {
                    place: Place::Native,
                    cause: format!("{}; nor a container: {}", cause(&no_native), cause(&no_engine)),
                }),
            },
        },
    }
}

fn cause(error: &ExecutorError) -> String {
    match error {
        ExecutorError::Unavailable { cause, .. } | ExecutorError::Lost { cause, .. } => cause.clone(),
        ExecutorError::Failed { message, .. } => message.clone(),
    }
}
