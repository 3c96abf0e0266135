//! The tree of what the host was asked about.

use crate::host_view::{Entry, FileFacts};

/// The root of all paths.
pub(super) const ROOT: usize = 0;

/// What is known. Directories are numbered; whoever has the number of one finds what lies in it without its path.
pub(super) struct Known {
    nodes: Vec<Node>,
    /// The names of all nodes, one after the other.
    names: String,
}

struct Node {
    entry: Entry,
    parent: usize,
    /// Where its name stands.
    name: std::ops::Range<usize>,
    /// What is known to lie in it, by name.
    below: Vec<usize>,
}

impl Known {
    pub(super) fn new() -> Self {
        let root = Node {
            entry: Entry::Directory(FileFacts::default()),
            parent: ROOT,
            name: 0..0,
            below: Vec::new(),
        };
        let mut nodes = Vec::with_capacity(24);
        nodes.push(root);
        Self { nodes, names: String::with_capacity(256) }
    }

    pub(super) fn entry(&self, node: usize) -> &Entry {
        self.nodes.get(node).map_or(&Entry::Unknown, |n| &n.entry)
    }

    pub(super) fn parent(&self, node: usize) -> usize {
        self.nodes.get(node).map_or(ROOT, |n| n.parent)
    }

    /// The node of a name in a directory; what stands there is asked when it is not known.
    pub(super) fn child(&mut self, parent: usize, name: &str, ask: impl FnOnce() -> Entry) -> usize {
        let below = self.nodes.get(parent).map_or(&[][..], |n| &n.below);
        // Names often come in order, as from a wildcard.
        let found = match below.last() {
            Some(last) if self.name(*last) < name => Err(below.len()),
            _ => below.binary_search_by(|child| self.name(*child).cmp(name)),
        };
        match found {
            Ok(place) => below.get(place).copied().unwrap_or(ROOT),
            Err(place) => {
                let child = self.nodes.len();
                let start = self.names.len();
                self.names.push_str(name);
                let name = start..self.names.len();
                self.nodes.push(Node { entry: ask(), parent, name, below: Vec::new() });
                if let Some(parent) = self.nodes.get_mut(parent) {
                    parent.below.insert(place, child);
                }
                child
            }
        }
    }

    fn name(&self, node: usize) -> &str {
        self.nodes.get(node).and_then(|n| self.names.get(n.name.clone())).unwrap_or_default()
    }
}
