//! What is kept of sessions, and for how long: entries, transcripts, archives and copies of older configurations.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{SessionStore, SessionStoreFailure, session_id, updated_at};
use crate::lock::{self, Convention};

/// What kind of thing is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An entry of the store.
    Session,
    /// A transcript.
    Transcript,
    /// A transcript that was set aside: deleted, reset or shortened.
    Archive,
    /// A copy of an older configuration or store.
    Backup,
}

/// One thing that is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Removal {
    /// What kind.
    pub kind: Kind,
    /// The session key, or the file.
    pub name: String,
    /// Its age, in milliseconds.
    pub age_ms: u64,
    /// Its size, in bytes; 0 for an entry.
    pub bytes: u64,
}

/// What was removed, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pruned {
    /// Everything, in the order of removal.
    pub removed: Vec<Removal>,
    /// What could not be removed, and why.
    pub failed: Vec<String>,
}

/// Whether something is removed, or only named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Removed.
    Remove,
    /// Named; nothing changes.
    Name,
}

/// Removes what is older than `older_than_ms` from the stores and their folders, and the copies of older files in `copies_in` (the state
/// directory). A transcript that a younger entry names stays; so does one that another process
/// writes. A store that cannot be read is reported, and nothing in its folder is touched.
#[must_use]
pub fn prune(stores: &[SessionStore], copies_in: &Path, now_ms: u64, older_than_ms: u64, act: Act) -> Pruned {
    let work = Work { now_ms, older_than_ms, act };
    let mut out = Pruned::default();
    let mut seen = BTreeSet::new();
    for store in stores {
        if !seen.insert(store.path().to_owned()) {
            continue;
        }
        if let Err(e) = work.store(store, &mut out) {
            out.failed.push(e.to_string());
        }
    }
    work.files(copies_in, &BTreeSet::new(), &|name| is_backup(name).then_some(Kind::Backup), &mut out);
    out
}

struct Work {
    now_ms: u64,
    older_than_ms: u64,
    act: Act,
}

impl Work {
    fn store(&self, store: &SessionStore, out: &mut Pruned) -> Result<(), SessionStoreFailure> {
        let before = store.read()?;
        let entries = before.iter().filter_map(|(k, v)| Some((k, v.as_object()?)));
        let (old, young): (Vec<_>, Vec<_>) = entries.partition(|(_, e)| self.is_old(updated_at(e)));
        let used: BTreeSet<PathBuf> =
            young.iter().filter_map(|(_, e)| store.transcript(e)).map(|l| l.path).collect();
        let mut gone = Vec::new();
        for (key, entry) in &old {
            let age_ms = self.now_ms.saturating_sub(updated_at(entry));
            gone.push(((*key).clone(), session_id(entry).map(str::to_owned)));
            out.removed.push(Removal { kind: Kind::Session, name: (*key).clone(), age_ms, bytes: 0 });
        }
        if self.act == Act::Remove && !gone.is_empty() {
            store.change(|all| {
                // Only what is still old: a message may have come in since.
                all.retain(|key, entry| {
                    let named = gone.iter().any(|(k, _)| k == key);
                    !(named && entry.as_object().is_some_and(|e| self.is_old(updated_at(e))))
                });
                Ok::<_, SessionStoreFailure>(())
            })?;
        }
        self.files(store.folder(), &used, &kind_of, out);
        Ok(())
    }

    fn is_old(&self, at_ms: u64) -> bool {
        self.now_ms.saturating_sub(at_ms) > self.older_than_ms
    }

    fn files(
        &self,
        folder: &Path,
        used: &BTreeSet<PathBuf>,
        kind: &dyn Fn(&str) -> Option<Kind>,
        out: &mut Pruned,
    ) {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return,
            Err(e) => return out.failed.push(format!("{}: {e}", folder.display())),
        };
        let used: BTreeSet<_> = used.iter().filter_map(|p| p.file_name()).collect();
        let mut found: Vec<(PathBuf, Kind)> = entries
            .flatten()
            .filter(|e| !used.contains(e.file_name().as_os_str()))
            .filter_map(|e| Some((e.path(), kind(&e.file_name().to_string_lossy())?)))
            .collect();
        found.sort();
        for (path, kind) in found {
            let Ok(meta) = std::fs::symlink_metadata(&path) else { continue };
            let modified = meta.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
            let Some(modified) = modified.and_then(|d| u64::try_from(d.as_millis()).ok()) else { continue };
            if !meta.is_file() || !self.is_old(modified) {
                continue;
            }
            if self.act == Act::Remove
                && let Err(why) = remove(&path, kind)
            {
                out.failed.push(format!("{}: {why}", path.display()));
                continue;
            }
            let name = path.display().to_string();
            let age_ms = self.now_ms.saturating_sub(modified);
            out.removed.push(Removal { kind, name, age_ms, bytes: meta.len() });
        }
    }
}

fn remove(path: &Path, kind: Kind) -> Result<(), String> {
    let _lock = match kind {
        Kind::Transcript => Some(
            lock::acquire(path, Convention::UpstreamTranscript, std::time::Duration::ZERO)
                .map_err(|e| e.to_string())?,
        ),
        Kind::Session | Kind::Archive | Kind::Backup => None,
    };
    std::fs::remove_file(path).map_err(|e| e.to_string())?;
    if kind == Kind::Transcript
        && let Some(name) = path.file_name()
    {
        // Its lock file is of no use any more.
        let _ = std::fs::remove_file(path.with_file_name(format!(".{}.flock", name.to_string_lossy())));
    }
    Ok(())
}

/// What a file of a sessions folder is; `None` for what stays.
fn kind_of(name: &str) -> Option<Kind> {
    if name.ends_with(".jsonl") {
        return Some(Kind::Transcript);
    }
    let archived = [".jsonl.deleted.", ".jsonl.reset.", ".jsonl.bak.", ".jsonl.bak"];
    if archived.iter().any(|w| name.contains(w)) {
        return Some(Kind::Archive);
    }
    is_backup(name).then_some(Kind::Backup)
}

/// `<name>.bak`, `<name>.bak.1` ...
fn is_backup(name: &str) -> bool {
    let numbered = name.rsplit_once(".bak.").is_some_and(|(head, n)| {
        !head.is_empty() && !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit() || b == b'-')
    });
    numbered || name.strip_suffix(".bak").is_some_and(|head| !head.is_empty())
}
