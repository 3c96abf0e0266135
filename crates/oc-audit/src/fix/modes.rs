//! The modes that `--fix` sets.

use std::path::{Path, PathBuf};

use super::{Expected, ModeChange, ModeTarget};
use crate::facts::SubtreeRequest;
use crate::{AuditContext, Wanted, agents};

const FILE: u32 = 0o600;
const DIRECTORY: u32 = 0o700;

/// Subtrees of the state directory that the latest rules narrow throughout (audit spec 5.1).
fn trees(ctx: &AuditContext<'_>) -> Vec<PathBuf> {
    let places = &ctx.facts.places;
    let mut out = vec![places.credentials.clone()];
    out.extend(["agents", "extensions", "sandboxes"].map(|name| places.state_dir.join(name)));
    out
}

/// What is asked about a subtree of the state directory; the checks of the latest rules ask the same.
#[must_use]
pub(super) fn request() -> SubtreeRequest {
    SubtreeRequest::default()
}

/// Names and modes.
pub(super) fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    wanted.list(&ctx.facts.places.credentials);
    if ctx.latest() {
        for tree in trees(ctx) {
            wanted.walk(tree, request());
        }
    }
    for change in changes(ctx) {
        wanted.stat(change.path);
    }
}

/// The changes, in order; a path is named whether it is there or not, so that every skip is reported (SP-281).
pub(super) fn changes(ctx: &AuditContext<'_>) -> Vec<ModeChange> {
    let places = &ctx.facts.places;
    let mut plan = Plan { exact: !ctx.latest(), out: Vec::new() };
    plan.directory(&places.state_dir, None);
    plan.file(&places.config, None);
    for file in &ctx.facts.includes {
        plan.file(file, None);
    }
    plan.directory(&places.credentials, None);
    for entry in ctx.facts.listing(&places.credentials).into_iter().flat_map(|l| &l.entries) {
        if entry.name.extension().is_some_and(|e| e == "json") {
            plan.file(&places.credentials.join(&entry.name), Some(&places.credentials));
        }
    }
    let below = Some(&*places.state_dir);
    for dir in agents::directories(ctx) {
        plan.directory(&dir, below);
        plan.directory(&dir.join("agent"), below);
        plan.file(&agents::auth_profiles(&dir), below);
        plan.directory(&dir.join("sessions"), below);
        plan.file(&agents::session_store(&dir), below);
    }
    if ctx.latest() {
        for tree in trees(ctx) {
            plan.loose(ctx, &tree);
        }
    }
    plan.out
}

struct Plan {
    exact: bool,
    out: Vec<ModeChange>,
}

impl Plan {
    fn target(&self, bits: u32) -> ModeTarget {
        if self.exact { ModeTarget::Exact(bits) } else { ModeTarget::AtMost(bits) }
    }

    fn add(&mut self, path: &Path, below: Option<&Path>, expected: Expected, target: ModeTarget) {
        let below = below.map(Path::to_owned);
        self.out.push(ModeChange { path: path.to_owned(), below, expected, target });
    }

    fn directory(&mut self, path: &Path, below: Option<&Path>) {
        let target = self.target(DIRECTORY);
        self.add(path, below, Expected::Directory, target);
    }

    fn file(&mut self, path: &Path, below: Option<&Path>) {
        let target = self.target(FILE);
        self.add(path, below, Expected::File, target);
    }

    /// What the walk found open to others. Execute bits of the owner stay.
    fn loose(&mut self, ctx: &AuditContext<'_>, tree: &Path) {
        for entry in ctx.facts.subtree(tree).into_iter().flat_map(|t| &t.loose) {
            if !self.out.iter().any(|c| c.path == entry.path) {
                let expected = if entry.directory { Expected::Directory } else { Expected::File };
                self.add(&entry.path, Some(tree), expected, ModeTarget::AtMost(DIRECTORY));
            }
        }
    }
}
