//! The check modules and their order (audit spec 1.2).

use crate::checks::{
    browser, elevated, exposure, extensions, gateway, hooks, logging, models, modes, probe, secrets,
    small_models, surface, synced,
};
use crate::{AuditContext, Findings, RuleSet, Wanted, channels, code_scan, latest};

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

const fn both(
    name: &'static str,
    wants: fn(&AuditContext<'_>, &mut Wanted),
    run: fn(&AuditContext<'_>, &mut Findings),
) -> Module {
    Module { name, rules: Rules::Both, wants, run }
}

/// The era's modules, in order. Both rule sets run them.
pub const ERA: &[Module] = &[
    both("surface", no_facts, surface::run),
    both("synced", no_facts, synced::run),
    both("gateway", no_facts, gateway::run),
    both("browser", no_facts, browser::run),
    both("logging", no_facts, logging::run),
    both("elevated", no_facts, elevated::run),
    both("hooks", no_facts, hooks::run),
    both("secrets", no_facts, secrets::run),
    both("models", no_facts, models::run),
    both("small-models", no_facts, small_models::run),
    both("exposure", no_facts, exposure::run),
    both("modes", modes::wants, modes::run),
    both("extensions", extensions::wants, extensions::run),
    both("code-scan", no_facts, code_scan::check::run),
    both("channels", channels::wants, channels::run),
    both("probe", no_facts, probe::run),
];

/// The modules of a rule set, in order.
pub fn of(rules: RuleSet) -> impl Iterator<Item = &'static Module> {
    let more: &'static [Module] = match rules {
        RuleSet::Era => &[],
        RuleSet::Latest => latest::MODULES,
    };
    ERA.iter().chain(more)
}
