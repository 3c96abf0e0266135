//! Paths with their links resolved, from facts alone: each prefix is asked for until a real path is known.

use std::path::{Component, Path, PathBuf};

use crate::facts::Kind;
use crate::{AuditContext, Wanted};

/// A path without `.` and `..`, by text alone. Relative paths stay relative.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !matches!(out.components().next_back(), None | Some(Component::RootDir)) {
                    out.pop();
                }
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}

/// Asks for what [`real`] needs to know about an absolute path.
pub(crate) fn want(ctx: &AuditContext<'_>, path: &Path, wanted: &mut Wanted) {
    step_through(ctx, path, |prefix| wanted.stat(prefix));
}

/// The path with the links of its deepest existing part resolved; the rest as written.
pub(crate) fn real(ctx: &AuditContext<'_>, path: &Path) -> PathBuf {
    step_through(ctx, path, |_| {})
}

fn step_through(ctx: &AuditContext<'_>, path: &Path, mut ask: impl FnMut(&Path)) -> PathBuf {
    let mut out = PathBuf::new();
    for part in normal(path).components() {
        out.push(part);
        if part == Component::RootDir {
            continue;
        }
        ask(&out);
        if let Kind::Symlink(target) = ctx.facts.path(&out).kind
            && let Some(resolved) = target.resolved
        {
            // A resolved target holds no further links.
            out = resolved;
        }
    }
    out
}
