//! Adds the baseline where the configuration leaves it unset (SP-234). A weaker value that the operator wrote is honoured here and
//! reported by the audit.

use oc_policy::sandbox::Docker;

use super::build::{CreateCommand, amount_text};
use crate::context::Context;

/// Process limit when none is configured.
pub const DEFAULT_PIDS_LIMIT: u32 = 256;

/// The user when the workspace belongs to root: nobody. Never 0.
pub const NOBODY: u32 = 65_534;

/// The resident runner: a program mounted read-only that keeps the container alive and starts commands.
#[derive(Clone, Copy, Debug)]
pub struct Runner<'a> {
    /// The program on the host, or the engine's volume that holds it.
    pub source: &'a str,
    /// Where that appears in the container.
    pub target: &'a str,
    /// The program's path in the container.
    pub program: &'a str,
}

/// Facts that the configuration does not hold.
#[derive(Clone, Copy, Debug)]
pub struct Baseline<'a> {
    /// Which installation makes the container: two on one engine never touch each other's.
    pub owner: &'a str,
    /// Owner of the working directory.
    pub owner_uid: u32,
    /// Its group.
    pub owner_gid: u32,
    /// The resident runner, when there is one.
    pub runner: Option<Runner<'a>>,
}

/// Size of each default memory file system: what is written there is memory of the host.
pub const DEFAULT_TMPFS_SIZE: &str = "512m";

/// Largest file a command can write when no limit is configured: one runaway file must not fill the host's disk.
pub const DEFAULT_FILE_SIZE: u64 = 4 * 1024 * 1024 * 1024;

/// Adds user, process limit, a swap limit equal to the memory limit, sizes of the default memory file systems, limits of core dumps and
/// file sizes, the owner and digest labels and the runner.
///
/// With a runner, the runner is the first process: signals of the commands (`kill -9 -1`) do not reach it, and it collects orphans.
/// Without one the engine's own init does that. Either way the engine keeps no log of the output: the log would grow on the host's disk.
#[must_use]
pub fn harden(
    mut command: CreateCommand,
    docker: &Docker,
    context: &Context,
    baseline: &Baseline<'_>,
) -> CreateCommand {
    command.flag("--label", format!("openclaw.configDigest={}", context.digest));
    command.flag("--label", format!("openclaw.owner={}", baseline.owner));
    command.flag("--log-driver", "none");
    if docker.tmpfs.key.is_none() {
        sized_tmpfs(&mut command);
    }
    let limited = |name: &str| docker.ulimits.iter().flatten().any(|(n, _)| n == name);
    for (name, value) in [("core", 0), ("fsize", DEFAULT_FILE_SIZE)] {
        if !limited(name) {
            command.flag("--ulimit", format!("{name}={value}"));
        }
    }
    if docker.user.as_ref().is_none_or(|u| u.value.trim().is_empty()) {
        let never_root = |id: u32| if id == 0 { NOBODY } else { id };
        let (uid, gid) = (never_root(baseline.owner_uid), never_root(baseline.owner_gid));
        command.flag("--user", format!("{uid}:{gid}"));
    }
    if docker.pids_limit.is_none() {
        command.flag("--pids-limit", DEFAULT_PIDS_LIMIT.to_string());
    }
    let set = |a: &Option<oc_policy::sandbox::Setting<oc_policy::sandbox::Amount>>| {
        a.as_ref().and_then(|s| amount_text(&s.value))
    };
    if let (Some(memory), None) = (set(&docker.memory), set(&docker.memory_swap)) {
        // Otherwise the engine grants as much swap again.
        command.flag("--memory-swap", memory);
    }
    match baseline.runner {
        Some(runner) => {
            command.flag("-v", format!("{}:{}:ro", runner.source, runner.target));
            // Open, and staying open when an executor goes away: the next one attaches again.
            command.options.push("-i".to_owned());
            command.flag("--entrypoint", runner.program);
            let roots = context.mounts.iter().flat_map(|m| ["--root".to_owned(), m.target.clone()]);
            command.command = std::iter::once("serve".to_owned()).chain(roots).collect();
        }
        None => command.options.push("--init".to_owned()),
    }
    command
}

fn sized_tmpfs(command: &mut CreateCommand) {
    let mut is_value = false;
    for option in &mut command.options {
        if is_value && !option.contains(':') {
            option.push_str(":size=");
            option.push_str(DEFAULT_TMPFS_SIZE);
        }
        is_value = option == "--tmpfs";
    }
}
