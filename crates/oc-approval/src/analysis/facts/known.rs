//! The tree of what the host was asked about.

use crate::host_view::{Entry, FileFacts};

/// The root of all paths.
pub(super) const ROOT: usize = 0;

/// What is known. Directories are numbered; whoever has the number of one finds what lies in it without its path.
pub(super) struct Known {
    nodes: Vec<Node>,
    /// All nodes but the root, by directory and name.
    order: Vec<usize>,
    /// The names of all nodes, one after the other.
    names: String,
}

struct Node {
    entry: Entry,
    parent: usize,
    /// Where its name stands.
    name: std::ops::Range<usize>,
    /// What was last asked for in it; the root when nothing was.
    recent: usize,
}

impl Known {
    pub(super) fn new() -> Self {
        let mut nodes = Vec::with_capacity(24);
        nodes.push(Node {
            entry: Entry::Directory(FileFacts::default()),
            parent: ROOT,
            name: 0..0,
            recent: ROOT,
        });
        Self { nodes, order: Vec::with_capacity(24), names: String::with_capacity(256) }
    }

    pub(super) fn entry(&self, node: usize) -> &Entry {
        self.nodes.get(node).map_or(&Entry::Unknown, |n| &n.entry)
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
                self.nodes.push(Node { entry: ask(), parent, name: start..self.names.len(), recent: ROOT });
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
}
