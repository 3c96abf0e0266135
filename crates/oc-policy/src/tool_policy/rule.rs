//! One policy of one layer, compiled: which tools pass.

use oc_types::Origin;

use super::list::{List, Lists, Place};
use super::matcher::{Bits, Candidate, Matcher, Side};
use super::reader::Reader;
use crate::group;
use crate::tool_name::canonical;

/// A policy at one place.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub place: Place,
    pub origin: Origin,
    /// The allow lists that bind together; empty when nothing binds.
    pub allow_lists: Vec<List>,
    pub deny_lists: Vec<List>,
    /// An allow list that adds to the profile beside it instead of binding.
    pub additive: Option<List>,
    /// `alsoAllow` of the same object: binds nothing, but names optional tools.
    pub also: Option<List>,
    allow: Option<Matcher>,
    deny: Matcher,
    pass: Bits,
    /// Where `message` may go because of this policy.
    pub channels: ChannelWords,
}

/// Channel ids in a policy's lists (tool-policy 2.2): they scope `message`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChannelWords {
    pub allow: Vec<String>,
    pub deny: Vec<String>,
}

impl Rule {
    /// Compiles lists that bind. `allow_lists` empty: nothing binds on that side.
    pub fn new(
        reader: &Reader<'_>,
        place: Place,
        origin: Origin,
        allow_lists: Vec<List>,
        deny_lists: Vec<List>,
    ) -> Self {
        let inventory = reader.inventory;
        let usable = allow_lists.iter().any(|l| !l.is_blank());
        let allow = usable.then(|| {
            allow_lists
                .iter()
                .fold(Matcher::builder(inventory, Side::Allow), super::matcher::Builder::list)
                .build()
        });
        let mut deny =
            deny_lists.iter().fold(Matcher::builder(inventory, Side::Deny), super::matcher::Builder::list);
        if deny_lists.iter().any(|l| l.malformed) {
            // What cannot be read could have been anything.
            deny = deny.word("*");
        }
        let deny = deny.build();
        let channels = ChannelWords {
            allow: reader.channel_words(&allow_lists),
            deny: reader.channel_words(&deny_lists),
        };
        let mut rule = Self {
            place,
            origin,
            allow_lists,
            deny_lists,
            additive: None,
            also: None,
            allow,
            deny,
            pass: Bits::none(inventory.len()),
            channels,
        };
        rule.fill(reader);
        rule
    }

    fn fill(&mut self, reader: &Reader<'_>) {
        for (id, name) in reader.inventory.names().enumerate() {
            let tool = Candidate { id: Some(id), name };
            if self.ask(tool, reader.exec) {
                self.pass.set(id);
            }
        }
    }

    fn ask(&self, tool: Candidate<'_>, exec: Option<usize>) -> bool {
        !self.deny.matches(tool) && self.admits(tool, exec)
    }

    /// Whether the tool passes.
    pub fn passes(&self, tool: Candidate<'_>, exec: Option<usize>) -> bool {
        match tool.id {
            Some(id) => self.pass.has(id),
            None => self.ask(tool, exec),
        }
    }

    /// Whether one of the lists names an optional tool, its plugin or all plugins literally.
    pub fn names(&self, tool: &str, plugin: &str) -> bool {
        let lists = self.allow_lists.iter().chain(&self.additive).chain(&self.also);
        lists.flat_map(|l| &l.entries).any(|e| {
            let word = canonical(&e.text);
            word == tool || word == plugin || word == group::PLUGINS
        })
    }

    /// The allow side by itself.
    pub fn admits(&self, tool: Candidate<'_>, exec: Option<usize>) -> bool {
        self.allow.as_ref().is_none_or(|a| a.admits(tool, exec))
    }

    pub fn has_allow(&self) -> bool {
        self.allow.is_some()
    }
}

/// Names added to a profile (`alsoAllow`).
#[derive(Clone, Debug)]
pub(crate) struct Extras {
    pub list: List,
    matcher: Matcher,
}

impl Extras {
    pub fn new(reader: &Reader<'_>, list: List) -> Self {
        let matcher = Matcher::builder(reader.inventory, Side::Allow).list(&list).build();
        Self { list, matcher }
    }

    pub fn admits(&self, tool: Candidate<'_>, exec: Option<usize>) -> bool {
        self.matcher.admits(tool, exec)
    }
}

/// One object that holds a policy, and perhaps a profile: `tools`, an agent's `tools`, an entry of `byProvider`.
#[derive(Clone, Debug)]
pub(crate) struct ScopeRule {
    /// `allow`, `alsoAllow`, `deny`.
    pub rule: Rule,
    /// The profile named here; `None` when the key is absent.
    pub profile: Option<ProfileRule>,
    /// What `alsoAllow` here adds to a profile, when it is a list.
    pub extras: Option<Extras>,
}

/// A profile in force.
#[derive(Clone, Debug)]
pub(crate) struct ProfileRule {
    /// The word in the configuration.
    pub word: String,
    /// `None` for `full`.
    pub rule: Option<Rule>,
    pub place: Place,
    pub origin: Origin,
}

/// The lists of an object that bind, as `allow` and `alsoAllow` mean together (tool-policy 2.1).
///
/// `allow` absent, or `[]` beside a non-empty `alsoAllow`: the object restricts nothing by itself.
pub(crate) fn binding(lists: &Lists) -> Vec<List> {
    let also = lists.also.as_ref().filter(|l| !l.entries.is_empty());
    match (&lists.allow, also) {
        (None, _) => Vec::new(),
        (Some(allow), Some(_)) if allow.entries.is_empty() && !allow.malformed => Vec::new(),
        (Some(allow), also) => std::iter::once(allow).chain(also).cloned().collect(),
    }
}
