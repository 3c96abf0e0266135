//! The host's facts, each asked once a check, and paths followed link by link.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::host_view::{Entry, FileFacts, HostView};
use crate::plan::Executable;

/// Most links on the way to a file.
const MAX_LINKS: usize = 40;

/// Most components of a path.
const MAX_DEPTH: usize = 512;

/// A view that asks the host about a path once.
pub(crate) struct Facts<'a> {
    view: &'a dyn HostView,
    entries: RefCell<HashMap<String, Entry>>,
    ends: RefCell<HashMap<String, Rc<End>>>,
}

/// Where a path leads when every link is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// The path without links. Beyond the first missing component it is the spelling.
    pub path: String,
    /// What stands there; never a link.
    pub entry: Entry,
    /// Everything passed on the way: directories, links and the end itself.
    pub passed: Vec<Passed>,
}

/// Something passed on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Its numbers.
    pub facts: FileFacts,
    /// Whether it is a link, whose own permission bits mean nothing.
    pub is_link: bool,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(view: &'a dyn HostView) -> Self {
        Self { view, entries: RefCell::default(), ends: RefCell::default() }
    }

    pub(crate) fn view(&self) -> &'a dyn HostView {
        self.view
    }

    /// What stands at a path whose directory has no links.
    fn entry(&self, path: &str) -> Entry {
        if let Some(known) = self.entries.borrow().get(path) {
            return known.clone();
        }
        let entry = self.view.entry(path);
        self.entries.borrow_mut().insert(path.to_owned(), entry.clone());
        entry
    }

    /// Follows a path, `..` included, as the kernel does.
    pub(crate) fn end(&self, path: &str) -> Rc<End> {
        if let Some(known) = self.ends.borrow().get(path) {
            return Rc::clone(known);
        }
        let end = Rc::new(self.follow(path));
        self.ends.borrow_mut().insert(path.to_owned(), Rc::clone(&end));
        end
    }

    fn follow(&self, path: &str) -> End {
        let mut ahead: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut at = String::new();
        let mut passed = Vec::new();
        let mut links = 0;
        let mut entry = Entry::Directory(FileFacts::default());
        while let Some(name) = ahead.pop() {
            if name.is_empty() || name == "." {
                continue;
            }
            if name == ".." {
                at.truncate(at.rfind('/').unwrap_or(0));
                entry = Entry::Directory(FileFacts::default());
                continue;
            }
            let next = format!("{at}/{name}");
            if passed.len() > MAX_DEPTH {
                return End { path: next, entry: Entry::Unknown, passed };
            }
            entry = self.entry(&next);
            match &entry {
                Entry::Directory(facts) => {
                    passed.push(Passed { facts: *facts, is_link: false });
                    at = next;
                }
                Entry::Link { facts, target } => {
                    links += 1;
                    if links > MAX_LINKS || target.is_empty() {
                        return End { path: next, entry: Entry::Unknown, passed };
                    }
                    passed.push(Passed { facts: *facts, is_link: true });
                    ahead.extend(target.split('/').rev().map(str::to_owned));
                    if target.starts_with('/') {
                        at.clear();
                    }
                    entry = Entry::Directory(FileFacts::default());
                }
                Entry::File(facts) | Entry::Other(facts) => {
                    passed.push(Passed { facts: *facts, is_link: false });
                    at = next;
                    // `file/x` and `file/` name nothing; `..` after a file neither.
                    if !ahead.is_empty() {
                        return End { path: spelled(&at, &ahead), entry: Entry::Missing, passed };
                    }
                }
                Entry::Missing => {
                    return End { path: spelled(&next, &ahead), entry: Entry::Missing, passed };
                }
                Entry::Unknown => {
                    return End { path: spelled(&next, &ahead), entry: Entry::Unknown, passed };
                }
            }
        }
        if at.is_empty() {
            at.push('/');
        }
        End { path: at, entry, passed }
    }
}

/// What remains of a path after a component that leads nowhere, by its spelling.
fn spelled(at: &str, ahead: &[String]) -> String {
    let rest: Vec<&str> = ahead.iter().rev().map(String::as_str).collect();
    normal(&format!("{at}/{}", rest.join("/")))
}

/// The digest of a program, where the user who runs it or anybody else can change it or the directory that it lies in.
pub(super) fn digest(view: &dyn HostView, executable: &Executable) -> Option<String> {
    let uid = view.uid();
    let changeable = |entry: Entry| match entry {
        Entry::File(f) | Entry::Directory(f) | Entry::Other(f) => f.uid == uid || f.mode & 0o022 != 0,
        Entry::Missing | Entry::Link { .. } | Entry::Unknown => true,
    };
    let parent =
        executable.canonical.rsplit_once('/').map_or("/", |(p, _)| if p.is_empty() { "/" } else { p });
    (changeable(view.entry(&executable.canonical)) || changeable(view.entry(parent)))
        .then(|| view.sha256(&executable.canonical))
        .flatten()
}

/// A path by its spelling: without `.`, empty components and `..`.
pub(crate) fn normal(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => out.truncate(out.rfind('/').unwrap_or(0)),
            name => {
                out.push('/');
                out.push_str(name);
            }
        }
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

/// A path that a word names, from a directory. Not normalised.
pub(crate) fn join(directory: &str, word: &str) -> String {
    if word.starts_with('/') { word.to_owned() } else { format!("{directory}/{word}") }
}

/// Whether a path is a directory or lies in it; both normal.
pub(crate) fn is_within(path: &str, directory: &str) -> bool {
    directory == "/"
        || path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
