//! Which uses of a listed program are provably read-only (exec-approval 7).
//!
//! One file a program in `profiles/`; a reviewer reads a profile on one screen. Options are decoded as the program itself decodes them
//! (SP-161); whatever the profile does not name asks. Program texts of `awk`, `sed` and `jq` have a reader of their own here.
//!
//! A use that does not fit is no error: it asks.
//!
//! * [`catalogue`]: the built-in profiles, those of the configuration, and the lists of names.
//! * [`profile`]: what a profile says, and its strict parser.
//! * `decode`: arguments as the program splits them, one module a dialect.
//! * `meaning`: what a value or an operand may be.
//!
//! Invariant: an argument that the decoder cannot place is a miss; nothing is skipped.
//! Invariant: a configured profile only ever tightens a built-in one.

pub mod awk_program;
pub mod catalogue;
mod decode;
mod delimited;
pub mod jq_filter;
mod meaning;
pub mod profile;
pub mod reads;
pub mod sed_script;
pub mod usage;

use crate::plan::Miss;
use catalogue::{Catalogue, Judged};
use reads::ReadRule;
use usage::{Terminal, Usage};

/// Whether this use of a listed program is provably read-only.
///
/// Whether the name is on the list, and whether the program found is the one that is meant, is the caller's business.
///
/// # Errors
/// Why it is not: `never-safe` and `no-profile` for the name, `pager-terminal`, `option`, `operand`, `glob-option` for the arguments,
/// and what the read rule says about the files.
pub fn judge(usage: &Usage<'_>, catalogue: &Catalogue, reads: &dyn ReadRule) -> Result<(), Miss> {
    let Judged { profile, tightening } = catalogue.find(usage.name)?;
    if profile.needs_no_terminal() && usage.terminal == Terminal::Present {
        return Err(Miss::new("pager-terminal", format!("{} reads keys from a terminal", usage.name)));
    }
    let prepared = decode::prepare(profile, usage.arguments)?;
    let decoded = decode::decode(profile, &prepared)?;
    if let Some(tightening) = tightening {
        tightening.check(&decoded)?;
    }
    meaning::check(profile, &decoded, reads)
}

#[cfg(test)]
mod tests;
