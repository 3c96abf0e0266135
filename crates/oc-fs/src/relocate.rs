//! Move a directory to its present place.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::mode;

/// Why a directory was not moved, or not completely.
#[derive(Debug, Error)]
pub enum NotMoved {
    /// Something is there already; it is never replaced.
    #[error("{} is taken; look at both and keep one", .0.display())]
    Taken(PathBuf),
    /// The system refused.
    #[error("cannot move {} to {}: {source}", .from.display(), .to.display())]
    Refused {
        /// From where.
        from: PathBuf,
        /// To where.
        to: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// It was moved, and the link in its old place could not be made.
    #[error("moved to {}, but no link could be left at {}: {source}", .to.display(), .from.display())]
    NoLink {
        /// From where.
        from: PathBuf,
        /// To where.
        to: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Moves `from` to `to`, on one file system; missing parents of `to` are made 0700. With `leave_link` a link to the new place stays behind.
///
/// # Errors
/// See [`NotMoved`].
pub fn directory(from: &Path, to: &Path, leave_link: bool) -> Result<(), NotMoved> {
    let refused = |source| NotMoved::Refused { from: from.to_owned(), to: to.to_owned(), source };
    if to.symlink_metadata().is_ok() {
        return Err(NotMoved::Taken(to.to_owned()));
    }
    if let Some(parent) = to.parent() {
        mode::create_directories(parent).map_err(refused)?;
    }
    std::fs::rename(from, to).map_err(refused)?;
    if leave_link {
        std::os::unix::fs::symlink(to, from).map_err(|source| NotMoved::NoLink {
            from: from.to_owned(),
            to: to.to_owned(),
            source,
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_moves_once_and_never_over_another() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (dir.path().join("old"), dir.path().join("a/new"));
        std::fs::create_dir(&old).unwrap();
        std::fs::write(old.join("f"), "x").unwrap();
        directory(&old, &new, true).unwrap();
        assert_eq!(std::fs::read_to_string(new.join("f")).unwrap(), "x");
        assert!(old.symlink_metadata().unwrap().is_symlink());

        let other = dir.path().join("other");
        std::fs::create_dir(&other).unwrap();
        assert!(matches!(directory(&other, &new, false), Err(NotMoved::Taken(_))));
        assert_eq!(std::fs::read_to_string(new.join("f")).unwrap(), "x");
    }
}
