//! Skill files of a workspace that really lie elsewhere (audit spec 2).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use oc_types::Severity;

use super::resolve;
use crate::facts::Kind;
use crate::{AuditContext, Findings, Wanted, workspace};

/// Most skill files that are looked at in one workspace.
const MAX_FILES: usize = 2_000;
/// Most folders that are visited in one workspace.
const MAX_FOLDERS: usize = 40_000;
/// Most paths that a finding lists.
const LISTED: usize = 10;

/// The workspaces of all agents, each once.
pub(super) fn workspaces(ctx: &AuditContext<'_>) -> Vec<PathBuf> {
    let profile = ctx.env("OPENCLAW_PROFILE");
    let mut out: Vec<PathBuf> = Vec::new();
    for agent in workspace::agents(ctx.config) {
        for folder in workspace::folders(ctx.config, &ctx.facts.places, profile, &agent) {
            if !out.contains(&folder) {
                out.push(folder);
            }
        }
    }
    out
}

pub(super) fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    for folder in workspaces(ctx) {
        resolve::want(ctx, &folder, wanted);
        walk(ctx, &folder, Some(wanted));
    }
}

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    for folder in workspaces(ctx) {
        let walk = walk(ctx, &folder, None);
        if !walk.escapes.is_empty() {
            let mut lines: Vec<String> = walk
                .escapes
                .iter()
                .take(LISTED)
                .map(|(a, b)| format!("{} is {}", a.display(), b.display()))
                .collect();
            if walk.escapes.len() > LISTED {
                lines.push(format!("{} more", walk.escapes.len() - LISTED));
            }
            let mut draft = out.report("skills.workspace.symlink_escape", Severity::Warn).detail(format!(
                "Skills outside of {}: {}",
                folder.display(),
                lines.join(", ")
            ));
            for (path, _) in walk.escapes.iter().take(LISTED) {
                draft = draft.path(path);
            }
        }
        if walk.truncated {
            out.report("skills.workspace.scan_truncated", Severity::Warn)
                .detail(format!(
                    "{}: more than {MAX_FILES} skills or {MAX_FOLDERS} folders; not all were checked",
                    folder.display()
                ))
                .path(&folder);
        }
    }
}

#[derive(Default)]
struct Walk {
    /// Skill files outside the workspace: as seen, and as they are.
    escapes: Vec<(PathBuf, PathBuf)>,
    truncated: bool,
}

/// Goes through `skills` of a workspace as far as the facts reach, asking for the next ones.
fn walk(ctx: &AuditContext<'_>, workspace: &Path, mut wanted: Option<&mut Wanted>) -> Walk {
    let home = resolve::real(ctx, workspace);
    let mut out = Walk::default();
    let mut files = 0_usize;
    let mut seen = BTreeSet::new();
    // A folder as seen from the workspace, and where it really is.
    let mut folders = vec![(workspace.join("skills"), home.join("skills"))];
    if let Some(wanted) = wanted.as_deref_mut() {
        wanted.stat(home.join("skills"));
    }
    if let Kind::Symlink(target) = ctx.facts.path(&home.join("skills")).kind {
        folders = target.resolved.map(|r| vec![(workspace.join("skills"), r)]).unwrap_or_default();
    }
    while let Some((shown, real)) = folders.pop() {
        if seen.len() >= MAX_FOLDERS || files >= MAX_FILES {
            out.truncated = true;
            break;
        }
        if !seen.insert(real.clone()) {
            continue;
        }
        if let Some(wanted) = wanted.as_deref_mut() {
            wanted.list(&real);
        }
        let Some(listing) = ctx.facts.listing(&real) else { continue };
        out.truncated |= listing.truncated;
        for entry in &listing.entries {
            let name = entry.name.to_string_lossy();
            if name.starts_with('.') || name == "node_modules" {
                continue;
            }
            let (shown, path) = (shown.join(&entry.name), real.join(&entry.name));
            let skill = name == "SKILL.md";
            files += usize::from(skill);
            match &entry.kind {
                Kind::Directory => folders.push((shown, path)),
                Kind::Symlink(_) => {
                    if let Some(wanted) = wanted.as_deref_mut() {
                        wanted.stat(&path);
                    }
                    let Kind::Symlink(target) = ctx.facts.path(&path).kind else { continue };
                    match target.resolved {
                        Some(to) if target.directory => folders.push((shown, to)),
                        Some(to) if skill && !to.starts_with(&home) => out.escapes.push((shown, to)),
                        _ => {}
                    }
                }
                _ if skill && !path.starts_with(&home) => out.escapes.push((shown, path)),
                _ => {}
            }
        }
    }
    out
}
