//! Reading policies out of the configuration, with warnings for whatever is not understood.

use std::collections::{HashMap, HashSet};

use oc_types::{KeyPath, Node, Origin};

use super::list::{Entry, List, Lists, Place, Standing};
use super::matcher::{Side, Term, expand};
use super::rule::{Extras, ProfileRule, Rule, ScopeRule, binding};
use super::warning::{Warning, WarningKind};
use crate::group::{self, GROUPS};
use crate::inventory::{Inventory, is_channel};
use crate::profile::Profile;
use crate::tool_name::{ALIASES, CHANNELS, CORE, MAX_NAME, MEMORY, WHATSAPP_LOGIN, canonical};

/// Most warnings kept; beyond it one line says how many more there are.
const MAX_WARNINGS: usize = 1000;

/// What compiling needs to know, and what it found.
#[derive(Debug)]
pub(crate) struct Reader<'i> {
    pub inventory: &'i Inventory,
    /// `exec` in the inventory.
    pub exec: Option<usize>,
    /// Channels that the configuration sets up, normalised.
    channels: Vec<String>,
    warnings: Vec<Warning>,
    dropped: usize,
    quiet: bool,
    known: HashMap<Box<str>, Known>,
}

/// What an entry's word names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    /// A plugin's tool, a plugin or `group:plugins`.
    Plugin,
    /// A channel.
    Channel,
    /// Anything else that is known: tools, groups, patterns that match something, blanks.
    Yes,
    /// Nothing; the nearest known word, if one is near.
    No(Option<String>),
}

impl<'i> Reader<'i> {
    pub fn new(config: &Node, inventory: &'i Inventory) -> Self {
        let channels = config.get("channels").and_then(Node::as_object);
        let channels = channels.into_iter().flat_map(|o| o.keys()).filter(|k| *k != "defaults");
        Self {
            inventory,
            exec: inventory.id("exec"),
            channels: channels.map(|k| k.trim().to_lowercase()).collect(),
            warnings: Vec::new(),
            dropped: 0,
            quiet: false,
            known: HashMap::new(),
        }
    }

    /// Without warnings.
    pub fn quiet(self) -> Self {
        Self { quiet: true, ..self }
    }

    pub fn warn(&mut self, kind: WarningKind, key_path: KeyPath, source: &Origin, message: String) {
        self.push(Warning { kind, key_path, source: source.clone(), message, nearest: None });
    }

    fn push(&mut self, warning: Warning) {
        if self.quiet {
            return;
        }
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(warning);
        } else {
            self.dropped += 1;
        }
    }

    pub fn into_warnings(mut self) -> Vec<Warning> {
        if self.dropped > 0 {
            let message = format!("{} further warnings about tool lists are left out", self.dropped);
            self.warnings.push(Warning {
                kind: WarningKind::UnknownEntry,
                key_path: KeyPath::root(),
                source: Origin::Default,
                message,
                nearest: None,
            });
        }
        self.warnings
    }

    /// A policy object without a profile: a room's `tools`, a sender's policy.
    pub fn policy(&mut self, node: &Node, place: Place) -> Rule {
        let lists = self.lists(node, &place);
        let deny = lists.deny.clone().into_iter().collect();
        let mut rule = Rule::new(self, place, node.origin.clone(), binding(&lists), deny);
        rule.also = lists.also;
        rule
    }

    /// A policy object that may name a profile.
    pub fn scope(&mut self, node: &Node, place: Place) -> ScopeRule {
        let lists = self.lists(node, &place);
        let mut profile = self.profile(node, &place);
        let mut allow = binding(&lists);
        let deny = lists.deny.clone().into_iter().collect();
        let mut additive: Vec<List> = Vec::new();
        if let Some(ProfileRule { rule: Some(rule), word, .. }) = &mut profile
            && Profile::parse(word).is_some()
            && allow.iter().any(|l| !l.is_blank())
            && allow.iter().all(|l| l.is_blank() || self.only_adds(l))
        {
            // The one exception to "an allow list binds": beside a profile, a list of plugin tools or channels adds to it.
            let mut united = std::mem::take(&mut rule.allow_lists);
            united.extend(allow.iter().cloned());
            *rule = Rule::new(self, rule.place.clone(), rule.origin.clone(), united, Vec::new());
            additive = std::mem::take(&mut allow);
        }
        let mut rule = Rule::new(self, place, node.origin.clone(), allow, deny);
        if !additive.is_empty() {
            rule.channels.allow = self.channel_words(&additive);
        }
        rule.additive = additive.into_iter().find(|l| !l.is_blank());
        rule.also = lists.also.clone();
        let extras = lists.also.map(|l| Extras::new(self, l));
        ScopeRule { rule, profile, extras }
    }

    fn profile(&mut self, node: &Node, place: &Place) -> Option<ProfileRule> {
        let value = node.get("profile")?;
        let (place, origin) = (place.step("profile"), value.origin.clone());
        let word = value.as_str().unwrap_or_default().to_owned();
        let rule = match Profile::parse(&word) {
            Some(p) => p.allow().map(|names| {
                let list = List::fixed(place.clone(), origin.clone(), Standing::Builtin, names);
                Rule::new(self, place.clone(), origin.clone(), vec![list], Vec::new())
            }),
            None => {
                let names = Profile::ALL.map(Profile::name);
                let message = format!("no such profile; use {}. Until then no tool passes", names.join(", "));
                let nearest = oc_text::distance::nearest(&word, names).map(str::to_owned);
                self.push(Warning {
                    kind: WarningKind::UnknownWord,
                    key_path: place.path(),
                    source: origin.clone(),
                    message,
                    nearest,
                });
                let mut list = List::fixed(place.clone(), origin.clone(), Standing::Set, &[]);
                list.malformed = true;
                Some(Rule::new(self, place.clone(), origin.clone(), vec![list], Vec::new()))
            }
        };
        Some(ProfileRule { word, rule, place, origin })
    }

    fn lists(&mut self, node: &Node, place: &Place) -> Lists {
        if node.as_object().is_none() {
            let message = format!("a {} where a policy is expected; no tool passes", node.value.type_name());
            self.warn(WarningKind::WrongShape, place.path(), &node.origin, message);
            let mut deny = List::fixed(place.clone(), node.origin.clone(), Standing::Set, &[]);
            deny.malformed = true;
            return Lists { allow: None, also: None, deny: Some(deny) };
        }
        let lists = Lists::read(node, place);
        if let (Some(allow), Some(also)) = (&lists.allow, &lists.also)
            && !allow.entries.is_empty()
            && !also.entries.is_empty()
        {
            let message = "stands beside allow; use one of the two in one place".to_owned();
            self.warn(WarningKind::AllowAndAlsoAllow, also.place.path(), &also.origin, message);
        }
        self.check(lists.allow.as_ref(), Side::Allow);
        self.check(lists.also.as_ref(), Side::Allow);
        self.check(lists.deny.as_ref(), Side::Deny);
        lists
    }

    /// Warns about entries that name nothing.
    pub fn check(&mut self, list: Option<&List>, side: Side) {
        let Some(list) = list else { return };
        if list.malformed {
            let message = match side {
                Side::Allow => "not a list of texts; what is no text matches no tool",
                Side::Deny => "not a list of texts; every tool is refused here",
            };
            self.warn(WarningKind::WrongShape, list.place.path(), &list.origin, message.to_owned());
        }
        if self.quiet {
            return;
        }
        let mut known = 0_usize;
        for entry in &list.entries {
            match self.classify(&entry.text) {
                Known::No(nearest) => self.push(unknown(list, entry, nearest)),
                Known::Plugin | Known::Channel | Known::Yes => known += 1,
            }
        }
        if known == 0 && !list.entries.is_empty() && side == Side::Allow {
            let message =
                "names nothing that is known; an allow list always binds, so it blocks every tool here";
            self.warn(WarningKind::NothingKnown, list.place.path(), &list.origin, message.to_owned());
        }
    }

    /// Whether the list consists of plugin tools, plugins, `group:plugins` and channels only (tool-policy 2.2).
    fn only_adds(&mut self, list: &List) -> bool {
        let mut some = false;
        let mut only = !list.malformed;
        for entry in list.entries.iter().filter(|e| !e.text.trim().is_empty()) {
            some = true;
            only &= matches!(self.classify(&entry.text), Known::Plugin | Known::Channel);
        }
        some && only
    }

    fn classify(&mut self, text: &str) -> Known {
        let word = canonical(text);
        if word.len() > MAX_NAME && !word.contains('*') {
            return Known::No(None);
        }
        if let Some(known) = self.known.get(&*word) {
            return known.clone();
        }
        let known = self.look_up(&word);
        if word.len() <= MAX_NAME {
            self.known.insert((*word).into(), known.clone());
        }
        known
    }

    fn look_up(&self, word: &str) -> Known {
        let inventory = self.inventory;
        if word.is_empty() || word == "*" {
            return Known::Yes;
        }
        if word == group::PLUGINS {
            return Known::Plugin;
        }
        if group::members(word).is_some() {
            return Known::Yes;
        }
        match inventory.id(word) {
            Some(id) if inventory.owner_of(id).is_some() => return Known::Plugin,
            Some(_) => return Known::Yes,
            None => {}
        }
        if CORE.contains(&word) || MEMORY.contains(&word) || word == WHATSAPP_LOGIN {
            return Known::Yes;
        }
        if !inventory.of_plugin(word).is_empty() {
            return Known::Plugin;
        }
        if is_channel(word, &self.channels) {
            return Known::Channel;
        }
        if word.contains('*') {
            let mut hit = false;
            expand(word, inventory, Side::Deny, &mut |term| {
                if let Term::Word(pattern) = term {
                    hit |= inventory.names().chain(CORE.iter().copied()).any(|n| pattern.matches(n));
                }
            });
            return if hit { Known::Yes } else { Known::No(None) };
        }
        Known::No(if self.quiet { None } else { nearest_tool(inventory, word) })
    }

    /// The channel ids among the entries, normalised.
    pub fn channel_words(&self, lists: &[List]) -> Vec<String> {
        let mut seen = HashSet::new();
        let words = lists.iter().flat_map(|l| &l.entries).map(|e| canonical(&e.text));
        words
            .filter(|w| self.inventory.id(w).is_none() && is_channel(w, &self.channels))
            .filter(|w| seen.insert(w.to_string()))
            .map(std::borrow::Cow::into_owned)
            .collect()
    }
}

/// The known word nearest to one that is not: tools first, then groups, plugins, channels, aliases.
pub(crate) fn nearest_tool(inventory: &Inventory, word: &str) -> Option<String> {
    let names = CORE.iter().chain(MEMORY).copied();
    let names = names.chain(inventory.names()).chain(GROUPS.iter().map(|(g, _)| *g));
    let names = names.chain([group::PLUGINS]).chain(inventory.plugin_ids());
    let names = names.chain(CHANNELS.iter().copied()).chain(ALIASES.iter().map(|(a, _)| *a));
    oc_text::distance::nearest(word, names).map(str::to_owned)
}

fn unknown(list: &List, entry: &Entry, nearest: Option<String>) -> Warning {
    let shown: String = entry.text.chars().take(60).collect();
    Warning {
        kind: WarningKind::UnknownEntry,
        key_path: list.place.path().index(entry.index),
        source: entry.origin.clone(),
        message: format!("{shown:?} is no tool, group, plugin or channel; it matches nothing"),
        nearest,
    }
}
