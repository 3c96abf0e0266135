//! A list of senders in the configuration, or the approved store, and the question whether it holds one.

use oc_types::{KeyPath, Node};

use super::identity::{Entry, Family, SenderKeys};
use super::place::Place;
use super::settings::Setting;

/// How a list holds a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hit {
    /// Through `*`.
    Everybody(usize),
    /// Through an id or number.
    Id(usize),
    /// Through the chat it was said in.
    Chat(usize),
    /// Through a name, with the break-glass key.
    Name(usize),
}

impl Hit {
    pub(crate) fn index(self) -> usize {
        let (Self::Everybody(i) | Self::Id(i) | Self::Chat(i) | Self::Name(i)) = self;
        i
    }

    pub(crate) fn is_everybody(self) -> bool {
        matches!(self, Self::Everybody(_))
    }
}

/// A list in the configuration. One pass over it answers one question; nothing is indexed.
#[derive(Clone, Debug)]
pub(crate) struct SenderList<'a> {
    /// Where it stands.
    place: Place<'a>,
    node: Option<&'a Node>,
    family: Family,
}

impl<'a> SenderList<'a> {
    pub(crate) fn of(setting: &Setting<'a>, family: Family) -> Self {
        Self { place: setting.place.clone(), node: setting.node, family }
    }

    /// Its key path.
    pub(crate) fn path(&self) -> KeyPath {
        self.place.path()
    }

    /// Whether it stands at the setting or below.
    pub(crate) fn is_below(&self, setting: &Setting<'_>) -> bool {
        self.place.starts_with(&setting.place)
    }

    /// Whether the key is there, also with an empty list. A value that is no list counts as an empty one.
    pub(crate) fn is_set(&self) -> bool {
        self.node.is_some()
    }

    fn entries(&self) -> impl Iterator<Item = (usize, Entry)> {
        let list = self.node.and_then(Node::as_array).unwrap_or_default();
        let family = self.family;
        list.iter().enumerate().filter_map(move |(i, n)| Some((i, Entry::read(family, &n.as_entry()?))))
    }

    /// Whether no entry says anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries().all(|(_, e)| e == Entry::Blank)
    }

    /// Whether `*` is in it.
    pub(crate) fn has_everybody(&self) -> bool {
        self.entries().any(|(_, e)| e == Entry::Everybody)
    }

    /// The first entry that holds the sender; `*` only when no other does.
    pub(crate) fn find(&self, sender: &SenderKeys) -> Option<Hit> {
        let mut everybody = None;
        for (i, entry) in self.entries() {
            match entry {
                Entry::Blank => {}
                Entry::Everybody => everybody = everybody.or(Some(Hit::Everybody(i))),
                Entry::Chat(chat) if sender.chats.contains(&chat) => return Some(Hit::Chat(i)),
                Entry::Chat(_) => {}
                Entry::Person { id, name, .. } => {
                    if id.is_some_and(|id| sender.ids.contains(&id)) {
                        return Some(Hit::Id(i));
                    }
                    if name.is_some_and(|n| sender.names.contains(&n)) {
                        return Some(Hit::Name(i));
                    }
                }
            }
        }
        everybody
    }

    /// Whether the list holds the sender other than through `*`.
    pub(crate) fn names_person(&self, sender: &SenderKeys) -> bool {
        self.find(sender).is_some_and(|h| !h.is_everybody())
    }

    /// The entries that are names and so do nothing without the break-glass key; at most `limit`.
    pub(crate) fn inert(&self, limit: usize) -> Vec<(usize, String)> {
        let list = self.node.and_then(Node::as_array).unwrap_or_default();
        let name_like =
            |(i, e): (usize, Entry)| matches!(e, Entry::Person { id_shaped: false, .. }).then_some(i);
        self.entries()
            .filter_map(name_like)
            .filter_map(|i| Some((i, list.get(i)?.as_entry()?)))
            .take(limit)
            .collect()
    }
}

/// Whether approved entries hold the sender; a stored `*` or name never does. Gives the entry's index.
pub(crate) fn store_holds(family: Family, approved: &[String], sender: &SenderKeys) -> Option<usize> {
    approved.iter().position(|text| match Entry::read(family, text) {
        Entry::Person { id: Some(id), .. } => sender.ids.contains(&id),
        Entry::Person { id: None, .. } | Entry::Blank | Entry::Everybody | Entry::Chat(_) => false,
    })
}
