//! The checks that only the latest rules have (audit spec 2 and 5).
//!
//! They run after the era's modules and may amend or withdraw what those found (a placeholder token instead of a short one).
//! To add checks: a file `latest/<noun>.rs` with a `wants` and a `run` function, one line in [`MODULES`], one entry per id in
//! `catalogue/latest.rs`.

use crate::module::{Module, Rules, no_facts};
use crate::{AuditContext, Finding, Findings, Wanted};

mod binds;
mod browser;
mod channel_lists;
mod doctor;
mod exec;
mod exec_scope;
mod exposure;
mod flags;
mod gateway;
mod hooks;
pub mod law;
mod models;
mod nodes;
mod open_doors;
mod outsiders;
mod plugins;
mod reach;
mod resolve;
mod roster;
mod safe_bins;
mod sandbox;
mod secrets;
mod sessions;
mod skills;
mod state_tree;
mod suppress;
mod tools;

const fn module(
    name: &'static str,
    wants: fn(&AuditContext<'_>, &mut Wanted),
    run: fn(&AuditContext<'_>, &mut Findings),
) -> Module {
    Module { name, rules: Rules::LatestOnly, wants, run }
}

/// The modules, in report order.
pub const MODULES: &[Module] = &[
    module("latest-flags", no_facts, flags::run),
    module("latest-roster", no_facts, roster::run),
    module("latest-gateway", no_facts, gateway::run),
    module("latest-nodes", no_facts, nodes::run),
    module("latest-hooks", no_facts, hooks::run),
    module("latest-browser", browser::wants, browser::run),
    module("latest-sandbox", binds::wants, sandbox::run),
    module("latest-exec", exec::wants, exec::run),
    module("latest-safe-bins", safe_bins::wants, safe_bins::run),
    module("latest-tools", no_facts, tools::run),
    module("latest-exposure", no_facts, exposure::run),
    module("latest-doctor", no_facts, doctor::run),
    module("latest-models", no_facts, models::run),
    module("latest-channels", no_facts, channel_lists::run),
    module("latest-sessions", sessions::wants, sessions::run),
    module("latest-state-tree", state_tree::wants, state_tree::run),
    module("latest-secrets", secrets::wants, secrets::run),
    module("latest-skills", skills::wants, skills::run),
    module("latest-plugins", plugins::wants, plugins::run),
];

/// A finding that the operator has suppressed, with the reason given (SP-286).
#[derive(Clone, Debug, PartialEq)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// The operator's reason.
    pub reason: Option<String>,
}

/// Splits the findings into those that are reported and those that `security.audit.suppressions` holds back. Latest rules only.
#[must_use]
pub fn suppress(ctx: &AuditContext<'_>, findings: Findings) -> (Vec<Finding>, Vec<Suppressed>) {
    suppress::apply(ctx, findings)
}
