//! Which uses of a listed program are provably read-only (exec-approval 7).
//!
//! One file a program in `profiles/`; a reviewer reads a profile on one screen. Options are decoded as the program itself decodes them
//! (SP-161); whatever the profile does not name asks. Program texts of `awk`, `sed` and `jq` have a reader of their own here.
//!
//! A use that does not fit is no error: it asks.

pub mod reads;
pub mod usage;
