//! Files of an agent's workspace, read beneath it and never through a link (SP-001, SP-003).

use std::path::Path;

use oc_rooted::root::{Kind, Refused, Root};

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

    /// Regular files below a folder whose names end like that, in order, at most `most`, `depth` folders deep. Links are passed over, hidden names
    /// as well.
    #[must_use]
    pub fn files(&self, folder: &str, ending: &str, depth: usize, most: usize) -> Vec<String> {
        let mut out = Vec::new();
        let mut folders = vec![(folder.to_owned(), depth)];
        while let Some((folder, depth)) = folders.pop() {
            let Some(root) = &self.0 else { break };
            let Ok(entries) = root.list(Path::new(&folder), most) else { continue };
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
}
