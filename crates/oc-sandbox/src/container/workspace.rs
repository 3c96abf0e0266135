//! The directories of the host that a sandbox sees, looked at (and the sandbox's own one made) before the engine mounts them.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use oc_policy::sandbox::{Place, SandboxPlan};
use thiserror::Error;

use super::sandbox::Sandbox;
use crate::context::Context;
use crate::docker_args::{NOBODY, PathRules, Refusal, validate, workspace_refusal};
use crate::naming::workspace_dir;

/// Why a sandbox's directories cannot be used.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum WorkspaceError {
    /// It is a link, a file or not there.
    #[error("the workspace {path} {why}")]
    Unusable {
        /// The directory.
        path: String,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// A setting is refused.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Refused(Vec<Refusal>),
}

/// Who owns the directory that tools work in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// Looks the directories over, makes the sandbox's own one when it is missing, and refuses what must not be mounted. Done before every
/// start of a container: the engine follows names anew each time.
///
/// # Errors
/// [`WorkspaceError`].
pub fn prepare(plan: &SandboxPlan, context: &Context, place: &Place) -> Result<Owner, WorkspaceError> {
    let own = workspace_dir(&plan.settings.workspace_root.value, plan.settings.scope.value, &plan.scope_key);
    let roots = [context.agent_workspace_dir.clone(), plan.settings.workspace_root.value.clone()];
    let rules = PathRules {
        permitted_roots: &roots,
        home: &place.home,
        state_dir: &place.state_dir,
        resolve: &|path| resolve(Path::new(path)),
    };
    for mount in &context.mounts {
        let source = Path::new(&mount.source);
        if source.is_symlink() {
            return Err(is_link(source));
        }
        if let Some(why) = workspace_refusal(&mount.source, &rules) {
            return Err(unusable(source, why));
        }
    }
    let uses_own = context.mounts.iter().any(|m| m.source == own);
    if uses_own && own != context.agent_workspace_dir {
        make(Path::new(&own))?;
    }
    for mount in &context.mounts {
        directory(Path::new(&mount.source))?;
    }
    let refused = validate(&plan.settings.docker, &rules);
    if !refused.is_empty() {
        return Err(WorkspaceError::Refused(refused));
    }
    let meta = directory(Path::new(&context.workspace_dir))?;
    Ok(Owner { uid: meta.uid(), gid: meta.gid() })
}

/// Whether the user of a container gets into the directory that tools work in. A container never runs as root, so a directory that is
/// root's alone is of no use to it: an empty one is given to the container's user, as the sandbox's own is; another one is refused.
///
/// # Errors
/// [`WorkspaceError::Unusable`] with the fix.
pub(super) fn open_to_container(sandbox: &Sandbox, owner: Owner) -> Result<(), WorkspaceError> {
    let configured = sandbox.plan.settings.docker.user.as_ref().is_some_and(|u| !u.value.trim().is_empty());
    if owner.uid != 0 || configured {
        return Ok(());
    }
    let path = Path::new(&sandbox.context.workspace_dir);
    if directory(path)?.permissions().mode() & 0o005 == 0o005 {
        return Ok(());
    }
    let is_empty = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty && rustix::process::geteuid().is_root() {
        let given = std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY));
        return given.map_err(|e| unusable(path, format!("cannot be given to the container's user: {e}")));
    }
    Err(unusable(
        path,
        "is root's alone, and no container runs as root: give it to another user (`chown -R 1000:1000`), \
         or set sandbox.backend to native",
    ))
}

/// Makes the sandbox's own directory, for its user only. Made by root, it is given to the user that commands run as.
fn make(path: &Path) -> Result<(), WorkspaceError> {
    let failed = |e: std::io::Error| unusable(path, format!("cannot be made: {e}"));
    match std::fs::symlink_metadata(path) {
        Ok(_) => return Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(failed(e)),
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    match std::fs::create_dir(path) {
        Ok(()) => {}
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        Err(e) => return Err(failed(e)),
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY)).map_err(failed)?;
    }
    Ok(())
}

fn directory(path: &Path) -> Result<std::fs::Metadata, WorkspaceError> {
    let meta = std::fs::symlink_metadata(path).map_err(|e| unusable(path, format!("cannot be used: {e}")))?;
    if meta.is_symlink() {
        return Err(is_link(path));
    }
    if !meta.is_dir() {
        return Err(unusable(path, "is not a directory"));
    }
    Ok(meta)
}

fn is_link(path: &Path) -> WorkspaceError {
    unusable(path, "is a link; put the directory itself there, or name it in the configuration")
}

fn unusable(path: &Path, why: impl Into<String>) -> WorkspaceError {
    WorkspaceError::Unusable { path: path.display().to_string(), why: why.into() }
}

/// A path through the links of its deepest existing ancestor (SP-230).
fn resolve(path: &Path) -> String {
    let mut rest: Vec<&std::ffi::OsStr> = Vec::new();
    let mut at = path;
    loop {
        if let Ok(real) = at.canonicalize() {
            let full = rest.iter().rev().fold(real, |p: PathBuf, part| p.join(part));
            return full.display().to_string();
        }
        match (at.parent(), at.file_name()) {
            (Some(parent), Some(name)) => {
                rest.push(name);
                at = parent;
            }
            _ => return path.display().to_string(),
        }
    }
}
