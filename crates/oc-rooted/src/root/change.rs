//! Removing, renaming and making directories beneath a root.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, RenameFlags, Stat};
use rustix::io::Errno;
use thiserror::Error;

use super::{DIRECTORY, HardLinks, Refused, Root, parts};

/// Why a change beneath a root was refused.
#[derive(Debug, Error)]
pub enum ChangeRefused {
    /// The path itself.
    #[error(transparent)]
    Path(#[from] Refused),
    /// There is something at the target.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The content is not what the caller saw.
    #[error("{} was changed by somebody else; read it again", .0.display())]
    Changed(PathBuf),
    /// The system refused.
    #[error("{} cannot be changed: {source}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Root {
    /// Removes a regular file.
    ///
    /// # Errors
    /// See [`ChangeRefused`].
    pub fn remove(&self, relative: &Path) -> Result<(), ChangeRefused> {
        let (directory, name) = self.parent(relative)?;
        self.look_at(&directory, Path::new(&name), relative)?;
        rustix::fs::unlinkat(&directory, &name, AtFlags::empty()).map_err(|e| self.changed(e, relative))
    }

    /// Moves a regular file; nothing may be at the target. The target's directories are made.
    ///
    /// # Errors
    /// See [`ChangeRefused`].
    pub fn rename(&self, from: &Path, to: &Path) -> Result<(), ChangeRefused> {
        let (old_directory, old) = self.parent(from)?;
        self.look_at(&old_directory, Path::new(&old), from)?;
        self.make_parents(to)?;
        let (new_directory, new) = self.parent(to)?;
        let done =
            rustix::fs::renameat_with(&old_directory, &old, &new_directory, &new, RenameFlags::NOREPLACE);
        match done {
            // A file system without it: a second name never replaces anything either.
            Err(Errno::INVAL | Errno::NOSYS) => {
                rustix::fs::linkat(&old_directory, &old, &new_directory, &new, AtFlags::empty())
                    .and_then(|()| rustix::fs::unlinkat(&old_directory, &old, AtFlags::empty()))
                    .map_err(|e| self.changed(e, to))
            }
            other => other.map_err(|e| self.changed(e, to)),
        }
    }

    /// Makes a directory and its parents. One that exists is fine.
    ///
    /// # Errors
    /// See [`ChangeRefused`].
    pub fn make_directory(&self, relative: &Path) -> Result<(), ChangeRefused> {
        let parts = parts(relative).ok_or_else(|| Refused::Escapes(self.path().join(relative)))?;
        let mut here: Option<OwnedFd> = None;
        for part in parts {
            let from = here.as_ref().unwrap_or(&self.handle);
            let open = || rustix::fs::openat(from, &part, DIRECTORY, Mode::empty());
            let opened = match open() {
                Err(Errno::NOENT) => {
                    let mode = Mode::RWXU | Mode::RWXG | Mode::RWXO;
                    match rustix::fs::mkdirat(from, &part, mode) {
                        Ok(()) | Err(Errno::EXIST) => open(),
                        Err(e) => Err(e),
                    }
                }
                other => other,
            };
            here = Some(opened.map_err(|e| self.changed(e, relative))?);
        }
        Ok(())
    }

    pub(super) fn make_parents(&self, relative: &Path) -> Result<(), ChangeRefused> {
        match relative.parent() {
            Some(parent) if parent != Path::new("") => self.make_directory(parent),
            _ => Ok(()),
        }
    }

    /// What is at a name, which has to be a regular file that may be touched.
    pub(super) fn look_at(
        &self,
        directory: &OwnedFd,
        name: &Path,
        relative: &Path,
    ) -> Result<Stat, ChangeRefused> {
        let shown = || self.path().join(relative);
        let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|e| {
            if e == Errno::NOENT { Refused::Missing(shown()).into() } else { self.changed(e, relative) }
        })?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile if stat.st_nlink > 1 && self.hard_links == HardLinks::Refused => {
                Err(Refused::HardLinked(shown()).into())
            }
            FileType::RegularFile => Ok(stat),
            FileType::Symlink => Err(Refused::Escapes(shown()).into()),
            _ => Err(Refused::NotRegular(shown()).into()),
        }
    }

    pub(super) fn changed(&self, e: Errno, relative: &Path) -> ChangeRefused {
        let path = self.path().join(relative);
        match e {
            Errno::EXIST => ChangeRefused::Exists(path),
            Errno::LOOP | Errno::XDEV | Errno::NOTDIR => Refused::Escapes(path).into(),
            Errno::ISDIR => Refused::NotRegular(path).into(),
            e => ChangeRefused::System { path, source: e.into() },
        }
    }
}
