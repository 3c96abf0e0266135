//! Has the session's container ready: decides with [`lifecycle::ensure`] over what the engine reports, and carries the decision out.

use std::time::Duration;

use oc_fs::lock::{self, Convention};
use serde_json::json;
use tokio::time::Instant;

use super::containers::{ContainerError, Containers, Slot, now_ms};
use super::error::EngineError;
use super::exec;
use super::found::{Found, LABEL_BASELINE};
use super::resident::{PROGRAM, Resident};
use super::sandbox::Sandbox;
use super::spec::ContainerSpec;
use super::workspace::{self, Owner};
use crate::config_hash::digest_of;
use crate::docker_args::{Baseline, CreateCommand, Runner, build, harden, setup_command};
use crate::lifecycle::{self, Action, Activity, Engine as Reported, Ownership};

/// How long a command in a container that has to go is waited for.
const COMMAND_WAIT: Duration = Duration::from_secs(60);
/// How long a setup command may take.
const SETUP_LIMIT: Duration = Duration::from_secs(600);
/// How long another process may hold the container's lock: it may be running a setup command.
const LOCK_WAIT: Duration = Duration::from_secs(630);
/// Least time between two notes of a use in the registry, in milliseconds.
const TELL_EVERY_MS: u64 = 30_000;
/// Appended to the name of a container whose setup command has not succeeded yet.
pub(super) const UNFINISHED: &str = "-setup";

impl Containers {
    /// Makes sure that the sandbox's container is there, is right and runs. The slot's lock is held by the caller.
    pub(super) async fn ensure(&self, sandbox: &Sandbox, slot: &Slot) -> Result<Found, ContainerError> {
        let name = &sandbox.context.container_name;
        let _lock = self.container_lock(name).await?;
        let owner = workspace::prepare(&sandbox.plan, &sandbox.context, &sandbox.place)?;
        workspace::open_to_container(sandbox, owner)?;
        let wanted = sandbox.wanted();
        let resident = self.resident().await?;
        let baseline = self.hardened(sandbox, owner, resident.as_ref(), 0).1;
        let deadline = Instant::now() + COMMAND_WAIT;
        loop {
            let found = self.engine().find(name).await?;
            let reported = match &found {
                None => Reported::Absent,
                Some(f) => {
                    Reported::Present(f.reported(self.owner(), self.activity(f, slot).await?, &baseline))
                }
            };
            let (registry, _) = self.registry().await?;
            let decided = lifecycle::ensure(&reported, registry.entry(name), &wanted, now_ms())?;
            if decided.after_running_command {
                if Instant::now() >= deadline {
                    return Err(ContainerError::Busy(name.clone()));
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            // Written before the engine acts: a container that a killed process leaves behind is known.
            let entry = decided.entry;
            let created_ms = entry.created_at_ms;
            self.record(|r| r.put(entry)).await?;
            for action in decided.actions {
                match action {
                    Action::Remove => {
                        if let Some(found) = &found {
                            self.engine().remove(found).await?;
                        }
                    }
                    Action::Create => self.create(sandbox, owner, resident.as_ref(), created_ms).await?,
                    Action::Start => self.engine().start(name).await?,
                }
            }
            return match self.engine().find(name).await? {
                Some(found) if found.running => Ok(found),
                Some(_) => Err(ContainerError::System(format!(
                    "container {name} ended right after its start; look at its image and command"
                ))),
                None => {
                    Err(EngineError::NotFound(format!("container {name}; it was removed meanwhile")).into())
                }
            };
        }
    }

    /// Whether a command runs in a container: one of this process, or one that the engine knows of.
    async fn activity(&self, found: &Found, slot: &Slot) -> Result<Activity, ContainerError> {
        if slot.traffic.is_busy() {
            return Ok(Activity::Busy);
        }
        Ok(if self.engine().is_busy(found).await? { Activity::Busy } else { Activity::Idle })
    }

    /// One process at a time works on a container name.
    async fn container_lock(&self, name: &str) -> Result<lock::StoreLock, ContainerError> {
        let directory = self.state_dir().join("sandbox/locks");
        let path = directory.join(name);
        let taken = tokio::task::spawn_blocking(move || {
            oc_fs::mode::create_directories(&directory).map_err(|e| {
                ContainerError::System(format!("{} cannot be made: {e}", directory.display()))
            })?;
            Ok(lock::acquire(&path, Convention::Own, LOCK_WAIT)?)
        });
        taken.await.unwrap_or_else(|e| Err(ContainerError::System(e.to_string())))
    }

    /// Creates the container. With a setup command it has another name until that has succeeded, so that a container under its own name
    /// is always a finished one, whatever was killed when.
    async fn create(
        &self,
        sandbox: &Sandbox,
        owner: Owner,
        resident: Option<&Resident>,
        created_ms: u64,
    ) -> Result<(), ContainerError> {
        let (docker, context) = (&sandbox.plan.settings.docker, &sandbox.context);
        let (command, _) = self.hardened(sandbox, owner, resident, created_ms);
        let mut spec = ContainerSpec::read(&command, &read_profile).map_err(EngineError::from)?;
        if let Some(resident) = resident {
            resident.bring(self.engine(), self.owner(), &docker.image.value).await?;
        }
        let Some(setup) = setup_command(docker, context) else {
            self.engine().create(spec).await?;
            return Ok(());
        };
        spec.name.push_str(UNFINISHED);
        let unfinished = spec.name.clone();
        self.remove_unfinished(&unfinished).await?;
        let id = self.engine().create(spec).await?;
        let done = self.set_up(&id, setup, sandbox).await;
        if done.is_err() {
            self.remove_unfinished(&unfinished).await?;
        }
        done
    }

    /// The whole create command, and the digest of it that a container has to carry to be used again.
    pub(super) fn hardened(
        &self,
        sandbox: &Sandbox,
        owner: Owner,
        resident: Option<&Resident>,
        created_ms: u64,
    ) -> (CreateCommand, String) {
        let (docker, context) = (&sandbox.plan.settings.docker, &sandbox.context);
        let mount = resident.map(|r| r.mount(self.engine().reach()));
        let runner = mount.as_ref().map(|(source, target)| Runner { source, target, program: PROGRAM });
        let baseline = Baseline { owner: self.owner(), owner_uid: owner.uid, owner_gid: owner.gid, runner };
        let whole = |created_ms| harden(build(docker, context, created_ms), docker, context, &baseline);
        let subject = json!({"argv": whole(0).argv(), "runner": resident.map(|r| &r.digest)});
        let digest = digest_of(&subject);
        let mut command = whole(created_ms);
        command.options.extend(["--label".to_owned(), format!("{LABEL_BASELINE}={digest}")]);
        (command, digest)
    }

    async fn set_up(&self, id: &str, setup: Vec<String>, sandbox: &Sandbox) -> Result<(), ContainerError> {
        self.engine().start(id).await?;
        // `exec -i NAME` stands before the command itself.
        let argv: Vec<String> = setup.into_iter().skip(3).collect();
        let environment = sandbox.environment(&[]);
        match exec::quietly(self.engine(), id, argv, &environment, SETUP_LIMIT).await? {
            0 => Ok(self.engine().rename(id, &sandbox.context.container_name).await?),
            code => Err(ContainerError::Setup(code)),
        }
    }

    /// Removes a container whose setup was cut off. Its name ends in a suffix of ours, and still only our own label makes it ours.
    pub(super) async fn remove_unfinished(&self, name: &str) -> Result<(), ContainerError> {
        if let Some(found) = self.engine().find(name).await? {
            match found.ownership(self.owner()) {
                Ownership::Ours => self.engine().remove(&found).await?,
                Ownership::Neighbour => return Err(lifecycle::EnsureError::Neighbour(name.to_owned()).into()),
                Ownership::Foreign => return Err(lifecycle::EnsureError::Foreign(name.to_owned()).into()),
            }
        }
        Ok(())
    }

    /// Notes a use, at most every half minute.
    pub(super) async fn tell_use(&self, name: &str, told_ms: &mut u64) -> Result<(), ContainerError> {
        let now = now_ms();
        if now.saturating_sub(*told_ms) < TELL_EVERY_MS {
            return Ok(());
        }
        self.record(|r| {
            if let Some(entry) = r.entries.iter_mut().find(|e| e.container_name == name) {
                entry.last_used_at_ms = now;
            }
        })
        .await?;
        *told_ms = now;
        Ok(())
    }
}

/// The text of a seccomp profile that the operator named.
pub(super) fn read_profile(path: &str) -> Result<String, String> {
    oc_fs::bounded_read::text(std::path::Path::new(path), 1024 * 1024)
        .map_err(|e| format!("the seccomp profile cannot be read: {e}"))
}
