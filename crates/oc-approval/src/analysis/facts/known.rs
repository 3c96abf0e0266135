//! The tree of what the host was asked about.

use crate::host_view::{Entry, FileFacts};

/// The root of all paths.
pub(super) const ROOT: usize = 0;

/// What is known. Directories are numbered; whoever has the number of one finds what lies in it without its path.
///
/// Kept in a few small lists: most checks ask about a dozen paths, and most of those are missing.
pub(super) struct Known {
    nodes: Vec<Node>,
    /// All nodes but the root, by directory and name.
    order: Vec<usize>,
    /// The names of all nodes, one after the other.
    names: String,
    facts: Vec<FileFacts>,
    targets: Vec<String>,
}

struct Node {
    stands: Stands,
    parent: usize,
    /// Where its name stands.
    name: std::ops::Range<usize>,
    /// What was last asked for in it; the root when nothing was.
    recent: usize,
}

/// An [`Entry`] whose parts lie in the lists.
#[derive(Clone, Copy)]
enum Stands {
    Missing,
    Unknown,
    File(usize),
    Directory(usize),
    Other(usize),
    Link { facts: usize, target: usize },
}

/// What stands at a node.
#[derive(Clone, Copy)]
pub(super) enum Found<'a> {
    Missing,
    Unknown,
    File(FileFacts),
    Directory(FileFacts),
    Other(FileFacts),
    Link(FileFacts, &'a str),
}

impl Known {
    pub(super) fn new() -> Self {
        let mut known = Self {
            nodes: Vec::with_capacity(14),
            order: Vec::with_capacity(16),
            names: String::with_capacity(128),
            facts: Vec::with_capacity(12),
            targets: Vec::new(),
        };
        let stands = known.keep(Entry::Directory(FileFacts::default()));
        known.nodes.push(Node { stands, parent: ROOT, name: 0..0, recent: ROOT });
        known
    }

    pub(super) fn found(&self, node: usize) -> Found<'_> {
        let facts = |place: usize| self.facts.get(place).copied().unwrap_or_default();
        match self.nodes.get(node).map_or(Stands::Unknown, |n| n.stands) {
            Stands::Missing => Found::Missing,
            Stands::Unknown => Found::Unknown,
            Stands::File(place) => Found::File(facts(place)),
            Stands::Directory(place) => Found::Directory(facts(place)),
            Stands::Other(place) => Found::Other(facts(place)),
            Stands::Link { facts: place, target } => {
                Found::Link(facts(place), self.targets.get(target).map_or("", String::as_str))
            }
        }
    }

    pub(super) fn parent(&self, node: usize) -> usize {
        self.nodes.get(node).map_or(ROOT, |n| n.parent)
    }

    /// The node of a name in a directory; what stands there is asked when it is not known.
    pub(super) fn child(&mut self, parent: usize, name: &str, ask: impl FnOnce() -> Entry) -> usize {
        // The paths of a line share their first directories.
        let recent = self.nodes.get(parent).map_or(ROOT, |n| n.recent);
        if recent != ROOT && self.place(recent).1 == name {
            return recent;
        }
        let child = self.find(parent, name, ask);
        if let Some(parent) = self.nodes.get_mut(parent) {
            parent.recent = child;
        }
        child
    }

    fn find(&mut self, parent: usize, name: &str, ask: impl FnOnce() -> Entry) -> usize {
        let by_place = |node: &usize| self.place(*node).cmp(&(parent, name));
        // Names often come in order, as from a wildcard.
        let found = match self.order.last() {
            Some(last) if by_place(last).is_lt() => Err(self.order.len()),
            _ => self.order.binary_search_by(by_place),
        };
        match found {
            Ok(at) => self.order.get(at).copied().unwrap_or(ROOT),
            Err(at) => {
                let child = self.nodes.len();
                let start = self.names.len();
                self.names.push_str(name);
                let stands = self.keep(ask());
                self.nodes.push(Node { stands, parent, name: start..self.names.len(), recent: ROOT });
                self.order.insert(at, child);
                child
            }
        }
    }

    fn place(&self, node: usize) -> (usize, &str) {
        self.nodes
            .get(node)
            .map_or((ROOT, ""), |n| (n.parent, self.names.get(n.name.clone()).unwrap_or_default()))
    }

    fn keep(&mut self, entry: Entry) -> Stands {
        let mut place = |facts| {
            self.facts.push(facts);
            self.facts.len() - 1
        };
        match entry {
            Entry::Missing => Stands::Missing,
            Entry::Unknown => Stands::Unknown,
            Entry::File(facts) => Stands::File(place(facts)),
            Entry::Directory(facts) => Stands::Directory(place(facts)),
            Entry::Other(facts) => Stands::Other(place(facts)),
            Entry::Link { facts, target } => {
                self.targets.push(target);
                Stands::Link { facts: place(facts), target: self.targets.len() - 1 }
            }
        }
    }
}
