//! Modes of everything below the state directory that holds secrets or code (audit spec 5.1; seed: 0.7).

use std::path::{Path, PathBuf};

use oc_types::Severity;

use crate::facts::{LooseEntry, SubtreeRequest};
use crate::{AuditContext, Findings, Wanted, agents, workspace};

/// Most paths that a finding lists.
const LISTED: usize = 8;

/// A folder, the files of it that have findings of their own, and the prefix of its ids.
struct Area {
    root: PathBuf,
    prefix: &'static str,
}

fn areas(ctx: &AuditContext<'_>) -> Vec<Area> {
    let places = &ctx.facts.places;
    let mut out = vec![Area { root: places.credentials.clone(), prefix: "fs.credentials" }];
    for dir in agents::directories(ctx) {
        out.push(Area { root: dir.join("sessions"), prefix: "fs.transcripts" });
    }
    out.push(Area { root: places.state_dir.join("extensions"), prefix: "fs.extensions" });
    out.push(Area { root: places.state_dir.join("sandboxes"), prefix: "fs.sandboxes" });
    out
}

fn skill_roots(ctx: &AuditContext<'_>) -> Vec<PathBuf> {
    workspace::skill_roots(ctx.config, &ctx.facts.places, ctx.env("OPENCLAW_PROFILE"))
}

fn request(skip: &[&str]) -> SubtreeRequest {
    SubtreeRequest { skip: skip.iter().map(|s| (*s).to_owned()).collect(), limit: 0 }
}

pub(super) fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    for area in areas(ctx) {
        wanted.walk(area.root, request(&[]));
    }
    for root in skill_roots(ctx) {
        wanted.walk(root, request(&[".git", "node_modules"]));
    }
}

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let mut groups: Vec<(&'static str, Group)> = Vec::new();
    for area in areas(ctx) {
        let Some(tree) = ctx.facts.subtree(&area.root) else { continue };
        let root = ctx.facts.path(&area.root);
        let loose_root = LooseEntry { path: area.root.clone(), mode: root.mode, directory: true };
        let open = root.is_dir() && root.mode & 0o066 != 0;
        for entry in open.then_some(&loose_root).into_iter().chain(&tree.loose) {
            let prefix = prefix_of(&area, &entry.path);
            if has_own_finding(ctx, &area, &entry.path) {
                continue;
            }
            match groups.iter_mut().find(|(p, _)| *p == prefix) {
                Some((_, group)) => group.add(entry),
                None => {
                    let mut group = Group::default();
                    group.add(entry);
                    groups.push((prefix, group));
                }
            }
        }
    }
    for (prefix, group) in groups {
        group.report(out, &format!("{prefix}.perms_writable"), Severity::Critical, true);
        group.report(out, &format!("{prefix}.perms_readable"), Severity::Warn, false);
    }
    skills(ctx, out);
}

fn prefix_of(area: &Area, path: &Path) -> &'static str {
    if area.prefix == "fs.credentials" && path.starts_with(area.root.join("whatsapp")) {
        "fs.whatsapp_creds"
    } else {
        area.prefix
    }
}

fn has_own_finding(ctx: &AuditContext<'_>, area: &Area, path: &Path) -> bool {
    // The credentials directory itself and the session stores have checks of their own.
    (area.prefix == "fs.credentials" && path == area.root)
        || agents::directories(ctx).iter().any(|d| path == agents::session_store(d))
}

fn skills(ctx: &AuditContext<'_>, out: &mut Findings) {
    let mut group = Group::default();
    for root in skill_roots(ctx) {
        let fact = ctx.facts.path(&root);
        if fact.is_dir() && fact.writable_by_others() {
            group.add(&LooseEntry { path: root.clone(), mode: fact.mode, directory: true });
        }
        for entry in ctx.facts.subtree(&root).into_iter().flat_map(|t| &t.loose) {
            group.add(entry);
        }
    }
    group.report(out, "fs.skills_dir.perms_writable", Severity::Critical, true);
}

/// Loose entries, those that can be written apart from those that can only be read.
#[derive(Default)]
struct Group {
    writable: Vec<LooseEntry>,
    readable: Vec<LooseEntry>,
}

impl Group {
    fn add(&mut self, entry: &LooseEntry) {
        let list = if entry.mode & 0o022 == 0 { &mut self.readable } else { &mut self.writable };
        list.push(entry.clone());
    }

    fn report(&self, out: &mut Findings, id: &str, severity: Severity, writable: bool) {
        let list = if writable { &self.writable } else { &self.readable };
        if list.is_empty() {
            return;
        }
        let mut lines: Vec<String> = list
            .iter()
            .take(LISTED)
            .map(|e| format!("{} {:04o}", e.path.display(), e.mode & 0o7777))
            .collect();
        if list.len() > LISTED {
            lines.push(format!("{} more", list.len() - LISTED));
        }
        let mut draft = out.report(id, severity).detail(lines.join(", "));
        for entry in list.iter().take(LISTED) {
            draft = draft.path(&entry.path);
        }
    }
}
