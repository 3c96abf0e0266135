//! May this command run without a person?
//!
//! * [`program_name`]: which program names are shells or interpreters, and which do more than their name says.
//! * [`approvals_file`]: `exec-approvals.json` as data, and the settings in force for an agent.
//!
//! Pure: texts come in, answers go out; nothing is run and nothing is written.
//!
//! Invariant: a file that cannot be read denies; it is never an empty file (exec-approval 4).

pub mod approvals_file;
pub mod program_name;
