//! From the settings of a sandbox to what `oc-confine` builds.
//!
//! The hardened argument vector of a container is the one description of a sandbox's limits; the native sandbox reads the same one. What
//! only an engine can do (images, name servers, profiles) is left out: the native sandbox is the stricter one in each of these.

use std::path::Path;

use bollard::models::HostConfig;
use oc_confine::spec::{Access, Bind, Limits, Scratch, Spec, VERSION};
use oc_policy::sandbox::Docker;
use thiserror::Error;

use crate::container::spec::{ContainerSpec, SpecError, bytes};
use crate::container::{Owner, Sandbox};
use crate::docker_args::{Baseline, build, harden};

/// Most open files of a process when no limit is configured.
const OPEN_FILES: u64 = 4096;
/// Size of a memory file system that was configured without one, in bytes.
const SCRATCH_SIZE: u64 = 512 << 20;
/// Billionths of a processor.
const NANO: i64 = 1_000_000_000;

/// Why there is no description.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DescriptionError {
    /// A setting without meaning.
    #[error(transparent)]
    Setting(#[from] SpecError),
    /// A user that a native sandbox cannot be.
    #[error(
        "docker.user {0:?} cannot be had without a container engine: write the number of a user other than root, \
         and run as that user or as root; or leave the key out"
    )]
    User(String),
    /// A path that is no text or is not there.
    #[error("{path} cannot be mounted: {why}")]
    Path {
        /// The directory.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Describes a sandbox. `owner` is who owns the directory that tools work in, `myself` the user of this process.
///
/// # Errors
/// [`DescriptionError`].
pub fn describe(sandbox: &Sandbox, owner: Owner, myself: u32) -> Result<Spec, DescriptionError> {
    let (docker, context) = (&sandbox.plan.settings.docker, &sandbox.context);
    let baseline = Baseline { owner: "", owner_uid: owner.uid, owner_gid: owner.gid, runner: None };
    let command = harden(build(docker, context, 0), docker, context, &baseline);
    // A seccomp profile is the engine's; the native rules are fixed and stricter.
    let body = ContainerSpec::read(&command, &|_| Ok("{}".to_owned()))?.body;
    let host = body.host_config.unwrap_or_default();
    let Owner { uid, gid } = user(docker, owner, myself)?;
    let mut mounts = configured(docker)?;
    for m in &context.mounts {
        let access = if m.read_only { Access::Read } else { Access::Write };
        mounts.push(Bind { source: real(&m.source)?, target: m.target.clone(), access });
    }
    let roots = context.mounts.iter().flat_map(|m| ["--root".to_owned(), m.target.clone()]);
    let command = [oc_runner::HIDDEN, "serve"].map(str::to_owned).into_iter().chain(roots).collect();
    Ok(Spec {
        version: VERSION,
        user: uid,
        group: gid,
        mounts,
        scratch: scratch(&host)?,
        workdir: context.container_workdir.clone(),
        limits: limits(&host),
        command,
    })
}

/// The user of the host: what `docker.user` says in numbers, else the owner of the workspace. Root can become anybody, others only
/// themselves; then files of another owner are just not writable.
fn user(docker: &Docker, owner: Owner, myself: u32) -> Result<Owner, DescriptionError> {
    let Some(text) = docker.user.as_ref().map(|u| u.value.trim()).filter(|t| !t.is_empty()) else {
        let me = Owner { uid: myself, gid: rustix::process::getegid().as_raw() };
        return Ok(if myself == 0 { owner } else { me });
    };
    let (uid, gid) = text.split_once(':').unwrap_or((text, text));
    match (uid.parse(), gid.parse()) {
        (Ok(uid), Ok(gid)) if uid != 0 && (myself == 0 || myself == uid) => Ok(Owner { uid, gid }),
        _ => Err(DescriptionError::User(text.to_owned())),
    }
}

/// The configured binds; `validate` has passed them.
fn configured(docker: &Docker) -> Result<Vec<Bind>, DescriptionError> {
    let bind = |text: &str| {
        let mut parts = text.splitn(3, ':');
        let (source, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let read_only = parts.next().is_some_and(|options| options.split(',').any(|o| o == "ro"));
        let access = if read_only { Access::Read } else { Access::Write };
        Ok(Bind { source: real(source)?, target: target.trim_end_matches('/').to_owned(), access })
    };
    docker.binds.iter().map(|b| bind(&b.value)).collect()
}

/// A directory's own name, without links on the way to it: the sandbox follows none.
fn real(path: &str) -> Result<String, DescriptionError> {
    let wrong = |why: String| DescriptionError::Path { path: path.to_owned(), why };
    let real = Path::new(path).canonicalize().map_err(|e| wrong(e.to_string()))?;
    real.into_os_string().into_string().map_err(|_| wrong("its name is no text".to_owned()))
}

/// The memory file systems in force, with their sizes.
fn scratch(host: &HostConfig) -> Result<Vec<Scratch>, DescriptionError> {
    let mut out = Vec::new();
    for (target, options) in host.tmpfs.iter().flatten() {
        let size = options.split(',').find_map(|o| o.strip_prefix("size="));
        let size = match size {
            None => SCRATCH_SIZE,
            Some(text) => {
                let size = bytes(text).map_err(|why| DescriptionError::Path { path: target.clone(), why })?;
                u64::try_from(size).ok().filter(|s| *s > 0).unwrap_or(SCRATCH_SIZE)
            }
        };
        out.push(Scratch { target: target.trim_end_matches('/').to_owned(), size });
    }
    out.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(out)
}

fn limits(host: &HostConfig) -> Limits {
    let positive = |n: Option<i64>| n.filter(|n| *n > 0).and_then(|n| u64::try_from(n).ok());
    let number = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok()).unwrap_or(u64::MAX);
    let mut file_size = u64::MAX;
    let mut open_files = OPEN_FILES;
    let mut named = Vec::new();
    for limit in host.ulimits.iter().flatten() {
        let name = limit.name.clone().unwrap_or_default();
        let (soft, hard) = (number(limit.soft), number(limit.hard));
        match name.as_str() {
            "fsize" => file_size = hard,
            "nofile" => open_files = hard,
            _ => named.push((name, soft, hard)),
        }
    }
    Limits {
        processes: positive(host.pids_limit).and_then(|n| n.try_into().ok()).unwrap_or(65_536).min(65_536),
        memory: positive(host.memory),
        processors: host.nano_cpus.filter(|n| *n > 0).and_then(|n| {
            let whole = n.div_euclid(NANO);
            u32::try_from(if n.rem_euclid(NANO) == 0 { whole } else { whole.saturating_add(1) }).ok()
        }),
        file_size,
        open_files,
        named,
    }
}
