//! The one way a configuration is written: lock, read again, plan, validate the whole, back up, replace, record.
//!
//! A failure at any point before the replacement leaves every byte as it was (SP-063). The main file is replaced last, so a reader that
//! sees it new sees its includes new as well.

use std::path::{Path, PathBuf};

use oc_config::change_log::{self, Access, Entry, MAX_CHANGES, Record};
use oc_config::document::{self, Frame};
use oc_config::edit::{Change, EditRefused, EditedFile, Plan, plan};
use oc_config::source::{ReadFailure, Role, Source, SourceFile};
use oc_config::write::{Objection, objections};
use oc_config::{Format, Issue, LoadRequest, Loaded, load};
use ring::digest;
use thiserror::Error;

use crate::config_source::DiskSource;
use crate::lock::{self, Convention};
use crate::{atomic, backup, mode};

#[cfg(test)]
mod tests;

/// Whether objections (SP-071) hold a write back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// They do.
    No,
    /// The operator insists.
    Yes,
}

/// Who writes, and how.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// The command or client, for the change log.
    pub name: &'a str,
    /// Whether objections are overruled.
    pub force: Force,
    /// The SHA-256 (hex) of the main file's text that the writer saw; another one means a concurrent edit.
    pub expected: Option<&'a str>,
}

/// What a write would do, or did.
#[derive(Clone, Debug)]
pub struct Edited {
    /// The configuration before.
    pub before: Loaded,
    /// The configuration as it loads with the change.
    pub after: Loaded,
    /// The files that change.
    pub plan: Plan,
    /// The keys that change, access-widening ones first.
    pub changes: Vec<Entry>,
    /// What was overruled with [`Force::Yes`].
    pub objections: Vec<Objection>,
    /// Why the change log has no record of it, when writing that failed.
    pub unrecorded: Option<String>,
}

/// Why nothing was written.
#[derive(Debug, Error)]
pub enum WriteRefused {
    /// The change itself is impossible.
    #[error(transparent)]
    Edit(#[from] EditRefused),
    /// The configuration would be invalid afterwards.
    #[error("the configuration would be invalid: {}", list(.0))]
    Invalid(Vec<Issue>),
    /// Too much would go (SP-071).
    #[error("{}; use --force if you mean it", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Held(Vec<Objection>),
    /// Somebody else wrote in between.
    #[error("{} was changed by somebody else meanwhile; look at it and try again", .0.display())]
    Changed(PathBuf),
    /// An include that is a link or has a second name is not written through.
    #[error("{} is a link or has a second name; change it by hand", .0.display())]
    Linked(PathBuf),
    /// The directory or the backup could not be made.
    #[error("{}: {source}", path.display())]
    System {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The lock could not be taken.
    #[error(transparent)]
    Lock(#[from] lock::LockFailure),
    /// The replacement failed; what had been replaced before it was put back.
    #[error(transparent)]
    Write(#[from] atomic::WriteFailure),
}

fn list(issues: &[Issue]) -> String {
    issues.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// SHA-256 of a text, in hex: what concurrent edits are detected by (audit spec 4.8).
#[must_use]
pub fn hash(text: &str) -> String {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

/// What a change would do. Nothing is written, no lock taken.
///
/// # Errors
/// See [`WriteRefused`]; objections are no error here.
pub fn preview(request: &LoadRequest, changes: &[Change]) -> Result<Edited, WriteRefused> {
    prepare(request, changes)
}

/// Changes the configuration.
///
/// # Errors
/// See [`WriteRefused`]. Nothing was written then.
pub fn edit(request: &LoadRequest, changes: &[Change], writer: Writer<'_>) -> Result<Edited, WriteRefused> {
    edit_with(request, changes, writer, &|_| Ok(()))
}

/// [`edit`] with a hook before every step of every replacement, for tests of what a failure leaves.
///
/// # Errors
/// See [`WriteRefused`].
pub fn edit_with(
    request: &LoadRequest,
    changes: &[Change],
    writer: Writer<'_>,
    hook: atomic::Hook<'_>,
) -> Result<Edited, WriteRefused> {
    let config = load(request, &DiskSource).locations.config;
    let system = |path: &Path| {
        let path = path.to_owned();
        move |source| WriteRefused::System { path, source }
    };
    let directory = config.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    mode::create_directories(directory).map_err(system(directory))?;
    let _lock = lock::acquire(&config, Convention::Own, lock::WAIT)?;
    // Read under the lock: what was read before it may be old.
    let mut edited = prepare(request, changes)?;
    if let Some(expected) = writer.expected
        && expected != hash(main_text(&edited.before))
    {
        return Err(WriteRefused::Changed(config));
    }
    if edited.plan.is_empty() {
        return Ok(edited);
    }
    if writer.force == Force::No && !edited.objections.is_empty() {
        return Err(WriteRefused::Held(edited.objections));
    }
    for file in &edited.plan.files {
        let included = file.path != config;
        if included && is_linked(&file.path) {
            return Err(WriteRefused::Linked(file.path.clone()));
        }
        atomic::sweep(&file.path);
        // Editors take no lock of ours.
        if !unchanged(file) {
            return Err(WriteRefused::Changed(file.path.clone()));
        }
        // A link is replaced by a file; its target stays as it is, and what stood behind it is kept here as well.
        let kept = if std::fs::symlink_metadata(&file.path).is_ok_and(|m| m.is_symlink()) {
            backup::keep(&file.path, file.before.as_bytes())
        } else {
            backup::rotate(&file.path)
        };
        kept.map_err(system(&file.path))?;
    }
    replace_all(&edited.plan.files, hook)?;
    edited.unrecorded = record(&edited, writer).err().map(|e| e.to_string());
    Ok(edited)
}

fn prepare(request: &LoadRequest, changes: &[Change]) -> Result<Edited, WriteRefused> {
    let before = load(request, &DiskSource);
    // A main file that exists and cannot be read is no empty file.
    if before.exists && before.files.is_empty() {
        return Err(WriteRefused::Invalid(before.issues));
    }
    let plan = plan(&before.locations.config, &before.files, request.reading, changes)?;
    let after = load(request, &Pending { files: &plan.files });
    if !plan.is_empty() && !after.issues.is_empty() {
        return Err(WriteRefused::Invalid(after.issues));
    }
    let changes = change_log::entries(&plan.before, &plan.after);
    let main = plan.files.iter().find(|f| f.path == before.locations.config);
    let objections = match main {
        Some(f) => objections((&f.before, &plan.before), (&f.after, &plan.after)),
        None => objections(("", &plan.before), ("", &plan.after)),
    };
    Ok(Edited { before, after, plan, changes, objections, unrecorded: None })
}

fn main_text(loaded: &Loaded) -> &str {
    loaded.files.first().map_or("", |f| f.text.as_str())
}

fn is_linked(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::symlink_metadata(path).is_ok_and(|m| !m.is_file() || m.nlink() > 1)
}

fn unchanged(file: &EditedFile) -> bool {
    match DiskSource.read(&file.path, Role::Root) {
        Ok(now) => now.bytes == file.before.as_bytes(),
        Err(ReadFailure::Missing(_)) => file.before.is_empty(),
        Err(ReadFailure::Refused { .. }) => false,
    }
}

/// Replaces the files in order. When one fails, those before it get their old text back.
fn replace_all(files: &[EditedFile], hook: atomic::Hook<'_>) -> Result<(), WriteRefused> {
    let mut done: Vec<&EditedFile> = Vec::new();
    for file in files {
        if let Err(failure) = atomic::replace_with(&file.path, file.after.as_bytes(), hook) {
            for earlier in done {
                // The failure that matters is reported; the backup still has the old text if this fails, too.
                let _ = atomic::replace(&earlier.path, earlier.before.as_bytes());
            }
            return Err(failure.into());
        }
        done.push(file);
    }
    Ok(())
}

fn record(edited: &Edited, writer: Writer<'_>) -> std::io::Result<()> {
    let Some(file) = edited.plan.files.last() else { return Ok(()) };
    let forced = !edited.objections.is_empty();
    append(&edited.before.locations.state_dir, file, &edited.changes, writer.name, forced)
}

/// Records the replacement of one configuration file by other means than [`edit`] (a fix, its undoing, a first configuration), so that
/// every write is in the change log (SP-071). Key paths are those of the file itself.
///
/// # Errors
/// When the change log cannot be written.
pub fn record_replaced(
    state_dir: &Path,
    path: &Path,
    before: &str,
    after: &str,
    writer: &str,
) -> std::io::Result<()> {
    let format = Format::of(path);
    let tree = |text: &str| {
        let frame = Frame::root(path.to_string_lossy().as_ref());
        let parsed = document::parse(&frame, text.as_bytes(), format);
        parsed.map_or_else(|_| serde_json::json!({}), |d| d.node.to_json())
    };
    let changes = change_log::entries(&tree(before), &tree(after));
    let file =
        EditedFile { path: path.to_owned(), format, before: before.to_owned(), after: after.to_owned() };
    append(state_dir, &file, &changes, writer, false)
}

fn append(
    state: &Path,
    file: &EditedFile,
    changes: &[Entry],
    writer: &str,
    forced: bool,
) -> std::io::Result<()> {
    let before = if file.before.is_empty() { String::new() } else { hash(&file.before) };
    let name = file.path.to_string_lossy().into_owned();
    let time = format!("{:.3}", jiff::Timestamp::now());
    let mut records = Vec::new();
    let last = crate::change_log::read(state)?.records.into_iter().rev().find(|r| r.file == name);
    if last.is_some_and(|l| l.after != before) {
        records.push(Record {
            time: time.clone(),
            writer: change_log::OUTSIDE.to_owned(),
            file: name.clone(),
            before: String::new(),
            after: before.clone(),
            forced: false,
            access: Access::Review,
            changes: Vec::new(),
            more: 0,
        });
    }
    records.push(Record {
        time,
        writer: format!("{writer} (uid {})", rustix::process::getuid().as_raw()),
        file: name,
        before,
        after: hash(&file.after),
        forced,
        access: change_log::overall(changes),
        changes: changes.iter().take(MAX_CHANGES).cloned().collect(),
        more: changes.len().saturating_sub(MAX_CHANGES),
    });
    crate::change_log::append(state, &records)
}

/// The disk with the planned texts in place of the present ones.
struct Pending<'a> {
    files: &'a [EditedFile],
}

impl Source for Pending<'_> {
    fn read(&self, path: &Path, role: Role<'_>) -> Result<SourceFile, ReadFailure> {
        match self.files.iter().find(|f| f.path == path) {
            Some(f) => Ok(SourceFile { path: path.to_owned(), bytes: f.after.clone().into_bytes() }),
            None => DiskSource.read(path, role),
        }
    }

    fn exists(&self, path: &Path) -> bool {
        self.files.iter().any(|f| f.path == path) || DiskSource.exists(path)
    }
}
