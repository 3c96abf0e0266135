//! Files of an agent's workspace, read beneath it and never through a link (SP-001, SP-003).

use std::path::Path;

use oc_rooted::root::{Refused, Root};

/// Largest file that is looked into, in bytes.
pub const LIMIT: u64 = 2 * 1024 * 1024;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Its text; bytes that are no UTF-8 are replaced.
    Text(String),
    /// There is no such file, or no workspace.
    Missing,
    /// It is there and is not read; a word that names no path.
    Refused(&'static str),
}

/// An opened workspace.
#[derive(Debug)]
pub struct Workspace(Option<Root>);

impl Workspace {
    /// Opens it. One that cannot be opened has no files.
    #[must_use]
    pub fn open(path: &Path) -> Self {
        Self(Root::open(path).ok())
    }

    /// Reads a file beneath it.
    #[must_use]
    pub fn read(&self, relative: &str) -> Found {
        let Some(root) = &self.0 else { return Found::Missing };
        match root.read(Path::new(relative), LIMIT) {
            Ok(bytes) => Found::Text(String::from_utf8_lossy(&bytes).into_owned()),
            Err(Refused::Missing(_)) => Found::Missing,
            Err(Refused::Escapes(_)) => Found::Refused("it is a link or lies elsewhere"),
            Err(Refused::NotRegular(_)) => Found::Refused("it is no file"),
            Err(Refused::HardLinked(_)) => Found::Refused("it has a second name"),
            Err(Refused::TooLarge { .. }) => Found::Refused("it is too large"),
            Err(Refused::Unreadable { .. }) => Found::Refused("it cannot be read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn sp_001_nothing_outside_of_the_workspace_is_read() {
        let tmp = tempfile::tempdir().unwrap();
        let at = tmp.path().join("workspace");
        std::fs::create_dir(&at).unwrap();
        std::fs::write(tmp.path().join("secret"), "key").unwrap();
        std::fs::write(at.join("a.md"), "text").unwrap();
        symlink(tmp.path().join("secret"), at.join("link.md")).unwrap();
        symlink(tmp.path(), at.join("up")).unwrap();
        std::fs::hard_link(tmp.path().join("secret"), at.join("hard.md")).unwrap();
        let workspace = Workspace::open(&at);
        assert_eq!(workspace.read("a.md"), Found::Text("text".to_owned()));
        assert_eq!(workspace.read("b.md"), Found::Missing);
        for name in ["link.md", "up/secret", "../secret", "hard.md"] {
            assert!(matches!(workspace.read(name), Found::Refused(_)), "{name}");
        }
        assert!(matches!(workspace.read("."), Found::Refused(_)));
        assert_eq!(Workspace::open(&at.join("none")).read("a.md"), Found::Missing);
    }
}
