//! Finds out what the audit wants to know about the disk.
//!
//! Question it answers: *what is there, links not followed, whatever somebody put there?*
//!
//! The audit says which paths it wants ([`oc_audit::Wanted`]) and this looks them up: `lstat`, small regular files, listings, and
//! walks that keep sums instead of names. Nothing is opened for writing; FIFOs and devices are never waited for; links are
//! never walked through; names need not be UTF-8 (SP-280, SP-289).

mod inspect;
mod subtree;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use oc_audit::{AuditContext, Facts, RuleSet, Wanted};
use oc_config::load::Loaded;
use oc_types::Node;

pub(crate) use inspect::plain;

use crate::secret_walk;

/// Most rounds of asking: a fact may lead to another question (the agents found on disk, the next folder of a skill, the next
/// part of a linked path), but not for ever.
const ROUNDS: usize = 64;

/// What is known before anything is looked up on disk. `now_ms` is the clock, in milliseconds since 1970.
#[must_use]
pub fn begin(loaded: &Loaded, cwd: Option<PathBuf>, now_ms: u64) -> Facts {
    let mut facts = Facts::new(loaded.locations.clone(), loaded.environment.clone());
    facts.cwd = cwd;
    facts.includes = loaded.files.iter().skip(1).map(|f| f.path.clone()).collect();
    facts.now_ms = now_ms;
    facts
}

/// Collects every fact that the rule set's checks want.
#[must_use]
pub fn collect(config: &Node, facts: Facts, rules: RuleSet) -> Facts {
    collect_with(config, facts, rules, |_, _| {})
}

/// The same, with further wants: those of a fix plan, of doctor.
pub fn collect_with(
    config: &Node,
    mut facts: Facts,
    rules: RuleSet,
    more: impl Fn(&AuditContext<'_>, &mut Wanted),
) -> Facts {
    facts.uid = Some(uid());
    for _ in 0..ROUNDS {
        let ctx = AuditContext::new(config, &facts, rules);
        let mut wanted = oc_audit::wanted(&ctx);
        more(&ctx, &mut wanted);
        let wanted = facts.missing_of(wanted);
        if wanted.is_empty() {
            break;
        }
        gather(&wanted, &mut facts);
    }
    facts
}

/// The number of the user this runs as.
#[must_use]
pub fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Looks everything up that is wanted.
pub fn gather(wanted: &Wanted, facts: &mut Facts) {
    for path in &wanted.stats {
        facts.add_path(inspect::path(path));
    }
    for (path, limit) in &wanted.texts {
        facts.add_text(path, inspect::text(path, *limit));
    }
    for path in &wanted.listings {
        facts.add_listing(path, inspect::listing(path));
    }
    for (path, request) in &wanted.subtrees {
        facts.add_subtree(path, subtree::walk(path, request));
    }
    for path in &wanted.secret_scans {
        facts.add_secret_scan(path, secret_walk::scan(path));
    }
}
