//! What `--fix` would change: the seed's guardrails, as data (audit spec 1.13).
//!
//! Three things only: open group policies become allow lists, redaction is switched back on, and modes are narrowed. Bind,
//! authentication, tailscale, hooks, elevated, DM policies, console flags, plugins and models are never touched.
//! `oc-fs` and the command carry the plan out.

mod config;
mod modes;

use std::path::PathBuf;

use oc_types::KeyPath;
use serde::Serialize;

use crate::{AuditContext, Wanted};

/// The plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FixPlan {
    /// Keys that get a value, in order.
    pub config: Vec<ConfigChange>,
    /// Paths that get a mode, in order.
    pub modes: Vec<ModeChange>,
}

/// A key that gets a value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConfigChange {
    /// The key.
    pub path: KeyPath,
    /// Its new value.
    pub value: serde_json::Value,
    /// The change in words: `channels.telegram.groupPolicy: open -> allowlist`.
    pub note: String,
}

/// What a path must be to be touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// How a mode is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeTarget {
    /// Exactly these bits, as the era sets them: a 0400 file becomes 0600.
    Exact(u32),
    /// Whatever of these bits is there: only ever narrows (SP-281).
    AtMost(u32),
}

impl ModeTarget {
    /// The mode that follows from the present one.
    #[must_use]
    pub fn applied_to(self, mode: u32) -> u32 {
        match self {
            Self::Exact(bits) => bits,
            Self::AtMost(bits) => mode & bits,
        }
    }
}

/// A path that gets a mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeChange {
    /// The path.
    pub path: PathBuf,
    /// The directory below which no component may be a link; `None` when only the path itself may not be one.
    pub below: Option<PathBuf>,
    /// What it must be.
    pub expected: Expected,
    /// Its mode.
    pub target: ModeTarget,
}

/// Why a path is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skip {
    /// It is a link, or lies behind one.
    Symlink,
    /// It should be a directory and is none.
    NotADirectory,
    /// It should be a regular file and is none.
    NotAFile,
    /// Its mode is right.
    Already,
    /// It is not there.
    Missing,
    /// It belongs to somebody else.
    NotOwned,
}

impl Skip {
    /// The word in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Symlink => "symlink",
            Self::NotADirectory => "not-a-directory",
            Self::NotAFile => "not-a-file",
            Self::Already => "already",
            Self::Missing => "missing",
            Self::NotOwned => "not-owned",
        }
    }
}

/// The facts that the plan needs besides those of the checks.
pub fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    config::wants(ctx, wanted);
    modes::wants(ctx, wanted);
}

/// The plan for a valid configuration.
#[must_use]
pub fn plan(ctx: &AuditContext<'_>) -> FixPlan {
    FixPlan { config: config::changes(ctx), modes: modes::changes(ctx) }
}
