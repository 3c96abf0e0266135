//! The native sandboxes of this process, one for each scope key.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use oc_confine::spec::Spec;
use oc_policy::sandbox::Prune;
use oc_runner::protocol::{Input, Program, RunRequest};
use tokio::sync::Mutex as AsyncMutex;

use super::description::describe;
use super::start::start;
use crate::connection::Connection;
use crate::container::{Sandbox, workspace};
use crate::executor::{ExecutorError, Place};

/// How long a setup command may take.
const SETUP_LIMIT: Duration = Duration::from_secs(600);

/// One scope key's sandbox; the lock is held while it is looked at or made.
type Slot = Arc<AsyncMutex<Option<Resident>>>;

/// A sandbox that runs.
#[derive(Debug)]
struct Resident {
    digest: String,
    spec: Spec,
    connection: Connection,
    made: Instant,
    used: Instant,
}

/// The native sandboxes of this process. They end when this is dropped and the last call is over.
#[derive(Debug)]
pub struct NativeSandboxes {
    program: PathBuf,
    slots: Mutex<HashMap<String, Slot>>,
}

impl NativeSandboxes {
    /// None yet. `program` is the `openclaw` program, which is started again to set a sandbox up; `/proc/self/exe` when it is this one.
    #[must_use]
    pub fn new(program: &Path) -> Self {
        Self { program: program.to_owned(), slots: Mutex::default() }
    }

    fn slot(&self, scope_key: &str) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(scope_key.to_owned()).or_default())
    }

    /// The connection to a session's sandbox, made when there is none that is right. A sandbox with other settings, or for another user,
    /// is let go: calls that run in it end there, new ones never get it.
    pub(super) async fn connection(&self, sandbox: &Sandbox) -> Result<Connection, ExecutorError> {
        let unavailable = |cause: String| ExecutorError::Unavailable { place: Place::Native, cause };
        let context = &sandbox.context;
        self.prune(sandbox.prune());
        let slot = self.slot(&context.scope_key);
        let mut resident = slot.lock().await;
        let owner = workspace::prepare(&sandbox.plan, context, &sandbox.place)
            .map_err(|e| unavailable(e.to_string()))?;
        let myself = rustix::process::geteuid().as_raw();
        let spec = describe(sandbox, owner, myself).map_err(|e| unavailable(e.to_string()))?;
        if let Some(r) = resident.as_mut()
            && r.digest == context.digest
            && r.spec == spec
            && !r.connection.is_lost()
        {
            r.used = Instant::now();
            return Ok(r.connection.clone());
        }
        *resident = None;
        let connection = start(&self.program, &spec).await?;
        set_up(&connection, sandbox).await?;
        let (digest, now) = (context.digest.clone(), Instant::now());
        *resident = Some(Resident { digest, spec, connection: connection.clone(), made: now, used: now });
        Ok(connection)
    }

    /// Lets a scope key's sandbox go: at the end of a session.
    pub async fn end(&self, scope_key: &str) {
        let slot = self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(scope_key);
        if let Some(slot) = slot {
            *slot.lock().await = None;
        }
    }

    /// Lets idle and old sandboxes go. One that is in use at this moment is looked at the next time.
    fn prune(&self, limits: &Prune) {
        let over = |limit: f64, unit: f64, since: Instant| {
            limit > 0.0 && since.elapsed().as_secs_f64() > limit * unit
        };
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        for slot in slots.values() {
            let Ok(mut resident) = slot.try_lock() else { continue };
            let goes = resident.as_ref().is_some_and(|r| {
                over(limits.idle_hours.value, 3600.0, r.used)
                    || over(limits.max_age_days.value, 86_400.0, r.made)
            });
            if goes {
                *resident = None;
            }
        }
    }
}

/// Runs the setup command in a fresh sandbox.
async fn set_up(connection: &Connection, sandbox: &Sandbox) -> Result<(), ExecutorError> {
    let docker = &sandbox.plan.settings.docker;
    let Some(text) = docker.setup_command.as_ref().map(|s| s.value.trim()).filter(|t| !t.is_empty()) else {
        return Ok(());
    };
    let run = RunRequest {
        program: Program::Shell { shell: "/bin/sh".to_owned(), text: text.to_owned() },
        directory: sandbox.context.container_workdir.clone(),
        directory_identity: None,
        environment: sandbox.environment(&[]),
        input: Input::Empty,
        terminal: None,
        timeout_ms: u64::try_from(SETUP_LIMIT.as_millis()).ok(),
        output_limit: 0,
    };
    let failed = |what: String| ExecutorError::Unavailable {
        place: Place::Native,
        cause: format!(
            "docker.setupCommand {what} in a fresh sandbox; correct it, the next call tries again"
        ),
    };
    let mut running = connection.start(run)?;
    while running.output.recv().await.is_some() {}
    match running.exit.await {
        Ok(Ok(exit)) if exit.code == 0 && !exit.timed_out => Ok(()),
        Ok(Ok(exit)) if exit.timed_out => Err(failed("did not end in time".to_owned())),
        Ok(Ok(exit)) => Err(failed(format!("ended with {}", exit.code))),
        Ok(Err(e)) => Err(e),
        Err(_) => Err(failed("was lost".to_owned())),
    }
}
