//! Senders, typed by kind, and the rules that name them (seed: `bySender`; tool-policy 5.3, SP-108).
//!
//! Invariant: id, phone number, user name and display name live in different namespaces; a name never equals an id.

use std::collections::HashMap;

/// The kinds of sender identity, most trustworthy first; the order in which rules are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SenderKind {
    /// The service's own stable id.
    Id,
    /// A phone number.
    E164,
    /// A user name: its owner can change it.
    Username,
    /// A display name: anybody can take any.
    Name,
}

impl SenderKind {
    /// The stable word, also the prefix of a typed key.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::E164 => "e164",
            Self::Username => "username",
            Self::Name => "name",
        }
    }

    /// Whether the person concerned, or somebody else, can change it at will.
    #[must_use]
    pub fn is_mutable(self) -> bool {
        matches!(self, Self::Username | Self::Name)
    }
}

/// Who sent a message, as far as the channel says. Absent = unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sender<'a> {
    /// The service's own stable id.
    pub id: Option<&'a str>,
    /// Phone number, `+` and digits.
    pub e164: Option<&'a str>,
    /// User name, with or without `@`.
    pub username: Option<&'a str>,
    /// Display name.
    pub name: Option<&'a str>,
}

impl<'a> Sender<'a> {
    /// The value of one kind. A sender id that is itself a phone number (phone channels) also counts as the number.
    #[must_use]
    pub fn get(&self, kind: SenderKind) -> Option<&'a str> {
        match kind {
            SenderKind::Id => self.id,
            SenderKind::E164 => self.e164.or_else(|| self.id.filter(|id| is_e164(id.trim()))),
            SenderKind::Username => self.username,
            SenderKind::Name => self.name,
        }
    }
}

/// How a sender was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matched {
    /// By an identity of that kind.
    By(SenderKind),
    /// By the key `*`: anybody.
    Anybody,
}

/// What a key names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    Anybody,
    Typed(SenderKind, String),
    OnChannel {
        channel: String,
        id: String,
    },
    /// Tried as id, user name and display name.
    Untyped(String),
}

/// Rules by sender. A later key that means the same as an earlier one does not count.
#[derive(Clone, Debug)]
pub struct SenderRules<T> {
    rules: Vec<T>,
    typed: HashMap<(SenderKind, Box<str>), usize>,
    untyped: HashMap<(SenderKind, Box<str>), usize>,
    on_channel: HashMap<(Box<str>, Box<str>), usize>,
    anybody: Option<usize>,
}

impl<T> Default for SenderRules<T> {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            typed: HashMap::new(),
            untyped: HashMap::new(),
            on_channel: HashMap::new(),
            anybody: None,
        }
    }
}

impl<T> SenderRules<T> {
    /// Adds the rule of a key as written. Blank keys do not count.
    pub fn add(&mut self, key: &str, rule: T) {
        let Some(key) = Key::read(key) else { return };
        let at = self.rules.len();
        self.rules.push(rule);
        match key {
            Key::Anybody => {
                self.anybody.get_or_insert(at);
            }
            Key::Typed(kind, value) => {
                self.typed.entry((kind, value.into())).or_insert(at);
            }
            Key::OnChannel { channel, id } => {
                self.on_channel.entry((channel.into(), id.into())).or_insert(at);
            }
            Key::Untyped(value) => {
                for kind in narrowed(&value) {
                    self.untyped.entry((*kind, plain(&value).into())).or_insert(at);
                }
            }
        }
    }

    /// The rules, in the order they were added.
    #[must_use]
    pub fn rules(&self) -> &[T] {
        &self.rules
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rule for a sender on a channel: by id, phone number, user name, display name, and last `*`.
    #[must_use]
    pub fn find(&self, channel: &str, sender: &Sender<'_>) -> Option<(&T, Matched)> {
        if self.rules.is_empty() {
            return None;
        }
        let kinds = [SenderKind::Id, SenderKind::E164, SenderKind::Username, SenderKind::Name];
        let hit = kinds
            .into_iter()
            .find_map(|kind| Some((self.of_kind(kind, channel, sender)?, Matched::By(kind))));
        let (at, how) = hit.or_else(|| Some((self.anybody?, Matched::Anybody)))?;
        Some((self.rules.get(at)?, how))
    }

    fn of_kind(&self, kind: SenderKind, channel: &str, sender: &Sender<'_>) -> Option<usize> {
        let value = normalize(sender.get(kind)?);
        if value.is_empty() {
            return None;
        }
        if kind == SenderKind::Id && !self.on_channel.is_empty() {
            let key = (Box::from(channel), Box::from(value.as_str()));
            if let Some(at) = self.on_channel.get(&key) {
                return Some(*at);
            }
        }
        let key = (kind, Box::from(value));
        self.typed.get(&key).or_else(|| self.untyped.get(&key)).copied()
    }
}

/// The kinds that the spelling of an untyped key allows (SP-108). `key` is trimmed and lower case, its `@` still there.
fn narrowed(key: &str) -> &'static [SenderKind] {
    if key.starts_with('@') {
        &[SenderKind::Username]
    } else if is_e164(key) {
        &[SenderKind::E164]
    } else if key.bytes().all(|b| b.is_ascii_digit()) {
        &[SenderKind::Id]
    } else {
        &[SenderKind::Id, SenderKind::Username, SenderKind::Name]
    }
}

fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
}

/// Without one leading `@`.
fn plain(text: &str) -> &str {
    text.strip_prefix('@').unwrap_or(text)
}

/// Trimmed, without one leading `@`, lower case. Nothing else is rewritten.
fn normalize(text: &str) -> String {
    plain(text.trim()).to_lowercase()
}

impl Key {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        if text == "*" {
            return Some(Self::Anybody);
        }
        let kinds = [SenderKind::Id, SenderKind::E164, SenderKind::Username, SenderKind::Name];
        for kind in kinds {
            if let Some(value) = text.strip_prefix(kind.word()).and_then(|r| r.strip_prefix(':')) {
                let value = normalize(value);
                return (!value.is_empty()).then_some(Self::Typed(kind, value));
            }
        }
        if let Some(rest) = text.strip_prefix("channel:") {
            let (channel, id) = rest.split_once(':')?;
            let (channel, id) = (channel.trim().to_owned(), normalize(id));
            return (!channel.is_empty() && !id.is_empty()).then_some(Self::OnChannel { channel, id });
        }
        (!plain(&text).trim().is_empty()).then_some(Self::Untyped(text))
    }
}

/// Whether a key, as written, can match an identity that its bearer or others may change.
#[must_use]
pub fn names_mutable_identity(key: &str) -> bool {
    match Key::read(key) {
        None | Some(Key::Anybody | Key::OnChannel { .. }) => false,
        Some(Key::Typed(kind, _)) => kind.is_mutable(),
        Some(Key::Untyped(value)) => narrowed(&value).iter().any(|k| k.is_mutable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(key: &str, kind: SenderKind, value: &str) -> bool {
        let mut rules = SenderRules::default();
        rules.add(key, ());
        let mut sender = Sender::default();
        match kind {
            SenderKind::Id => sender.id = Some(value),
            SenderKind::E164 => sender.e164 = Some(value),
            SenderKind::Username => sender.username = Some(value),
            SenderKind::Name => sender.name = Some(value),
        }
        rules.find("telegram", &sender).is_some()
    }

    #[test]
    fn sp_108_a_key_matches_only_the_kinds_its_spelling_allows() {
        use SenderKind::{E164, Id, Name, Username};
        let all = [Id, E164, Username, Name];
        for (key, value, kinds) in [
            ("9", "9", &[Id][..]),
            ("+1555", "+1555", &[E164, Id]),
            ("@bob", "bob", &[Username]),
            ("bob", "BOB", &[Id, Username, Name]),
            ("John Doe", "john doe", &[Id, Username, Name]),
            ("id:9", "9", &[Id]),
            ("id:bob", "bob", &[Id]),
            ("e164:+1", "+1", &[E164, Id]),
            ("username:@Bob", "bob", &[Username]),
            ("name:Bob", "bob", &[Name]),
            ("channel:telegram:9", "9", &[Id]),
            ("channel:slack:9", "9", &[]),
            ("", "", &[]),
            ("@", "", &[]),
            ("name:", "", &[]),
        ] {
            for kind in all {
                assert_eq!(
                    hit(key, kind, value),
                    kinds.contains(&kind),
                    "{key:?} against {kind:?} {value:?}"
                );
            }
        }
    }

    #[test]
    fn the_stable_id_has_precedence_and_the_first_of_equal_keys_wins() {
        let mut rules = SenderRules::default();
        for (i, key) in
            ["*", "name:bob", "@bob", "BOB", "+1", "7", "id:7", "channel:x:7"].into_iter().enumerate()
        {
            rules.add(key, i);
        }
        let full = Sender { id: Some("7"), e164: Some("+1"), username: Some("@Bob"), name: Some("Bob") };
        let find = |channel, s: Sender<'_>| rules.find(channel, &s).map(|(i, _)| *i);
        assert_eq!(find("x", full), Some(7));
        assert_eq!(find("y", full), Some(6));
        assert_eq!(find("y", Sender { id: None, ..full }), Some(4));
        assert_eq!(find("y", Sender { id: None, e164: None, ..full }), Some(2));
        assert_eq!(find("y", Sender { name: Some("bob"), ..Sender::default() }), Some(1));
        assert_eq!(find("y", Sender { name: Some("eve"), ..Sender::default() }), Some(0));
    }

    #[test]
    fn own_keys_only() {
        let mut rules = SenderRules::default();
        rules.add("constructor", ());
        let proto = Sender { username: Some("__proto__"), ..Sender::default() };
        assert!(rules.find("x", &proto).is_none());
        let named = Sender { username: Some("constructor"), ..Sender::default() };
        assert!(rules.find("x", &named).is_some());
    }
}
