//! Holding a tree against the vocabulary (SP-050).
//!
//! Every issue names the key path, the place of the key token, what is wrong and what to do; unknown keys and words come
//! with the nearest valid one. A credential is never shown. Issues come in the order of the tree, at most
//! [`MAX_ISSUES`] of them.

use std::collections::BTreeSet;

use oc_types::{KeyPath, Node};

use crate::{Issue, Reading};

mod agent;
mod channel;
mod credential;
mod describe;
mod gateway;
mod plugin;
mod policy;
mod shape;
mod suggest;

#[cfg(test)]
mod tests;

pub use plugin::{Plugin, Plugins};

/// What a kind takes in the product's reading, in words for the reference page: `true or false`, `off, on or auto`.
#[must_use]
pub fn expected_text(kind: &crate::schema::Kind) -> String {
    match kind {
        crate::schema::Kind::Secret => "text or a reference".to_owned(),
        kind => describe::expected(kind, Reading::Product),
    }
}

/// Most issues of one check; what is beyond is counted, not listed.
pub const MAX_ISSUES: usize = 100;

/// What the checks need to know beside the tree.
#[derive(Clone, Copy, Debug)]
pub struct ValidateContext<'a> {
    /// By whose rules.
    pub reading: Reading,
    /// The plugins found on disk; `None` when nobody looked. Then ids that are not bundled are let through, to be checked
    /// by [`plugins`] once somebody has.
    pub plugins: Option<&'a Plugins>,
}

/// Holds a tree against the vocabulary. Empty: the configuration may be acted upon.
///
/// The tree is the whole configuration after includes, substitution and [`crate::migrate::migrate`].
#[must_use]
pub fn validate(tree: &Node, context: &ValidateContext<'_>) -> Vec<Issue> {
    let mut report = Report::default();
    shape::check(tree, context, &mut report);
    channel::check(tree, context, &mut report);
    policy::check(tree, &mut report);
    agent::check(tree, context, &mut report);
    gateway::check(tree, context, &mut report);
    credential::check(tree, context, &mut report);
    if let Some(found) = context.plugins {
        plugin::check(tree, found, &mut report);
    }
    report.into_issues()
}

/// The rules about plugin and channel ids alone, for a caller that looks for plugins after loading. Issues as
/// [`validate`] would report them with these plugins.
#[must_use]
pub fn plugins(tree: &Node, found: &Plugins) -> Vec<Issue> {
    let mut report = Report::default();
    plugin::check(tree, found, &mut report);
    report.into_issues()
}

/// The issues found so far. One key path is reported once: the first finding stands.
#[derive(Debug, Default)]
struct Report {
    issues: Vec<Issue>,
    seen: BTreeSet<KeyPath>,
    dropped: usize,
}

impl Report {
    /// Adds an issue at a path, unless that path has one already.
    fn add(&mut self, issue: Issue) {
        if self.seen.contains(&issue.path) {
            return;
        }
        if self.issues.len() >= MAX_ISSUES {
            self.dropped += 1;
            return;
        }
        self.seen.insert(issue.path.clone());
        self.issues.push(issue);
    }

    /// Adds an issue with a fix.
    fn say(&mut self, path: KeyPath, node: &Node, message: impl Into<String>, fix: impl Into<String>) {
        let fix = Some(fix.into());
        self.add(Issue { path, origin: node.origin.clone(), message: message.into(), nearest: None, fix });
    }

    /// Whether the list is full: costly suggestions are then no longer worked out.
    fn is_full(&self) -> bool {
        self.issues.len() >= MAX_ISSUES
    }

    fn into_issues(mut self) -> Vec<Issue> {
        if self.dropped > 0 {
            self.issues.push(Issue {
                path: KeyPath::root(),
                origin: oc_types::Origin::Builtin,
                message: format!("{} more problems are not listed", self.dropped),
                nearest: None,
                fix: Some("mend the ones above first".to_owned()),
            });
        }
        self.issues
    }
}
