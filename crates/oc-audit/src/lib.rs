//! The audit: what would let a stranger in, and what can be mended safely?
//!
//! Pure: [`Facts`] about the disk, the environment and the running gateway come in together with the configuration; a
//! [`Report`] and a [`FixPlan`](fix::FixPlan) go out. Nothing here opens a file, asks a clock or changes anything;
//! `oc-fs` collects the facts and carries the plan out.
//!
//! * [`rules`]: the two rule sets, [`RuleSet::Era`] (`--rules 2026.2`) and [`RuleSet::Latest`] (the default).
//! * [`catalogue`]: one entry per check; `docs/audit-checks.md` and `openclaw security checks` are made from it.
//! * [`module`]: the ordered list of check modules; each says which facts it [`wants`](module::Module::wants) and how it runs.
//! * [`facts`]: what is known; [`facts::Wanted`]: what is to be found out.
//! * [`code_scan`]: the static scan of plugin and skill code.
//! * [`evidence`]: the masks of an evidence bundle.
//! * [`map`]: what is sensitive, where it is, who can read it.
//! * [`mod@format`]: reports for other programs.
//! * [`secret_scan`]: credentials in files that the model reads.
//! * [`finding`], [`report`]: the result, with the key and file position behind each finding.
//! * [`checks`], [`channels`]: the checks of the era; [`latest`]: those of the latest rules.
//! * [`gateway_auth`], [`browser_profiles`], [`model_ids`], [`agents`], [`workspace`]: settings resolved the way the product
//!   resolves them, for more than one check.
//! * [`fix`]: the change set of `--fix`, as data; [`lockdown`]: that of `openclaw security lockdown`.
//! * [`rotation`]: where a secret stands that is to be changed.
//!
//! Invariant: without `--fix` an audit changes nothing, and no finding ever holds a secret (SP-280).
//! Invariant: a finding's id is in the catalogue, and its severity is one the catalogue lists (SP-283).
//! Invariant: every finding of the era rules is among the latest rules' findings at the same or a higher severity,
//! except for a short table of deliberate differences.
//! Golden data: `fixtures/audit`, `fixtures/audit-latest`.

pub mod agents;
pub mod browser_profiles;
pub mod catalogue;
pub mod channels;
pub mod checks;
pub mod code_scan;
pub mod context;
pub mod doctor;
pub mod evidence;
pub mod facts;
pub mod finding;
pub mod fix;
pub mod format;
pub mod gateway_auth;
pub mod http_url;
pub mod latest;
pub mod lockdown;
pub mod map;
pub mod model_ids;
pub mod module;
pub mod report;
pub mod rotation;
pub mod rules;
pub mod secret_scan;
pub mod text_block;
pub mod tool_lists;
pub mod workspace;

pub use catalogue::{Check, Priority};
pub use context::AuditContext;
pub use facts::{Facts, Wanted};
pub use finding::{Draft, Finding, Findings, KeyRef};
pub use report::Report;
pub use rules::RuleSet;

/// Which facts the checks of a rule set still want, given what is known. Asked again until it adds nothing.
#[must_use]
pub fn wanted(ctx: &AuditContext<'_>) -> Wanted {
    let mut wanted = Wanted::default();
    for module in module::of(ctx.rules) {
        (module.wants)(ctx, &mut wanted);
    }
    wanted
}

/// Runs every check of the rule set, in the documented order (audit spec 1.2).
#[must_use]
pub fn run(ctx: &AuditContext<'_>) -> Report {
    let mut findings = Findings::default();
    for module in module::of(ctx.rules) {
        (module.run)(ctx, &mut findings);
    }
    Report::new(ctx, findings)
}
