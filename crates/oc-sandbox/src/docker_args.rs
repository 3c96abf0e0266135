//! The engine's argument vectors (tool-policy 10.5), in three steps that never mix.
//!
//! * [`build()`]: exactly what the configuration says, as the reference release builds it.
//! * [`validate()`] and [`workspace_refusal()`]: refuse what no configuration may ask for (SP-230, SP-231, SP-232).
//! * [`harden()`]: adds what the configuration leaves unset and the baseline needs (SP-234, SP-235).
//!
//! A container is created with `harden(build(..))` after `validate(..)` found nothing.

mod build;
mod exec;
mod harden;
mod validate;

pub use build::{CreateCommand, build, setup_command, start_command};
pub use exec::{ExecRequest, SANDBOX_PATH, exec_command};
pub use harden::{
    Baseline, DEFAULT_FILE_SIZE, DEFAULT_PIDS_LIMIT, DEFAULT_TMPFS_SIZE, NOBODY, Runner, harden,
};
pub use validate::{PathRules, Refusal, validate, workspace_refusal};
