//! Programs that run without a person, and the file that says so (audit spec 2; SP-291).

use std::path::PathBuf;

use oc_approval::approvals_file::ApprovalsFile;
use oc_approval::program_name::{base_name, is_broad, is_interpreter};
use oc_types::{KeyPath, Node, Severity};

use super::reach::Scope;
use crate::facts::TextFact;
use crate::{AuditContext, Findings, KeyRef, Wanted};

/// Folders in which package managers put programs that their users may replace.
const PACKAGE_BINS: [&str; 4] =
    ["/usr/local/bin", "/opt/homebrew/bin", "/opt/local/bin", "/home/linuxbrew/.linuxbrew/bin"];
/// Folders that everybody may write to, and homes.
const LOOSE: [&str; 5] = ["/tmp", "/var/tmp", "/private/tmp", "/home", "/Users"];

/// The approvals file.
pub(super) fn path(ctx: &AuditContext<'_>) -> PathBuf {
    ctx.facts.places.state_dir.join("exec-approvals.json")
}

/// The approvals file as read: `None` when there is none, an error when it is unusable (then host commands are refused).
pub(super) fn file(ctx: &AuditContext<'_>) -> Option<Result<ApprovalsFile, String>> {
    match ctx.facts.text(&path(ctx)) {
        TextFact::Missing => None,
        TextFact::Unusable(why) => Some(Err(why.clone())),
        TextFact::Text(text) => Some(ApprovalsFile::parse(text).map_err(|e| e.to_string())),
    }
}

pub(super) fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    wanted.stat(path(ctx));
    wanted.text(path(ctx), Wanted::SMALL_FILE);
}

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    lists(ctx, out);
    trusted_dirs(ctx, out);
    approvals(ctx, out);
}

/// The values of `tools.exec.<key>` where they are written.
fn written<'a>(ctx: &AuditContext<'a>, key: &str) -> Vec<(Scope<'a>, &'a Node, KeyPath)> {
    let mut out = Vec::new();
    for scope in Scope::all(ctx) {
        let found = match scope.agent {
            None => scope.general(&["tools", "exec", key]),
            Some(_) => scope.own(&["tools", "exec", key]),
        };
        if let Some((node, path)) = found {
            out.push((scope, node, path));
        }
    }
    out
}

fn lists(ctx: &AuditContext<'_>, out: &mut Findings) {
    let (mut bare, mut broad) = (Vec::new(), Vec::new());
    for (scope, node, path) in written(ctx, "safeBins") {
        let profiles = |name: &str| {
            let has = |found: Option<(&Node, KeyPath)>| found.is_some_and(|(n, _)| n.get(name).is_some());
            has(scope.own(&["tools", "exec", "safeBinProfiles"]))
                || has(scope.general(&["tools", "exec", "safeBinProfiles"]))
        };
        for (i, text) in node.as_array().unwrap_or_default().iter().enumerate() {
            let name = base_name(text.as_str().unwrap_or_default());
            if is_interpreter(&name) && !profiles(&name) {
                bare.push((name.clone(), path.index(i)));
            }
            if is_broad(&name) {
                broad.push((name, path.index(i)));
            }
        }
    }
    report(
        ctx,
        out,
        "tools.exec.safe_bins_interpreter_unprofiled",
        &bare,
        "Programs that run whatever they are given, without a profile to limit them",
    );
    report(
        ctx,
        out,
        "tools.exec.safe_bins_broad_behavior",
        &broad,
        "Programs that do more than their names say, whatever a profile allows",
    );
}

/// One finding for all entries.
fn report(ctx: &AuditContext<'_>, out: &mut Findings, id: &str, hits: &[(String, KeyPath)], why: &str) {
    if !hits.is_empty() {
        let names: Vec<String> = hits.iter().map(|(name, path)| format!("{name} (`{path}`)")).collect();
        out.report(id, Severity::Warn)
            .detail(format!("{why}: {}", names.join(", ")))
            .keys(hits.iter().map(|(_, p)| ctx.key_at(p)));
    }
}

fn trusted_dirs(ctx: &AuditContext<'_>, out: &mut Findings) {
    let mut hits = Vec::new();
    for (_, node, path) in written(ctx, "safeBinTrustedDirs") {
        for (i, text) in node.as_array().unwrap_or_default().iter().enumerate() {
            let dir = text.as_str().unwrap_or_default().trim();
            if !dir.is_empty() && is_risky(dir) {
                hits.push((dir.to_owned(), path.index(i)));
            }
        }
    }
    report(
        ctx,
        out,
        "tools.exec.safe_bin_trusted_dirs_risky",
        &hits,
        "Folders in which somebody else may put programs",
    );
}

fn is_risky(dir: &str) -> bool {
    let dir = match dir.trim_end_matches('/') {
        "" => "/",
        dir => dir,
    };
    let below =
        |root: &str| dir.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    !dir.starts_with('/')
        || PACKAGE_BINS.contains(&dir)
        || LOOSE.into_iter().any(below)
        || dir.contains("/.local/bin")
}

fn approvals(ctx: &AuditContext<'_>, out: &mut Findings) {
    let path = path(ctx);
    let file = match file(ctx) {
        Some(Ok(file)) => file,
        Some(Err(_)) | None => return,
    };
    let mut levels = vec![("defaults".to_owned(), &file.defaults)];
    levels.extend(file.agents.iter().map(|(id, s)| (format!("agents.{id}"), s)));
    let auto: Vec<String> = levels
        .iter()
        .filter(|(_, s)| s.auto_allow_skills == Some(true))
        .map(|(name, _)| format!("`{name}.autoAllowSkills`"))
        .collect();
    if !auto.is_empty() {
        out.report("tools.exec.auto_allow_skills_enabled", Severity::Warn)
            .detail(format!(
                "{}: {} is true: programs that a skill names run without a person",
                path.display(),
                auto.join(", ")
            ))
            .path(&path);
    }
    let mut interpreters = Vec::new();
    for (name, settings) in &levels {
        // Entries bound to certain arguments run only what a person has seen.
        for entry in settings.allowlist.iter().filter(|e| e.arguments.is_none() && is_interpreter(&e.pattern))
        {
            interpreters.push(format!("`{name}.allowlist` {}", entry.pattern));
        }
    }
    let strict: Vec<KeyRef> = loose_eval(ctx);
    if !interpreters.is_empty() && !strict.is_empty() {
        out.report("tools.exec.allowlist_interpreter_without_strict_inline_eval", Severity::Warn)
            .detail(format!(
                "{}: {}; `tools.exec.strictInlineEval` is not true, so code given on the command line runs too",
                path.display(),
                interpreters.join(", ")
            ))
            .keys(strict)
            .path(&path);
    }
}

/// The keys that would have to be true for inline code to be asked about, where they are not.
fn loose_eval(ctx: &AuditContext<'_>) -> Vec<KeyRef> {
    let strict = |s: &Scope<'_>| s.exec("strictInlineEval").and_then(|(n, _)| n.as_bool()) == Some(true);
    Scope::all(ctx)
        .iter()
        .filter(|s| !strict(s))
        .map(|s| {
            s.exec("strictInlineEval")
                .map_or_else(|| KeyPath::dotted("tools.exec.strictInlineEval"), |(_, p)| p)
        })
        .map(|p| ctx.key_at(&p))
        .take(1)
        .collect()
}
