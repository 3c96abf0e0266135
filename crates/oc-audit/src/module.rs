//! The check modules and their order (audit spec 1.2).

use crate::{AuditContext, Findings, RuleSet, Wanted, latest};

/// A group of checks that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    /// A word for tests and traces.
    pub name: &'static str,
    /// Which rule sets it is part of.
    pub rules: Rules,
    /// Adds the facts it needs. Asked again, with what is known by then, until nothing new is wanted.
    pub wants: fn(&AuditContext<'_>, &mut Wanted),
    /// Adds its findings.
    pub run: fn(&AuditContext<'_>, &mut Findings),
}

/// Which rule sets a module is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Both: the era's checks. Where the latest rules judge differently, the module asks [`AuditContext::latest`].
    Both,
    /// The latest rules only.
    LatestOnly,
}

/// For modules that read only the configuration.
pub fn no_facts(_: &AuditContext<'_>, _: &mut Wanted) {}

/// The era's modules, in order. Both rule sets run them.
pub const ERA: &[Module] = &[];

/// The modules of a rule set, in order.
pub fn of(rules: RuleSet) -> impl Iterator<Item = &'static Module> {
    let more: &'static [Module] = match rules {
        RuleSet::Era => &[],
        RuleSet::Latest => latest::MODULES,
    };
    ERA.iter().chain(more)
}
