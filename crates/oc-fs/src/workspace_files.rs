//! Files of an agent's workspace, read beneath it and never through a link (SP-001, SP-003); replaced whole.

use std::path::{Component, Path};
use std::time::UNIX_EPOCH;

use oc_rooted::root::{Kind, Refused, Root};
use thiserror::Error;

use crate::{atomic, mode};

/// Most names that one list of files looks at.
const NAMES: usize = 20_000;
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

/// Why a file was not replaced.
#[derive(Debug, Error)]
pub enum NotReplaced {
    /// What stands there is not replaced; a word that names no path.
    #[error("it is not replaced: {0}")]
    Refused(&'static str),
    /// Writing.
    #[error(transparent)]
    Write(#[from] atomic::WriteFailure),
    /// The folder.
    #[error("the workspace cannot be made: {0}")]
    Folder(#[from] std::io::Error),
}

/// Replaces a file that lies in a workspace itself, or creates it (and the workspace), with mode 0600. A link and a file with a second name
/// are left as they are.
///
/// # Errors
/// See [`NotReplaced`].
pub fn replace(workspace: &Path, name: &str, text: &str) -> Result<(), NotReplaced> {
    let mut parts = Path::new(name).components();
    if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
        return Err(NotReplaced::Refused("its name is more than a name"));
    }
    mode::create_directories(workspace)?;
    if let Found::Refused(why) = Workspace::open(workspace).read(name) {
        return Err(NotReplaced::Refused(why));
    }
    Ok(atomic::replace(&workspace.join(name), text.as_bytes())?)
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

    /// Regular files below a folder whose names end like that, in order, at most `most`, `depth` folders deep. Links are passed over, hidden names
    /// as well.
    #[must_use]
    pub fn files(&self, folder: &str, ending: &str, depth: usize, most: usize) -> Vec<String> {
        let mut out = Vec::new();
        let mut folders = vec![(folder.to_owned(), depth)];
        // Counted apart from what is found: a folder full of other names hides no file until there are very many.
        let mut names = NAMES;
        while let Some((folder, depth)) = folders.pop() {
            let Some(root) = &self.0 else { break };
            let Ok(entries) = root.list(Path::new(&folder), names) else { continue };
            names -= entries.len().min(names);
            for entry in entries.into_iter().filter(|e| !e.name.starts_with('.')) {
                let path = format!("{folder}/{}", entry.name);
                match entry.kind {
                    Kind::File if entry.name.ends_with(ending) && out.len() < most => out.push(path),
                    Kind::Directory if depth > 0 => folders.push((path, depth - 1)),
                    Kind::File | Kind::Directory | Kind::Link | Kind::Other => {}
                }
            }
        }
        out.sort();
        out
    }
}

impl Workspace {
    /// Size in bytes and time of the last change (Unix milliseconds) of a file that [`Workspace::read`] reads.
    #[must_use]
    pub fn facts(&self, relative: &str) -> Option<(u64, u64)> {
        let file = self.0.as_ref()?.open_file(Path::new(relative)).ok()?;
        let facts = file.metadata().ok()?;
        let changed = facts.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some((facts.len(), u64::try_from(changed.as_millis()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn sp_001_a_list_follows_no_link_and_goes_so_deep() {
        let tmp = tempfile::tempdir().unwrap();
        let at = tmp.path().join("workspace");
        std::fs::create_dir_all(at.join("memory/a/b")).unwrap();
        std::fs::create_dir(tmp.path().join("other")).unwrap();
        std::fs::write(tmp.path().join("other/x.md"), "x").unwrap();
        for name in ["memory/z.md", "memory/.h.md", "memory/n.txt", "memory/a/y.md", "memory/a/b/w.md"] {
            std::fs::write(at.join(name), "text").unwrap();
        }
        symlink(tmp.path().join("other"), at.join("memory/link")).unwrap();
        symlink(tmp.path().join("other/x.md"), at.join("memory/l.md")).unwrap();
        let workspace = Workspace::open(&at);
        assert_eq!(workspace.files("memory", ".md", 1, 10), ["memory/a/y.md", "memory/z.md"]);
        assert_eq!(workspace.files("memory", ".md", 2, 10).len(), 3);
        assert_eq!(workspace.files("memory", ".md", 2, 1).len(), 1);
        assert!(workspace.files("none", ".md", 2, 10).is_empty());
    }

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

    #[test]
    fn sp_003_only_a_file_of_the_workspace_itself_is_replaced() {
        let tmp = tempfile::tempdir().unwrap();
        let at = tmp.path().join("made/workspace");
        replace(&at, "A.md", "one").unwrap();
        replace(&at, "A.md", "two").unwrap();
        let outside = tmp.path().join("outside");
        std::fs::write(&outside, "kept").unwrap();
        symlink(&outside, at.join("link.md")).unwrap();
        std::fs::hard_link(&outside, at.join("hard.md")).unwrap();
        std::fs::create_dir(at.join("folder.md")).unwrap();
        for name in ["link.md", "hard.md", "folder.md", "../outside", "folder.md/x", "/etc/x", "", ".", ".."]
        {
            assert!(replace(&at, name, "changed").is_err(), "{name}");
        }
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "kept");
        let workspace = Workspace::open(&at);
        assert_eq!(workspace.read("A.md"), Found::Text("two".to_owned()));
        assert_eq!(workspace.facts("A.md").map(|(size, _)| size), Some(3));
        assert_eq!(workspace.facts("link.md"), None);
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(at.join("A.md")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
