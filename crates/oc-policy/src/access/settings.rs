//! The settings of one account of one channel: account first, then channel; key by key, an object replaces an object (channels 3).

use oc_types::{AccountId, ChannelId, Effect, KeyPath, Node, Trace, TraceStep};

use super::place::Place;

/// A value and where it stands, or where it would stand.
#[derive(Clone, Debug)]
pub(crate) struct Setting<'a> {
    /// The value; `None` when unset.
    pub(crate) node: Option<&'a Node>,
    /// Where it stands; of an unset value the channel's.
    pub(crate) place: Place<'a>,
}

impl<'a> Setting<'a> {
    /// The whole configuration.
    fn root(config: &'a Node) -> Self {
        Self { node: Some(config), place: Place::default() }
    }

    /// A member of this value.
    pub(crate) fn get(&self, key: &'a str) -> Self {
        Self { node: self.node.and_then(|n| n.get(key)), place: self.place.key(key) }
    }

    /// A member that is there, by a name that comes from elsewhere (a room, a topic).
    pub(crate) fn member(&self, name: &str) -> Option<Self> {
        let (key, _) = self.node.and_then(Node::as_object)?.get_key_value(name)?;
        Some(self.get(key))
    }

    /// Its key path.
    pub(crate) fn path(&self) -> KeyPath {
        self.place.path()
    }

    pub(crate) fn as_str(&self) -> Option<&'a str> {
        self.node.and_then(Node::as_str)
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        self.node.and_then(Node::as_bool)
    }

    /// The members of an object value with at least one.
    pub(crate) fn entries(&self) -> Option<&'a oc_types::Object> {
        self.node.and_then(Node::as_object).filter(|o| !o.is_empty())
    }

    /// Whether the key is there, whatever its value.
    pub(crate) fn is_set(&self) -> bool {
        self.node.is_some()
    }
}

/// The settings of an account.
#[derive(Clone, Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) config: &'a Node,
    section: Setting<'a>,
    account: Option<Setting<'a>>,
}

impl<'a> Settings<'a> {
    /// Finds the channel's section and, in it, the account: its exact name first, then the same id in another spelling.
    pub(crate) fn of(config: &'a Node, channel: &ChannelId, account: &str) -> Self {
        let section = section(&Setting::root(config).get("channels"), channel);
        let accounts = section.get("accounts");
        let name = accounts.node.and_then(Node::as_object).and_then(|o| {
            let wanted = AccountId::normalized(account);
            o.get_key_value(account).or_else(|| o.iter().find(|(k, _)| AccountId::normalized(k) == wanted))
        });
        let account =
            name.map(|(k, _)| accounts.get(k)).filter(|a| a.node.is_some_and(|n| n.as_object().is_some()));
        Self { config, section, account }
    }

    /// Whether the channel has a section at all.
    pub(crate) fn exists(&self) -> bool {
        self.section.node.is_some_and(|n| n.as_object().is_some())
    }

    /// The value of a key: the account's if it is there, else the channel's.
    pub(crate) fn get(&self, key: &'a str) -> Setting<'a> {
        match self.account.as_ref().map(|a| a.get(key)) {
            Some(own) if own.is_set() => own,
            Some(_) | None => self.section.get(key),
        }
    }

    /// The channel's own value of a key that the account replaces, if it has one.
    pub(crate) fn shadowed(&self, key: &'a str) -> Option<Setting<'a>> {
        let own = self.account.as_ref()?.get(key);
        let outer = self.section.get(key);
        (own.is_set() && outer.is_set()).then_some(outer)
    }

    /// The account's section, if the message's account has one.
    pub(crate) fn account(&self) -> Option<&Setting<'a>> {
        self.account.as_ref()
    }

    /// The switch that turns the channel or the account off, if one does (SP-423). Anything but `true` or absent counts as off.
    pub(crate) fn switched_off(&self) -> Option<Setting<'a>> {
        let off = |s: Setting<'a>| (s.is_set() && s.as_bool() != Some(true)).then_some(s);
        self.account.as_ref().and_then(|a| off(a.get("enabled"))).or_else(|| off(self.section.get("enabled")))
    }

    /// A key of `channels.defaults`.
    pub(crate) fn default_of(&self, key: &'a str) -> Setting<'a> {
        Setting::root(self.config).get("channels").get("defaults").get(key)
    }

    /// Whether a literal `true` stands at a key.
    pub(crate) fn is_on(&self, key: &'a str) -> bool {
        self.get(key).as_bool() == Some(true)
    }
}

/// The section of a channel: under its own name, else under a spelling that means it (`imsg`, `gchat`).
fn section<'a>(channels: &Setting<'a>, channel: &ChannelId) -> Setting<'a> {
    let other = || {
        let members = channels.node.and_then(Node::as_object)?;
        members.keys().find(|k| ChannelId::parse(k).is_ok_and(|c| c == *channel)).map(|k| channels.get(k))
    };
    // Of a channel without a section the name is the message's.
    let absent = || Setting { node: None, place: Place::of(channels.path().key(channel.as_str())) };
    channels.member(channel.as_str()).or_else(other).unwrap_or_else(absent)
}

/// A trace step about a key: positioned at the key, or at the nearest enclosing one that exists.
pub(crate) fn step(
    config: &Node,
    layer: &str,
    rule: &str,
    path: KeyPath,
    effect: Effect,
    detail: String,
) -> TraceStep {
    let (node, found) = config.nearest_value(&path);
    TraceStep {
        layer: layer.to_owned(),
        rule: rule.to_owned(),
        key_path: Some(path),
        source: node.origin.clone(),
        unset: !found,
        effect,
        detail,
    }
}

/// A trace that is being written, when somebody wants it.
#[derive(Debug)]
pub(crate) struct Steps<'a> {
    pub(crate) config: &'a Node,
    /// `None`: the decision is carried out and nobody reads how it came about.
    pub(crate) trace: Option<Trace>,
}

impl Steps<'_> {
    /// A rule that was consulted: its key path and one sentence, which are made only when the trace is wanted.
    pub(crate) fn add<T: Into<String>>(
        &mut self,
        layer: &str,
        rule: &str,
        effect: Effect,
        told: impl FnOnce() -> (KeyPath, T),
    ) {
        let Some(trace) = &mut self.trace else { return };
        let (path, detail) = told();
        trace.push(step(self.config, layer, rule, path, effect, detail.into()));
    }
}
