//! Lists resolved against the inventory: a bit for each tool, and patterns for names that are not in it.

use crate::group;
use crate::inventory::Inventory;
use crate::pattern::{Glob, Pattern};
use crate::tool_name::canonical;

use super::list::List;

/// A set of inventory tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bits(Box<[u64]>);

impl Bits {
    pub fn none(tools: usize) -> Self {
        Self(vec![0; tools.div_ceil(64)].into())
    }

    pub fn set(&mut self, id: usize) {
        if let Some(word) = self.0.get_mut(id / 64) {
            *word |= 1 << (id % 64);
        }
    }

    pub fn has(&self, id: usize) -> bool {
        self.0.get(id / 64).is_some_and(|word| word & (1 << (id % 64)) != 0)
    }
}

/// A tool as the matchers ask for it: its number in the inventory, if it has one, and its canonical name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub id: Option<usize>,
    pub name: &'a str,
}

/// Which side of a policy a list is on. A word that could mean two things means the narrower one on each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Allow,
    Deny,
}

/// What a list matches.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    bits: Bits,
    any: bool,
    names: Vec<Box<str>>,
    globs: Vec<Glob>,
}

impl Matcher {
    pub fn builder(inventory: &Inventory, side: Side) -> Builder<'_> {
        Builder {
            inventory,
            side,
            matcher: Self {
                bits: Bits::none(inventory.len()),
                any: false,
                names: Vec::new(),
                globs: Vec::new(),
            },
        }
    }

    pub fn matches(&self, tool: Candidate<'_>) -> bool {
        match tool.id {
            Some(id) => self.bits.has(id),
            None => {
                self.any
                    || self.names.iter().any(|n| **n == *tool.name)
                    || self.globs.iter().any(|g| g.matches(tool.name))
            }
        }
    }

    /// As an allow list: what matches `exec` admits `apply_patch` too (tool-policy 2, step 4).
    pub fn admits(&self, tool: Candidate<'_>, exec: Option<usize>) -> bool {
        self.matches(tool)
            || (tool.name == "apply_patch" && self.matches(Candidate { id: exec, name: "exec" }))
    }
}

/// Fills a [`Matcher`].
#[derive(Debug)]
pub(crate) struct Builder<'i> {
    inventory: &'i Inventory,
    side: Side,
    matcher: Matcher,
}

impl Builder<'_> {
    pub fn list(mut self, list: &List) -> Self {
        for entry in &list.entries {
            self.entry(&entry.text);
        }
        self
    }

    pub fn word(mut self, text: &str) -> Self {
        self.entry(text);
        self
    }

    fn entry(&mut self, text: &str) {
        let (inventory, side) = (self.inventory, self.side);
        expand(&canonical(text), inventory, side, &mut |term| match term {
            Term::Tool(id) => self.matcher.bits.set(id),
            Term::Word(Pattern::Exact(name)) => match inventory.id(&name) {
                Some(id) => self.matcher.bits.set(id),
                None => self.matcher.names.push(name),
            },
            Term::Word(Pattern::Any) => {
                self.matcher.any = true;
                (0..inventory.len()).for_each(|id| self.matcher.bits.set(id));
            }
            Term::Word(Pattern::Glob(glob)) => {
                for (id, name) in inventory.names().enumerate() {
                    if glob.matches(name) {
                        self.matcher.bits.set(id);
                    }
                }
                self.matcher.globs.push(glob);
            }
        });
    }

    pub fn build(self) -> Matcher {
        self.matcher
    }
}

/// What one entry stands for.
pub(crate) enum Term {
    /// A tool of the inventory, through its plugin.
    Tool(usize),
    /// A word or pattern.
    Word(Pattern),
}

/// Expands one canonical entry: a group to its members, `group:plugins` and a plugin's id to the tools that are there.
pub(crate) fn expand(word: &str, inventory: &Inventory, side: Side, take: &mut dyn FnMut(Term)) {
    if word.is_empty() {
        return;
    }
    if let Some(members) = group::members(word) {
        members.iter().for_each(|m| take(Term::Word(Pattern::Exact((*m).into()))));
        return;
    }
    let owned: Vec<usize> = if word == group::PLUGINS {
        inventory.plugin_tools().collect()
    } else {
        inventory.of_plugin(word).to_vec()
    };
    let is_own_tool = inventory.id(word).is_some_and(|id| inventory.owner_of(id).is_none());
    // A plugin may be called like one of the product's tools: denying the word denies both, allowing it allows the tool.
    if owned.is_empty() || (is_own_tool && side == Side::Allow) {
        take(Term::Word(Pattern::new(word)));
        return;
    }
    if is_own_tool {
        take(Term::Word(Pattern::new(word)));
    }
    owned.into_iter().for_each(|id| take(Term::Tool(id)));
}

/// Whether one entry, by itself, matches a tool.
pub(crate) fn entry_matches(text: &str, tool: Candidate<'_>, inventory: &Inventory, side: Side) -> bool {
    let mut hit = false;
    expand(&canonical(text), inventory, side, &mut |term| {
        hit |= match term {
            Term::Tool(id) => tool.id == Some(id),
            Term::Word(pattern) => pattern.matches(tool.name),
        };
    });
    hit
}
