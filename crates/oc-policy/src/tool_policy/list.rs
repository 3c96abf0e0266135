//! The lists of a policy as they stand in the configuration, with the place of each entry.

use std::sync::Arc;

use oc_types::{KeyPath, Node, Origin};

/// An address that many rules share a part of: a common prefix and a few steps of its own.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    base: Arc<KeyPath>,
    steps: Vec<Box<str>>,
}

impl Place {
    pub fn root(base: KeyPath) -> Self {
        Self { base: Arc::new(base), steps: Vec::new() }
    }

    pub fn step(&self, key: &str) -> Self {
        let mut next = self.clone();
        next.steps.push(key.into());
        next
    }

    pub fn path(&self) -> KeyPath {
        self.steps.iter().fold((*self.base).clone(), |p, s| p.key(&**s))
    }
}

/// Whether a list was written down or is there by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// In the configuration.
    Set,
    /// The default of a key that is not set.
    Default,
    /// A rule of the program.
    Builtin,
}

/// One entry.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// As written; empty for an entry that is no text.
    pub text: Box<str>,
    /// Position in the list it was written in.
    pub index: usize,
    pub origin: Origin,
}

/// A list of tool names.
#[derive(Clone, Debug)]
pub(crate) struct List {
    pub place: Place,
    pub origin: Origin,
    pub standing: Standing,
    pub entries: Vec<Entry>,
    /// Something in it is no text, or it is no list: then it can only restrict.
    pub malformed: bool,
}

impl List {
    /// A list that no key holds.
    pub fn fixed(place: Place, origin: Origin, standing: Standing, names: &[&str]) -> Self {
        let entry =
            |(index, name): (usize, &&str)| Entry { text: (*name).into(), index, origin: origin.clone() };
        let entries = names.iter().enumerate().map(entry).collect();
        Self { place, origin, standing, entries, malformed: false }
    }

    /// Reads a list; `None` when the key is absent.
    ///
    /// A value that is no list, or an element that is no text, is marked: such an allow list matches less, never more.
    pub fn read(owner: &Node, key: &str, place: &Place) -> Option<Self> {
        let node = owner.get(key)?;
        let mut malformed = false;
        let mut entries = Vec::new();
        match node.as_array() {
            Some(items) => {
                for (index, item) in items.iter().enumerate() {
                    let text = item.as_entry();
                    malformed |= text.is_none();
                    entries.push(Entry {
                        text: text.unwrap_or_default().into(),
                        index,
                        origin: item.origin.clone(),
                    });
                }
            }
            None => malformed = true,
        }
        Some(Self {
            place: place.step(key),
            origin: node.origin.clone(),
            standing: Standing::Set,
            entries,
            malformed,
        })
    }

    /// Whether nothing usable stands in it: `[]`, or blanks only.
    pub fn is_blank(&self) -> bool {
        !self.malformed && self.entries.iter().all(|e| e.text.trim().is_empty())
    }
}

/// `allow`, `alsoAllow` and `deny` of one object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    pub allow: Option<List>,
    pub also: Option<List>,
    pub deny: Option<List>,
}

impl Lists {
    pub fn read(node: &Node, place: &Place) -> Self {
        Self {
            allow: List::read(node, "allow", place),
            also: List::read(node, "alsoAllow", place),
            deny: List::read(node, "deny", place),
        }
    }
}
