//! The host's facts, each asked once a check, and paths followed link by link.
//!
//! What was asked is kept as a tree of names: following a path costs time by its length, however many paths share its directories. The
//! number of questions has a limit, so that no line makes the analysis long; a line beyond it asks.

mod ahead;
mod known;
mod path;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::host_view::{Entry, FileFacts, HostView};
use crate::plan::Executable;
use ahead::{Ahead, Step};
use known::{Found, Known, ROOT};
pub(crate) use path::{is_normal, is_within, join, normal, normal_in};

/// Most links on the way to a file.
const MAX_LINKS: usize = 40;

/// Most components of a path.
const MAX_DEPTH: usize = 256;

/// Most questions about paths in one check; a path counts once more for every [`COUNTED`] bytes, and a link whenever it is followed.
const MAX_QUESTIONS: usize = 3072;

/// Bytes of a path that count as another question.
const COUNTED: usize = 128;

/// Most names in all directories that the wildcards of one line look into.
const MAX_NAMES: usize = 4096;

/// The names in a directory; `None` when it cannot be listed or the line looks at too many.
pub(super) type Names = Option<Rc<Vec<String>>>;

/// A view that asks the host about a path once.
pub(crate) struct Facts<'a> {
    view: &'a dyn HostView,
    known: RefCell<Known>,
    /// The working directory, without links, and its number: most paths start there.
    base: RefCell<(String, usize)>,
    /// Room for a path that nobody keeps.
    spare: Cell<String>,
    names: RefCell<HashMap<String, Names>>,
    /// Questions that may still be asked.
    left: Cell<usize>,
    names_left: Cell<usize>,
}

/// Where a path leads when every link is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// The path without links. Beyond the first missing component it is the spelling.
    pub path: String,
    /// What stands there; never a link.
    pub entry: Entry,
}

/// Something passed on the way to a program: a directory, a link or the program itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Its owner.
    pub uid: u32,
    /// Its permission bits.
    pub mode: u32,
    /// Whether it is a link, whose own permission bits mean nothing.
    pub is_link: bool,
}

impl Passed {
    fn new(facts: &FileFacts, is_link: bool) -> Self {
        Self { uid: facts.uid, mode: facts.mode, is_link }
    }
}

impl<'a> Facts<'a> {
    pub(crate) fn new(view: &'a dyn HostView) -> Self {
        Self {
            view,
            known: RefCell::new(Known::new()),
            base: RefCell::default(),
            spare: Cell::default(),
            names: RefCell::default(),
            left: Cell::new(MAX_QUESTIONS),
            names_left: Cell::new(MAX_NAMES),
        }
    }

    pub(crate) fn view(&self) -> &'a dyn HostView {
        self.view
    }

    /// Notes the directory that relative paths start from; it has no links.
    pub(crate) fn start_from(&self, directory: &str) {
        let mut known = self.known.borrow_mut();
        let mut at = String::new();
        let mut node = ROOT;
        for name in directory.split('/').filter(|name| !name.is_empty()) {
            at.push('/');
            at.push_str(name);
            node = known.child(node, name, || self.ask(&at));
        }
        *self.base.borrow_mut() = (at, node);
    }

    /// Whether the line asked about more than one line may.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.left.get() == 0
    }

    /// A walk has its own limit: what it met may be asked about besides.
    pub(crate) fn allow(&self, more: usize) {
        if !self.is_exhausted() {
            self.left.set(self.left.get().saturating_add(more));
        }
    }

    /// Follows an absolute path, `..` included, as the kernel does.
    pub(crate) fn end(&self, path: &str) -> End {
        self.follow("", path, None)
    }

    /// Follows a path that a word names, from a directory.
    pub(crate) fn end_in(&self, directory: &str, word: &str) -> End {
        self.follow(if word.starts_with('/') { "" } else { directory }, word, None)
    }

    /// Whether nothing stands at a path.
    pub(super) fn is_missing(&self, directory: &str, name: &str) -> bool {
        let End { path, entry } = self.follow(directory, name, None);
        self.spare.set(path);
        entry == Entry::Missing
    }

    /// As [`Facts::end`], with everything that was passed on the way.
    pub(super) fn way(&self, path: &str) -> (End, Vec<Passed>) {
        let mut passed = Vec::with_capacity(8);
        let end = self.follow("", path, Some(&mut passed));
        (end, passed)
    }

    /// The names in a directory, unsorted. `directory` has no links.
    pub(super) fn names(&self, directory: &str) -> Names {
        if let Some(known) = self.names.borrow().get(directory) {
            return known.clone();
        }
        let left = self.names_left.get();
        let names = self.view.names(directory, left).filter(|names| names.len() <= left).map(Rc::new);
        self.names_left.set(left.saturating_sub(names.as_ref().map_or(left, |n| n.len())));
        self.names.borrow_mut().insert(directory.to_owned(), names.clone());
        names
    }

    fn follow(&self, directory: &str, word: &str, mut passed: Option<&mut Vec<Passed>>) -> End {
        // The line asks whatever else is found out.
        if self.is_exhausted() {
            return End { path: normal_in(directory, word), entry: Entry::Unknown };
        }
        let mut known = self.known.borrow_mut();
        let base = self.base.borrow();
        let from_base = passed.is_none() && !base.0.is_empty() && directory == base.0;
        let mut ahead = Ahead::new(if from_base { "" } else { directory }, word);
        let mut at = self.spare.take();
        at.clear();
        at.reserve(directory.len() + word.len() + 1);
        let (mut node, mut links, mut depth) = (ROOT, 0, 0_usize);
        if from_base {
            at.push_str(directory);
            node = base.1;
        }
        let mut note = |facts: &FileFacts, is_link| {
            if let Some(passed) = &mut passed {
                passed.push(Passed::new(facts, is_link));
            }
        };
        loop {
            let length = at.len();
            match ahead.step(&mut at) {
                Step::Over => break,
                Step::Here => continue,
                Step::Up => {
                    node = known.parent(node);
                    continue;
                }
                Step::Into => {}
            }
            depth += 1;
            if depth > MAX_DEPTH {
                return End { path: at, entry: Entry::Unknown };
            }
            let name = at.get(length + 1..).unwrap_or_default();
            let next = known.child(node, name, || self.ask(&at));
            match known.found(next) {
                Found::Directory(facts) => {
                    note(&facts, false);
                    node = next;
                }
                Found::Link(facts, target) => {
                    links += 1;
                    if links > MAX_LINKS || target.is_empty() {
                        return End { path: at, entry: Entry::Unknown };
                    }
                    note(&facts, true);
                    self.left.set(self.left.get().saturating_sub(1));
                    at.truncate(length);
                    if target.starts_with('/') {
                        at.clear();
                        node = ROOT;
                    }
                    ahead.link(target);
                }
                // `file/x` and `file/` name nothing; `..` after a file neither.
                Found::File(facts) => {
                    note(&facts, false);
                    return ended(at, ahead, Entry::File(facts));
                }
                Found::Other(facts) => {
                    note(&facts, false);
                    return ended(at, ahead, Entry::Other(facts));
                }
                Found::Missing => return End { path: ahead.spelled(at), entry: Entry::Missing },
                Found::Unknown => return End { path: ahead.spelled(at), entry: Entry::Unknown },
            }
        }
        if at.is_empty() {
            at.push('/');
        }
        let entry = match known.found(node) {
            Found::Directory(facts) => Entry::Directory(facts),
            Found::Missing | Found::Unknown | Found::File(_) | Found::Other(_) | Found::Link(..) => {
                Entry::Unknown
            }
        };
        End { path: at, entry }
    }

    /// Asks the host what stands at a path, while questions are left.
    fn ask(&self, path: &str) -> Entry {
        let left = self.left.get().saturating_sub(path.len() / COUNTED + 1);
        self.left.set(left);
        if left == 0 { Entry::Unknown } else { self.view.entry(path) }
    }
}

/// The end at something that holds no names: nothing stands there when more of the path follows.
fn ended(at: String, ahead: Ahead<'_>, entry: Entry) -> End {
    if ahead.is_over() {
        return End { path: at, entry };
    }
    End { path: ahead.spelled(at), entry: Entry::Missing }
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
