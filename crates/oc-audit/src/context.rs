//! What every check gets to see.

use oc_types::{KeyPath, Node};

use crate::{Facts, KeyRef, RuleSet};

/// One audit run: the configuration, the facts, the rule set.
#[derive(Clone, Copy, Debug)]
pub struct AuditContext<'a> {
    /// The configuration after includes and `${VAR}`; unset keys are absent (no defaults).
    pub config: &'a Node,
    /// What is known about disk, environment and gateway.
    pub facts: &'a Facts,
    /// Which rules.
    pub rules: RuleSet,
}

impl<'a> AuditContext<'a> {
    /// A context.
    #[must_use]
    pub fn new(config: &'a Node, facts: &'a Facts, rules: RuleSet) -> Self {
        Self { config, facts, rules }
    }

    /// Whether the product's own judgement is asked for.
    #[must_use]
    pub fn latest(&self) -> bool {
        self.rules == RuleSet::Latest
    }

    /// The value at object keys; `null` counts as absent, as it does for upstream's `??`.
    #[must_use]
    pub fn get(&self, keys: &[&str]) -> Option<&'a Node> {
        self.config.path(keys).filter(|n| !n.is_null())
    }

    /// The text at object keys, untrimmed; empty texts are there.
    #[must_use]
    pub fn text(&self, keys: &[&str]) -> Option<&'a str> {
        self.get(keys)?.as_str()
    }

    /// The boolean at object keys.
    #[must_use]
    pub fn flag(&self, keys: &[&str]) -> Option<bool> {
        self.get(keys)?.as_bool()
    }

    /// A reference to a key for a finding: its position, or that of the nearest enclosing key when it is unset.
    #[must_use]
    pub fn key(&self, keys: &[&str]) -> KeyRef {
        self.key_at(&KeyPath::keys(keys.iter().copied()))
    }

    /// Like [`AuditContext::key`] for a path built at run time.
    #[must_use]
    pub fn key_at(&self, path: &KeyPath) -> KeyRef {
        let (node, _, there) = self.config.nearest(path);
        KeyRef { path: path.clone(), origin: node.origin.clone(), unset: !there }
    }

    /// An environment variable, empty values included.
    #[must_use]
    pub fn env(&self, name: &str) -> Option<&'a str> {
        self.facts.environment.get(name)
    }
}
