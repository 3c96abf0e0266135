//! Carries a fix plan out: configuration first, then modes; records everything so that it can be undone.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use oc_audit::fix::{self, ConfigChange, FixPlan, ModeChange, ModeTarget};
use oc_audit::text_block::{Block, short_home};
use oc_audit::{AuditContext, RuleSet};
use oc_config::Locations;
use oc_config::edit::{self, Change, EditedFile};
use oc_config::load::Loaded;
use oc_config::view::redacted_text;
use oc_fs::config_store;
use oc_fs::fix_record::{self, FileRecord, FixRecord, ModeRecord};
use oc_fs::lock::{self, Convention};
use oc_fs::narrow::{self, Outcome};
use oc_fs::{atomic, backup, bounded_read};
use oc_text::diff::{Shown, unified};
use serde_json::{Value, json};

use super::audit::reading;
use super::collect;
use crate::app::App;

/// How long to wait for another writer of the configuration.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest configuration file, in bytes.
const MAX_CONFIG: u64 = oc_config::source::MAX_FILE_BYTES;

/// What was done, or would be.
#[derive(Debug, Default)]
pub(super) struct FixReport {
    pub(super) config_written: bool,
    dry_run: bool,
    changes: Vec<String>,
    diff: String,
    actions: Vec<(ModeChange, Outcome)>,
    errors: Vec<String>,
}

/// Plans and carries out, or only plans.
///
/// # Errors
/// When the record for undoing cannot be written: then nothing is changed.
pub(super) fn run(app: &App, loaded: &Loaded, rules: RuleSet, dry_run: bool) -> Result<FixReport> {
    let facts = oc_fs::facts::collect_with(&loaded.tree, collect::start(app, loaded), rules, fix::wants);
    let plan = fix::plan(&AuditContext::new(&loaded.tree, &facts, rules));
    let mut report = FixReport { dry_run, ..FixReport::default() };
    let files = edits(loaded, rules, &plan, &mut report);
    report.diff = files.iter().map(diff).collect();
    if dry_run {
        report.actions = plan.modes.iter().map(|c| (c.clone(), narrow::look(c))).collect();
        return Ok(report);
    }
    let mut record = expected(&files, &plan, facts.now_ms);
    let state_dir = &loaded.locations.state_dir;
    if record.files.is_empty() && record.modes.is_empty() {
        report.actions = plan.modes.iter().map(|c| (c.clone(), narrow::apply(c))).collect();
        return Ok(report);
    }
    fix_record::write(state_dir, &record)
        .context("the fix could not be recorded for undoing; nothing was changed")?;
    record.files.retain(|f| match files.iter().find(|e| e.path == f.path).map(write) {
        Some(Ok(())) => true,
        Some(Err(e)) => {
            report.errors.push(format!("{}: {e:#}", f.path.display()));
            false
        }
        None => false,
    });
    report.config_written = !record.files.is_empty();
    for file in files.iter().filter(|e| record.files.iter().any(|f| f.path == e.path)) {
        let logged = config_store::record_replaced(
            state_dir,
            &file.path,
            &file.before,
            &file.after,
            "openclaw security audit --fix",
        );
        if let Err(e) = logged {
            report.errors.push(format!("the change log has no record of this: {e}"));
        }
    }
    if !report.config_written {
        report.changes.clear();
    }
    for change in &plan.modes {
        let outcome = narrow::apply(change);
        if let Outcome::Failed(why) = &outcome {
            report.errors.push(format!("{}: {why}", change.path.display()));
        }
        report.actions.push((change.clone(), outcome));
    }
    record.modes.retain(|m| narrow::present(&m.path) == Some(m.after));
    fix_record::write(state_dir, &record)?;
    Ok(report)
}

/// The edited files. A change that cannot be made is an error of its own and does not keep the others back.
fn edits(loaded: &Loaded, rules: RuleSet, plan: &FixPlan, report: &mut FixReport) -> Vec<EditedFile> {
    let mut accepted: Vec<Change> = Vec::new();
    let mut files = Vec::new();
    for change in &plan.config {
        let ConfigChange { path, value, note } = change;
        accepted.push(Change::Set { path: path.clone(), value: value.clone() });
        match edit::plan(&loaded.locations.config, &loaded.files, reading(rules), &accepted) {
            Ok(edited) => {
                files = edited.files;
                report.changes.push(note.clone());
            }
            Err(e) => {
                accepted.pop();
                report.errors.push(e.to_string());
            }
        }
    }
    files
}

/// The record as it will be when everything succeeds.
fn expected(files: &[EditedFile], plan: &FixPlan, at: u64) -> FixRecord {
    let mut record = FixRecord { at, ..FixRecord::default() };
    for file in files {
        let after_sha256 = fix_record::sha256(file.after.as_bytes());
        record.files.push(FileRecord { path: file.path.clone(), before: file.before.clone(), after_sha256 });
        // A rewritten file is owner-only whatever it was.
        if let Some(before) = narrow::present(&file.path).filter(|b| *b != oc_fs::mode::FILE) {
            record.modes.push(ModeRecord { path: file.path.clone(), before, after: oc_fs::mode::FILE });
        }
    }
    for change in &plan.modes {
        if record.files.iter().any(|f| f.path == change.path) {
            continue;
        }
        if let Outcome::Changed { before, after } = narrow::look(change) {
            record.modes.push(ModeRecord { path: change.path.clone(), before, after });
        }
    }
    record
}

/// Replaces one file: under its lock, only if it still holds what was read, with a backup.
fn write(file: &EditedFile) -> Result<()> {
    let _lock = lock::acquire(&file.path, Convention::Own, PATIENCE)?;
    let now = bounded_read::bytes(&file.path, MAX_CONFIG)?;
    anyhow::ensure!(
        now == file.before.as_bytes(),
        "it was changed by somebody else just now; run the fix again"
    );
    backup::rotate(&file.path).context("no backup could be made")?;
    if std::fs::symlink_metadata(&file.path).is_ok_and(|m| m.is_symlink()) {
        // The link is replaced by a file; what it led to stays as it is, and a copy is kept beside.
        atomic::replace(&backup::name(&file.path, 0), &now)?;
    }
    atomic::replace(&file.path, file.after.as_bytes())?;
    Ok(())
}

/// The difference of a file, credentials hidden.
pub(super) fn diff(file: &EditedFile) -> String {
    let shown = |text: &str| redacted_text(&file.path, text, file.format).unwrap_or_default();
    let (old, new) = (shown(&file.before), shown(&file.after));
    let old = Shown { text: &file.before, shown: &old };
    let new = Shown { text: &file.after, shown: &new };
    unified(&file.path.display().to_string(), old, new)
}

impl FixReport {
    /// What went wrong.
    pub(super) fn errors(&self) -> &[String] {
        &self.errors
    }

    /// The fix object.
    pub(super) fn json(&self, places: &Locations) -> Value {
        let actions: Vec<Value> = self.actions.iter().map(|(c, o)| action(c, o)).collect();
        let mut out = json!({
            "ok": self.errors.is_empty(),
            "stateDir": places.state_dir.to_string_lossy(),
            "configPath": places.config.to_string_lossy(),
            "configWritten": self.config_written,
            "changes": self.changes,
            "actions": actions,
            "errors": self.errors,
        });
        if self.dry_run
            && let Value::Object(members) = &mut out
        {
            members.insert("dryRun".to_owned(), true.into());
            members.insert("diff".to_owned(), self.diff.clone().into());
        }
        out
    }

    /// The block between heading and findings.
    pub(super) fn text(&self, places: &Locations, colour: bool) -> String {
        let mut out = Block::new(colour);
        out.blank();
        out.bold(if self.dry_run { "FIX (dry run, nothing was changed)" } else { "FIX" });
        let short =
            |path: &Path| short_home(&oc_text::visible(&path.display().to_string(), 1_000), &places.home);
        let mut quiet = true;
        for change in &self.changes {
            quiet = false;
            out.indented(if self.dry_run { "would set " } else { "set " }, &oc_text::visible(change, 1_000));
        }
        for (change, outcome) in &self.actions {
            let path = short(&change.path);
            match outcome {
                Outcome::Changed { before, after } => {
                    quiet = false;
                    let verb = if self.dry_run { "would chmod" } else { "chmod" };
                    out.indented("", &format!("{verb} {after:04o} {path} (was {before:04o})"));
                }
                Outcome::Skipped(fix::Skip::Already | fix::Skip::Missing) => {}
                Outcome::Skipped(skip) => {
                    quiet = false;
                    out.indented("", &format!("left alone {path}: {}", skip.as_str()));
                }
                Outcome::Failed(why) => {
                    quiet = false;
                    out.indented("", &format!("failed {path}: {why}"));
                }
            }
        }
        for error in &self.errors {
            quiet = false;
            out.indented("error: ", &oc_text::visible(error, 1_000));
        }
        if quiet {
            out.indented("", "nothing to change");
        }
        let mut text = out.finish();
        if self.dry_run && !self.diff.is_empty() {
            text.push('\n');
            text.push_str(&self.diff);
        } else if !self.dry_run && !quiet {
            text.push_str("  `openclaw security undo` puts it back.\n");
        }
        text
    }
}

fn action(change: &ModeChange, outcome: &Outcome) -> Value {
    let mode = match (outcome, change.target) {
        (Outcome::Changed { after, .. }, _) => *after,
        (_, ModeTarget::Exact(bits) | ModeTarget::AtMost(bits)) => bits,
    };
    let mut out = json!({ "kind": "chmod", "path": change.path.to_string_lossy(), "mode": mode });
    let (ok, more) = match outcome {
        Outcome::Changed { .. } => (true, None),
        Outcome::Skipped(skip) => (false, Some(("skipped", skip.as_str().to_owned()))),
        Outcome::Failed(why) => (false, Some(("error", why.clone()))),
    };
    if let Value::Object(members) = &mut out {
        members.insert("ok".to_owned(), ok.into());
        if let Some((name, text)) = more {
            members.insert(name.to_owned(), text.into());
        }
    }
    out
}
