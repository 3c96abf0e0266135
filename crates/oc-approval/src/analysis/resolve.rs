//! From a command word to the program that it means (exec-approval 6).

use super::facts::{Facts, Passed, is_within, join, normal, normal_in};
use crate::host_view::{Entry, FileFacts};
use crate::plan::{Executable, Guard, Identity, Miss};

/// Directories of the system that safe programs lie in.
const SYSTEM: [&str; 2] = ["/bin", "/usr/bin"];

/// Where command words are looked up.
pub(super) struct Search<'a> {
    pub facts: &'a Facts<'a>,
    /// The working directory, without links.
    pub directory: &'a str,
    /// `PATH` as the process will get it.
    pub path: Option<&'a str>,
}

/// A program and how it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub executable: Executable,
    pub named: Named,
    /// The directories, links and the file on the way to it.
    passed: Vec<Passed>,
}

/// How a command word names its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// By its bare name, through `PATH`.
    Bare,
    /// By an absolute path that spells itself out.
    Absolute,
    /// By any other path.
    Path,
}

impl Search<'_> {
    /// Finds the program of a command word.
    pub(super) fn find(&self, word: &str) -> Result<Found, Miss> {
        if word.contains('/') {
            let named = if normal(word) == word { Named::Absolute } else { Named::Path };
            return self
                .program(&self.spelled(word), named)
                .filter(|_| !word.ends_with('/'))
                .ok_or_else(|| Miss::new("unresolved", format!("{word} is no program here")));
        }
        let mut first = None;
        for entry in self.path.unwrap_or_default().split(':') {
            if entry.starts_with('/') {
                if first.is_none() && !self.facts.is_missing(entry, word) {
                    first = self.program(&normal_in(&normal(entry), word), Named::Bare);
                }
                continue;
            }
            let beside = join(&join(self.directory, entry), word);
            if self.facts.end(&beside).entry != Entry::Missing {
                let shown = if entry.is_empty() { "an empty entry" } else { entry };
                return Err(Miss::new("unresolved", format!("PATH has {shown}, and {word} is there")));
            }
        }
        first.ok_or_else(|| Miss::new("unresolved", format!("no {word} on PATH")))
    }

    /// The path as found: its spelling, or where its directory leads when it climbs.
    fn spelled(&self, word: &str) -> String {
        if !word.split('/').any(|name| name == "..") {
            return normal_in(self.directory, word);
        }
        let path = &join(self.directory, word);
        match path.rsplit_once('/') {
            Some((parent, name)) if name != ".." && name != "." => {
                let parent = self.facts.end(if parent.is_empty() { "/" } else { parent });
                match parent.entry {
                    Entry::Directory(_) => {
                        join(&parent.path, "").trim_end_matches('/').to_owned() + "/" + name
                    }
                    _ => format!("{}/{name}", path.trim_end_matches('/')),
                }
            }
            _ => path.to_owned(),
        }
    }

    fn program(&self, path: &str, named: Named) -> Option<Found> {
        let (end, passed) = self.facts.way(path);
        let Entry::File(facts) = end.entry else { return None };
        let uid = self.facts.view().uid();
        if !may_execute(&facts, uid) {
            return None;
        }
        let open = passed.iter().any(|p| !p.is_link && is_open(p, uid));
        let executable = Executable {
            path: path.to_owned(),
            canonical: end.path,
            identity: Identity {
                device: facts.device,
                inode: facts.inode,
                size: facts.size,
                modified_ns: facts.modified_ns,
                sha256: None,
            },
            guard: if open { Guard::Open } else { Guard::Kept },
        };
        Some(Found { executable, named, passed })
    }

    /// Whether a program lies directly in a trusted directory and nobody else can put another in its place.
    pub(super) fn trusted(&self, found: &Found, added: &[String], home: Option<&str>) -> Result<(), Miss> {
        let executable = &found.executable;
        let untrusted = |why: &str| Miss::new("untrusted-dir", format!("{} {why}", executable.path));
        let (parent, _) = executable.path.rsplit_once('/').unwrap_or_default();
        let owner = if SYSTEM.contains(&parent) {
            0
        } else {
            let directory = added
                .iter()
                .map(|d| normal(d))
                .find(|d| d == parent)
                .ok_or_else(|| untrusted("is in no trusted directory"))?;
            let end = self.facts.end(&directory);
            let homes = [home.unwrap_or("/root"), "/root", "/home", "/Users"];
            if homes.iter().any(|h| is_within(&end.path, &self.facts.end(h).path)) {
                return Err(untrusted("is below a home, which is never trusted"));
            }
            match &end.entry {
                Entry::Directory(facts) => facts.uid,
                _ => return Err(untrusted("is in no trusted directory")),
            }
        };
        for passed in &found.passed {
            if passed.uid != 0 && passed.uid != owner {
                return Err(untrusted("or a link to it belongs to another user"));
            }
            // A directory that anybody may write to counts even when it is sticky.
            if !passed.is_link && passed.mode & 0o022 != 0 {
                return Err(untrusted("or a directory on the way can be written by others"));
            }
        }
        Ok(())
    }
}

fn may_execute(facts: &FileFacts, uid: u32) -> bool {
    let bits = match uid {
        0 => 0o111,
        uid if uid == facts.uid => 0o100,
        _ => 0o011,
    };
    facts.mode & bits != 0
}

/// Whether somebody besides root and the user can write it. A sticky directory protects the names in it.
fn is_open(passed: &Passed, uid: u32) -> bool {
    let sticky = passed.mode & 0o1000 != 0;
    (passed.mode & 0o022 != 0 && !sticky) || (passed.uid != 0 && passed.uid != uid)
}
