//! The findings of the code scan (audit spec 1.11, 2).

use oc_types::Severity;

use crate::facts::{EntryProblem, FolderKind, ManifestFact, ScannedFolder};
use crate::{AuditContext, Findings};

/// Most hits that one finding lists.
const MAX_LISTED: usize = 10;

/// Adds the findings about plugins, then those about skills.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let Some(deep) = &ctx.facts.deep else { return };
    for kind in [FolderKind::Plugin, FolderKind::Skill] {
        for folder in deep.folders.iter().filter(|f| f.kind == kind) {
            judge(ctx, folder, out);
        }
    }
}

fn judge(ctx: &AuditContext<'_>, folder: &ScannedFolder, out: &mut Findings) {
    let (what, clean, failed) = match folder.kind {
        FolderKind::Plugin => ("Plugin", "plugins.code_safety", "plugins.code_safety.scan_failed"),
        FolderKind::Skill => ("Skill", "skills.code_safety", "skills.code_safety.scan_failed"),
    };
    let name = format!("{what} `{}` in {}", folder.name, folder.path.display());
    entries(ctx, folder, &name, out);
    if let Some(why) = &folder.failed {
        out.report(failed, Severity::Warn)
            .detail(format!("{name} was not scanned to the end: {why}"))
            .path(&folder.path);
    }
    let Some(worst) = folder.hits.iter().map(|h| h.severity).max() else { return };
    let hits: Vec<_> = folder.hits.iter().filter(|h| h.severity == worst).collect();
    let mut lines: Vec<String> = hits
        .iter()
        .take(MAX_LISTED)
        .map(|h| format!("[{}] {} ({}:{})", h.rule, h.message, h.file.display(), h.line))
        .collect();
    if hits.len() > MAX_LISTED {
        lines.push(format!("and {} more", hits.len() - MAX_LISTED));
    }
    let mut draft = out.report(clean, worst).detail(format!("{name}:\n{}", lines.join("\n")));
    let mut files: Vec<_> = hits.iter().map(|h| &h.file).collect();
    files.dedup();
    for file in files.into_iter().take(MAX_LISTED) {
        draft = draft.path(folder.path.join(file));
    }
}

fn entries(ctx: &AuditContext<'_>, folder: &ScannedFolder, name: &str, out: &mut Findings) {
    let package = folder.path.join("package.json");
    let problems = match &folder.manifest {
        ManifestFact::None => return,
        ManifestFact::Unusable(why) => {
            // The 2026.2 rules took such a plugin for one without entries.
            if ctx.latest() {
                out.report("plugins.code_safety.manifest_parse_error", Severity::Warn)
                    .detail(format!("{name}: package.json: {why}; its entries could not be checked"))
                    .path(package);
            }
            return;
        }
        ManifestFact::Read(problems) => problems,
    };
    let mut escapes = Vec::new();
    for problem in problems {
        match problem {
            EntryProblem::Hidden(entry) => {
                out.report("plugins.code_safety.entry_path", Severity::Warn)
                    .detail(format!("{name}: entry `{entry}` lies in a hidden or node_modules folder"))
                    .path(&package);
            }
            EntryProblem::Escapes(entry) => escapes.push(format!("`{entry}`")),
        }
    }
    if !escapes.is_empty() {
        out.report("plugins.code_safety.entry_escape", Severity::Critical)
            .detail(format!("{name}: entries lead out of the plugin's folder: {}", escapes.join(", ")))
            .path(package);
    }
}
