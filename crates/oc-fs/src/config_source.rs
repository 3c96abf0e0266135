//! Configuration text from the disk: `oc_config`'s [`Source`].
//!
//! Whether a file is a plain file is asked of the open descriptor, never of the path; FIFOs and devices are opened without waiting;
//! reading stops at the size limit whatever the file claims. Includes are resolved beneath the configuration's directory (SP-051).

use std::path::{Path, PathBuf};

use oc_config::source::{MAX_FILE_BYTES, ReadFailure, Role, Source, SourceFile};

use crate::bounded_read;
use crate::root::{Refused, Root};

#[cfg(test)]
mod tests;

/// The real disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskSource;

impl Source for DiskSource {
    fn read(&self, path: &Path, role: Role<'_>) -> Result<SourceFile, ReadFailure> {
        let bytes = match role {
            Role::Root | Role::EraInclude | Role::DotEnv => follow(path)?,
            Role::ConfinedInclude { root } => beneath(root, path)?,
        };
        Ok(SourceFile { path: path.to_path_buf(), bytes })
    }

    fn exists(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok()
    }
}

/// Reads a file that the operator named; links are followed.
fn follow(path: &Path) -> Result<Vec<u8>, ReadFailure> {
    bounded_read::bytes(path, MAX_FILE_BYTES).map_err(|e| match e {
        bounded_read::ReadFailure::Missing if is_link(path) => {
            refused(path, "it is a link to a file that does not exist; restore that file or remove the link")
        }
        bounded_read::ReadFailure::Missing => ReadFailure::Missing(path.to_path_buf()),
        bounded_read::ReadFailure::NotRegular => refused(path, NOT_REGULAR),
        bounded_read::ReadFailure::TooLarge(_) => refused(path, &too_large()),
        bounded_read::ReadFailure::System(why) => refused(path, &system(&why)),
    })
}

/// Reads an include: below the root directory, through no link, with one name.
fn beneath(root: &Path, path: &Path) -> Result<Vec<u8>, ReadFailure> {
    let Some(relative) = relative(root, path) else {
        let why = format!("it lies outside {}; move it there", root.display());
        return Err(refused(path, &why));
    };
    let opened = Root::open(root).map_err(|e| refused(root, &system(&e.to_string())))?;
    opened.read(&relative, MAX_FILE_BYTES).map_err(|e| match e {
        Refused::Missing(_) => ReadFailure::Missing(path.to_path_buf()),
        Refused::Escapes(_) => refused(path, "the path goes through a link; put the file itself there"),
        Refused::NotRegular(_) => refused(path, NOT_REGULAR),
        Refused::HardLinked(_) => refused(path, "it has a second name (hard link); put a copy there"),
        Refused::TooLarge { .. } => refused(path, &too_large()),
        Refused::Unreadable { source, .. } => refused(path, &system(&source.to_string())),
    })
}

/// The path below the root, also when the root was reached through a link and the include names the real place.
fn relative(root: &Path, path: &Path) -> Option<PathBuf> {
    if let Ok(below) = path.strip_prefix(root) {
        return Some(below.to_path_buf());
    }
    let real = std::fs::canonicalize(root).ok()?;
    path.strip_prefix(real).ok().map(Path::to_path_buf)
}

const NOT_REGULAR: &str = "it is no regular file (a folder, FIFO, socket or device); put a plain file there";

fn too_large() -> String {
    format!("it is larger than {} MiB; keep settings only in it, or split it", MAX_FILE_BYTES >> 20)
}

fn system(why: &str) -> String {
    let why = why.split(" (os error").next().unwrap_or(why).to_lowercase();
    if why == "permission denied" {
        return "permission denied; run as its owner, or make it readable for you".to_owned();
    }
    why
}

fn is_link(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink())
}

fn refused(path: &Path, why: &str) -> ReadFailure {
    ReadFailure::Refused { path: path.to_path_buf(), why: why.to_owned() }
}
