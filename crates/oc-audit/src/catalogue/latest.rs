//! Entries of the checks that only the latest rules have (audit spec 2 and 5.1).

use super::Check;

/// The entries.
pub(super) const CHECKS: &[Check] = &[];
