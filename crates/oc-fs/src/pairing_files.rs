//! Who asked to be paired and who is: `<state>/<kind>/pending.json` and `paired.json`, of devices and of nodes (gateway 5, SP-007, SP-008).
//!
//! What a record means is the caller's business; here is where it lies, who may write it, and when.
//!
//! INVARIANT: a file that is there and cannot be read is an error and stays as it is. Nobody is paired meanwhile, and nobody can become so.
//! INVARIANT: one lock covers both files. `paired.json` is written first, so a reader finds a device in one of them at every moment.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::fix_record::{self, FileRecord, UndoRefused};
use crate::lock::{self, Convention, LockFailure};
use crate::{atomic, mode, owned_file};

#[cfg(test)]
mod tests;

/// Largest file, in bytes: tens of thousands of records.
const LIMIT: u64 = 8 * 1024 * 1024;

/// Whose pairing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Devices of every role.
    Devices,
    /// Nodes, by the older list that names no keys.
    Nodes,
}

impl Kind {
    /// The directory below the state directory.
    #[must_use]
    pub fn directory(self) -> &'static str {
        match self {
            Self::Devices => "devices",
            Self::Nodes => "nodes",
        }
    }
}

/// The two files of a state directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairingFiles {
    pending: PathBuf,
    paired: PathBuf,
    removed: PathBuf,
}

/// Why the files could not be used. Whoever asks is not paired then.
#[derive(Debug, Error)]
pub enum PairingFailure {
    /// One cannot be opened, or is a link, or somebody else's, or others can write it.
    #[error("the pairing list cannot be used: {0}; nobody is let in by it until it is mended")]
    Unusable(#[source] io::Error),
    /// One holds something else.
    #[error("{}: {why}; nobody is let in by it until it is mended, and it is left as it is", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, without the file's text.
        why: String,
    },
    /// The lock.
    #[error(transparent)]
    Lock(#[from] LockFailure),
    /// The new content could not be written.
    #[error(transparent)]
    Write(#[from] atomic::WriteFailure),
    /// What has to be noted first could not be noted; nothing was changed.
    #[error(transparent)]
    NotNoted(#[from] UndoRefused),
}

impl PairingFiles {
    /// The files of a state directory. Creates nothing.
    #[must_use]
    pub fn of(state_dir: &Path, kind: Kind) -> Self {
        let directory = state_dir.join(kind.directory());
        let file = |name: &str| directory.join(name);
        Self { pending: file("pending.json"), paired: file("paired.json"), removed: file("removed.json") }
    }

    /// Who asks.
    #[must_use]
    pub fn pending(&self) -> &Path {
        &self.pending
    }

    /// Who is paired.
    #[must_use]
    pub fn paired(&self) -> &Path {
        &self.paired
    }

    /// What was taken from whom (`removed.json`, a file of this product's own). A file that is not there is empty.
    ///
    /// # Errors
    /// See [`PairingFailure`].
    pub fn read_removed<C: DeserializeOwned + Default>(&self) -> Result<C, PairingFailure> {
        read(&self.removed)
    }

    /// Replaces that file. Only for the `note` of [`PairingFiles::change_noted`]: the lock is held there, and the other two are not
    /// written yet, so nobody is ever taken out without a trace.
    ///
    /// # Errors
    /// [`PairingFailure::Write`]; the old content stands.
    pub fn write_removed<C: Serialize>(&self, content: &C) -> Result<(), PairingFailure> {
        atomic::replace(&self.removed, text(&self.removed, content)?.as_bytes())?;
        Ok(())
    }

    /// Reads both: first who asks, then who is paired. A file that is not there is empty.
    ///
    /// # Errors
    /// See [`PairingFailure`].
    pub fn read<A, B>(&self) -> Result<(A, B), PairingFailure>
    where
        A: DeserializeOwned + Default,
        B: DeserializeOwned + Default,
    {
        Ok((read(&self.pending)?, read(&self.paired)?))
    }

    /// Changes both under their lock, in the content of this moment. `check` may refuse what was read, naming what is wrong with it.
    /// A file whose content stays the same is not written.
    ///
    /// # Errors
    /// See [`PairingFailure`]. Only after [`PairingFailure::Write`] may `paired.json` be new already.
    pub fn change<A, B, T>(
        &self,
        check: impl FnOnce(&A, &B) -> Result<(), PairingFailure>,
        step: impl FnOnce(&mut A, &mut B) -> T,
    ) -> Result<T, PairingFailure>
    where
        A: DeserializeOwned + Serialize + Default + Clone + PartialEq,
        B: DeserializeOwned + Serialize + Default + Clone + PartialEq,
    {
        self.change_noted(check, step, |_| Ok(()))
    }

    /// [`PairingFiles::change`] that hands over the texts of what will be replaced before anything is; when `note` fails, nothing is. A
    /// file that is not there yet has no text to hand over.
    ///
    /// # Errors
    /// As [`PairingFiles::change`], or `note`'s.
    pub fn change_noted<A, B, T>(
        &self,
        check: impl FnOnce(&A, &B) -> Result<(), PairingFailure>,
        step: impl FnOnce(&mut A, &mut B) -> T,
        note: impl FnOnce(&[FileRecord]) -> Result<(), PairingFailure>,
    ) -> Result<T, PairingFailure>
    where
        A: DeserializeOwned + Serialize + Default + Clone + PartialEq,
        B: DeserializeOwned + Serialize + Default + Clone + PartialEq,
    {
        if let Some(directory) = self.paired.parent() {
            owner_only_directory(directory).map_err(PairingFailure::Unusable)?;
        }
        let _lock = lock::acquire(&self.paired, Convention::Upstream, lock::WAIT)?;
        atomic::sweep(&self.paired);
        atomic::sweep(&self.pending);
        atomic::sweep(&self.removed);
        let (mut pending, mut paired): (A, B) = self.read()?;
        check(&pending, &paired)?;
        let before = (pending.clone(), paired.clone());
        let out = step(&mut pending, &mut paired);
        let mut due = Vec::new();
        if paired != before.1 {
            due.push((&self.paired, text(&self.paired, &paired)?));
        }
        if pending != before.0 {
            due.push((&self.pending, text(&self.pending, &pending)?));
        }
        let mut records = Vec::new();
        for (path, after) in &due {
            let now = owned_file::read(path, LIMIT).map_err(PairingFailure::Unusable)?;
            if let Some(before) = now.and_then(|b| String::from_utf8(b).ok()) {
                let after_sha256 = fix_record::sha256(after.as_bytes());
                records.push(FileRecord { path: path.to_path_buf(), before, after_sha256 });
            }
        }
        note(&records)?;
        for (path, after) in &due {
            atomic::replace(path, after.as_bytes())?;
        }
        Ok(out)
    }
}

fn read<T: DeserializeOwned + Default>(path: &Path) -> Result<T, PairingFailure> {
    let bytes = owned_file::read(path, LIMIT).map_err(PairingFailure::Unusable)?;
    let Some(bytes) = bytes else { return Ok(T::default()) };
    // The words of the parser may quote the text; its place is enough.
    serde_json::from_slice(&bytes).map_err(|e| PairingFailure::Damaged {
        path: path.to_owned(),
        why: format!("line {}, column {} is not what belongs there", e.line(), e.column()),
    })
}

fn text<T: Serialize>(path: &Path, content: &T) -> Result<String, PairingFailure> {
    serde_json::to_string_pretty(content).map_err(|e| PairingFailure::Damaged {
        path: path.to_owned(),
        why: format!("the new content cannot be written: {e}"),
    })
}

/// Makes the directory, or closes it for others. A link, or another user's directory, is refused.
fn owner_only_directory(path: &Path) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags};
    mode::create_directories(path)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty());
    let directory = File::from(opened.map_err(|e| match e {
        rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR => {
            mode::refused(path, "it is a link; use the real directory")
        }
        other => other.into(),
    })?);
    let meta = directory.metadata()?;
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(mode::refused(path, "it belongs to another user"));
    }
    if meta.mode() & 0o077 != 0 {
        directory.set_permissions(Permissions::from_mode(mode::DIRECTORY))?;
    }
    Ok(())
}
