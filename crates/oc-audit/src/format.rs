//! Reports for other programs: SARIF, JUnit, Markdown.
//!
//! * [`sarif`]: SARIF 2.1.0, with the file, line and column of the key behind each finding, for code scanners.
//! * [`junit`]: one test case a finding, for CI servers.
//! * [`markdown`]: for a ticket or a pull request.
//!
//! Invariant: a format only renders; what is in the report is in it, and nothing else (SP-280).

pub mod junit;
pub mod markdown;
pub mod sarif;
