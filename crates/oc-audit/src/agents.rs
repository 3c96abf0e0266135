//! Where agents keep their state below the state directory (audit spec 1.8).

use std::path::{Path, PathBuf};

use crate::facts::Kind;
use crate::{AuditContext, workspace};

/// `<state>/agents`.
#[must_use]
pub fn root(ctx: &AuditContext<'_>) -> PathBuf {
    ctx.facts.places.state_dir.join("agents")
}

/// The agents' directories that are audited: the default agent's, the listed ones', and in the latest rules whatever else is
/// there (the seed writes `agents/*`).
#[must_use]
pub fn directories(ctx: &AuditContext<'_>) -> Vec<PathBuf> {
    let root = root(ctx);
    let mut dirs: Vec<PathBuf> =
        workspace::agents(ctx.config).iter().map(|a| root.join(a.id.as_str())).collect();
    if ctx.latest() {
        for entry in ctx.facts.listing(&root).into_iter().flat_map(|l| &l.entries) {
            let dir = root.join(&entry.name);
            if entry.kind == Kind::Directory && !dirs.contains(&dir) {
                dirs.push(dir);
            }
        }
    }
    dirs
}

/// The model credentials of the agent that lives in `dir`.
#[must_use]
pub fn auth_profiles(dir: &Path) -> PathBuf {
    dir.join("agent").join("auth-profiles.json")
}

/// The session store of the agent that lives in `dir`.
#[must_use]
pub fn session_store(dir: &Path) -> PathBuf {
    dir.join("sessions").join("sessions.json")
}
