//! Carries out what the audit can mend safely: configuration first, then modes; records everything so that it can be undone.
//!
//! Command line and console share it. A [`Planned`] fix has an [`id`](Planned::id): whoever showed it to a person carries out that one or
//! nothing.

use std::path::Path;
use std::time::Duration;

use oc_audit::fix::{self, ConfigChange, FixPlan};
use oc_audit::{AuditContext, Facts, RuleSet};
use oc_config::edit::{self, Change, EditedFile};
use oc_config::load::{Loaded, Reading};
use oc_config::view::redacted_text;
use oc_text::diff::{Shown, unified};
use serde_json::json;
use thiserror::Error;

use crate::fix_record::{self, FileRecord, FixRecord, ModeRecord, UndoRefused};
use crate::lock::{self, Convention, LockFailure};
use crate::narrow::{self, Outcome};
use crate::{atomic, backup, bounded_read, config_store, mode};

mod report;

pub use report::FixReport;

/// How long to wait for another writer of the configuration.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest configuration file, in bytes.
const MAX_CONFIG: u64 = oc_config::source::MAX_FILE_BYTES;

/// Why nothing was changed.
#[derive(Debug, Error)]
#[error("the fix could not be recorded for undoing; nothing was changed: {0}")]
pub struct NotRecorded(#[from] UndoRefused);

/// Why one file was not written.
#[derive(Debug, Error)]
enum NotWritten {
    #[error(transparent)]
    Locked(#[from] LockFailure),
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] bounded_read::ReadFailure),
    #[error("it was changed by somebody else just now; run the fix again")]
    Changed,
    #[error("no backup could be made: {0}")]
    NoBackup(std::io::Error),
    #[error(transparent)]
    Write(#[from] atomic::WriteFailure),
}

/// What would be done. Nothing has been changed yet.
#[derive(Debug)]
pub struct Planned {
    plan: FixPlan,
    files: Vec<EditedFile>,
    report: FixReport,
    at: u64,
}

/// By whose rules the configuration is read for a rule set.
#[must_use]
pub fn reading(rules: RuleSet) -> Reading {
    match rules {
        RuleSet::Era => Reading::Era,
        RuleSet::Latest => Reading::Product,
    }
}

/// Plans. `start` is what is known before the disk is looked at ([`crate::facts::begin`]).
#[must_use]
pub fn plan(loaded: &Loaded, start: Facts, rules: RuleSet) -> Planned {
    let facts = crate::facts::collect_with(&loaded.tree, start, rules, fix::wants);
    let plan = fix::plan(&AuditContext::new(&loaded.tree, &facts, rules));
    let mut report = FixReport::default();
    let files = edits(loaded, rules, &plan, &mut report);
    report.diff = files.iter().map(diff).collect();
    Planned { plan, files, report, at: facts.now_ms }
}

impl Planned {
    /// Names this plan over the bytes that it replaces and writes: another configuration, or another mode on the disk, has another name.
    #[must_use]
    pub fn id(&self) -> String {
        let files: Vec<_> = self
            .files
            .iter()
            .map(|f| {
                json!([
                    f.path.to_string_lossy(),
                    fix_record::sha256(f.before.as_bytes()),
                    fix_record::sha256(f.after.as_bytes())
                ])
            })
            .collect();
        let modes: Vec<_> = self
            .plan
            .modes
            .iter()
            .map(|c| json!([c.path.to_string_lossy(), seen(&narrow::look(c))]))
            .collect();
        fix_record::sha256(json!([files, modes]).to_string().as_bytes())
    }

    /// Says what would be done.
    #[must_use]
    pub fn look(mut self) -> FixReport {
        self.report.dry_run = true;
        self.report.actions = self.plan.modes.iter().map(|c| (c.clone(), narrow::look(c))).collect();
        self.report
    }

    /// Does it. `by` stands in the change log.
    ///
    /// # Errors
    /// When the record for undoing cannot be written: then nothing is changed.
    pub fn apply(self, state_dir: &Path, by: &str) -> Result<FixReport, NotRecorded> {
        let Self { plan, files, mut report, at } = self;
        let mut record = expected(&files, &plan, at);
        if record.files.is_empty() && record.modes.is_empty() {
            report.actions = plan.modes.iter().map(|c| (c.clone(), narrow::apply(c))).collect();
            return Ok(report);
        }
        fix_record::write(state_dir, &record)?;
        record.files.retain(|f| match files.iter().find(|e| e.path == f.path).map(write) {
            Some(Ok(())) => true,
            Some(Err(e)) => {
                report.errors.push(format!("{}: {e}", f.path.display()));
                false
            }
            None => false,
        });
        report.config_written = !record.files.is_empty();
        for file in files.iter().filter(|e| record.files.iter().any(|f| f.path == e.path)) {
            let logged = config_store::record_replaced(state_dir, &file.path, &file.before, &file.after, by);
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
}

/// An outcome as part of a plan's name.
fn seen(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Changed { before, after } => format!("{before:o} to {after:o}"),
        Outcome::Skipped(skip) => skip.as_str().to_owned(),
        Outcome::Failed(why) => why.clone(),
    }
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
        if let Some(before) = narrow::present(&file.path).filter(|b| *b != mode::FILE) {
            record.modes.push(ModeRecord { path: file.path.clone(), before, after: mode::FILE });
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
fn write(file: &EditedFile) -> Result<(), NotWritten> {
    let _lock = lock::acquire(&file.path, Convention::Own, PATIENCE)?;
    let now = bounded_read::bytes(&file.path, MAX_CONFIG)?;
    if now != file.before.as_bytes() {
        return Err(NotWritten::Changed);
    }
    backup::rotate(&file.path).map_err(NotWritten::NoBackup)?;
    if std::fs::symlink_metadata(&file.path).is_ok_and(|m| m.is_symlink()) {
        // The link is replaced by a file; what it led to stays as it is, and a copy is kept beside.
        atomic::replace(&backup::name(&file.path, 0), &now)?;
    }
    atomic::replace(&file.path, file.after.as_bytes())?;
    Ok(())
}

/// The difference of a file, credentials hidden.
#[must_use]
pub fn diff(file: &EditedFile) -> String {
    let shown = |text: &str| redacted_text(&file.path, text, file.format).unwrap_or_default();
    let (old, new) = (shown(&file.before), shown(&file.after));
    let old = Shown { text: &file.before, shown: &old };
    let new = Shown { text: &file.after, shown: &new };
    unified(&file.path.display().to_string(), old, new)
}
