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
    /// The program on the host.
    pub source: &'a str,
    /// Where it appears in the container.
    pub target: &'a str,
}

/// Facts that the configuration does not hold.
#[derive(Clone, Copy, Debug)]
pub struct Baseline<'a> {
    /// Owner of the working directory.
    pub owner_uid: u32,
    /// Its group.
    pub owner_gid: u32,
    /// The resident runner, when there is one.
    pub runner: Option<Runner<'a>>,
}

/// Adds user, init, process limit, a swap limit equal to the memory limit, the digest label and the runner.
#[must_use]
pub fn harden(
    mut command: CreateCommand,
    docker: &Docker,
    context: &Context,
    baseline: &Baseline<'_>,
) -> CreateCommand {
    command.flag("--label", format!("openclaw.configDigest={}", context.digest));
    command.options.push("--init".to_owned());
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
    if let Some(runner) = baseline.runner {
        command.flag("-v", format!("{}:{}:ro", runner.source, runner.target));
        command.command = vec![runner.target.to_owned()];
    }
    command
}
