//! Credentials where the model reads them: workspaces, bootstrap files, skills (audit spec 5.1; seed: secret management).

use std::path::{Path, PathBuf};

use super::gateway::worse_if;
use super::{outsiders, skills};
use crate::facts::SecretHit;
use crate::{AuditContext, Findings, Wanted, workspace};

/// Files of a workspace that go into the prompt.
const BOOTSTRAP: [&str; 9] = [
    "AGENTS.md",
    "SOUL.md",
    "TOOLS.md",
    "IDENTITY.md",
    "USER.md",
    "HEARTBEAT.md",
    "BOOTSTRAP.md",
    "MEMORY.md",
    "memory.md",
];
/// Most hits that a finding lists.
const LISTED: usize = 10;

/// Workspaces, and skill folders that lie in none.
fn folders(ctx: &AuditContext<'_>) -> Vec<PathBuf> {
    let mut out = skills::workspaces(ctx);
    for root in workspace::skill_roots(ctx.config, &ctx.facts.places, ctx.env("OPENCLAW_PROFILE")) {
        if !out.iter().any(|w| root.starts_with(w)) {
            out.push(root);
        }
    }
    out
}

pub(super) fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    for folder in folders(ctx) {
        wanted.scan_secrets(folder);
    }
}

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let workspaces = skills::workspaces(ctx);
    let mut found: [(&str, Vec<&SecretHit>); 3] = [
        ("secrets.in_workspace", Vec::new()),
        ("secrets.in_bootstrap", Vec::new()),
        ("secrets.in_skills", Vec::new()),
    ];
    for folder in folders(ctx) {
        for hit in ctx.facts.secret_scan(&folder).into_iter().flat_map(|s| &s.hits) {
            let id = place(&workspaces, &folder, &hit.file);
            if let Some((_, list)) = found.iter_mut().find(|(i, _)| *i == id) {
                list.push(hit);
            }
        }
    }
    let severity = worse_if(outsiders::any(ctx));
    for (id, hits) in found {
        if hits.is_empty() {
            continue;
        }
        let mut lines: Vec<String> = hits
            .iter()
            .take(LISTED)
            .map(|h| format!("{}:{} {}", h.file.display(), h.line, h.pattern))
            .collect();
        if hits.len() > LISTED {
            lines.push(format!("{} more", hits.len() - LISTED));
        }
        let mut draft = out.report(id, severity).detail(lines.join(", "));
        let mut files: Vec<&Path> = hits.iter().map(|h| h.file.as_path()).collect();
        files.dedup();
        for file in files.into_iter().take(LISTED) {
            draft = draft.path(file);
        }
    }
}

fn place(workspaces: &[PathBuf], folder: &Path, file: &Path) -> &'static str {
    if !workspaces.iter().any(|w| w == folder) || file.starts_with(folder.join("skills")) {
        return "secrets.in_skills";
    }
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    if file.parent() == Some(folder) && BOOTSTRAP.contains(&name.as_str()) {
        "secrets.in_bootstrap"
    } else {
        "secrets.in_workspace"
    }
}
