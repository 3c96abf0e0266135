//! `openclaw doctor`: is this setup whole, and what can be put right?
//!
//! Pure: facts, configuration and an audit report come in, [`Note`]s go out, each with the [`Repair`] that would put it right.
//! Whether a repair is carried out (flags, confirmation) is [`consent`]'s decision; carrying it out is the edge's work.
//!
//! Steps and their order follow audit spec 3; the five checks that the second seed document lists for doctor are
//! [`seed_checks`].

pub mod consent;
mod credentials;
mod gateway;
pub mod seed_checks;
mod services;
mod state;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use oc_types::{KeyPath, Severity};
use serde::Serialize;

use crate::{AuditContext, KeyRef, Report, Wanted};

/// Where in the run a note belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The configuration file: errors, older keys.
    Configuration,
    /// How the gateway starts and whom it lets in.
    Gateway,
    /// Model credentials.
    Credentials,
    /// Directories, files and their modes.
    State,
    /// Services of other gateways on this machine.
    Services,
    /// The five security checks.
    Security,
}

impl Step {
    /// The heading in the text output.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Configuration => "Configuration",
            Self::Gateway => "Gateway",
            Self::Credentials => "Model credentials",
            Self::State => "State directory",
            Self::Services => "Services",
            Self::Security => "Security",
        }
    }
}

/// Something doctor noticed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// Where it belongs.
    pub step: Step,
    /// A stable word for scripts.
    pub id: String,
    /// How bad.
    pub severity: Severity,
    /// What is the matter, and what to do.
    pub text: String,
    /// The keys concerned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyRef>,
    /// What would put it right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repairs: Vec<Repair>,
}

/// A change that puts something right.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Repair {
    /// Create a directory, 0700.
    CreateDirectory {
        /// Where.
        path: PathBuf,
    },
    /// Set the mode of a file or directory (never through a link).
    Chmod {
        /// Where.
        path: PathBuf,
        /// The permission bits.
        mode: u32,
    },
    /// Generate a random gateway token and write it to `gateway.auth.token`, with mode `token`.
    GenerateToken,
    /// Write an older key under its present name.
    MoveKey {
        /// The older key.
        from: KeyPath,
        /// The present key.
        to: KeyPath,
    },
    /// Remove a key that nothing reads.
    RemoveKey {
        /// The key.
        path: KeyPath,
    },
    /// Move a directory to its present place. Refused when the place is taken.
    MoveDirectory {
        /// From where.
        from: PathBuf,
        /// To where.
        to: PathBuf,
        /// Leave a link behind, for programs that still look there.
        leave_link: bool,
    },
}

impl Repair {
    /// What it does, in a few words.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::CreateDirectory { path } => format!("create {} (0700)", path.display()),
            Self::Chmod { path, mode } => format!("set {} to {mode:04o}", path.display()),
            Self::GenerateToken => "generate a token and write gateway.auth.token".to_owned(),
            Self::MoveKey { from, to } => format!("move {from} to {to}"),
            Self::RemoveKey { path } => format!("remove {path}"),
            Self::MoveDirectory { from, to, leave_link } => {
                let link = if *leave_link { ", leaving a link" } else { "" };
                format!("move {} to {}{link}", from.display(), to.display())
            }
        }
    }
}

/// What the configuration loader had to say.
#[derive(Clone, Debug, Default)]
pub struct ConfigState {
    /// What makes the file invalid.
    pub issues: Vec<oc_config::Issue>,
    /// Older keys read under their present names: from, to, and where the older one stands.
    pub moved: Vec<(KeyPath, KeyPath, KeyRef)>,
    /// Keys nobody reads (a part of `issues`).
    pub unknown: Vec<KeyPath>,
}

/// The facts doctor needs beyond those of the audit.
pub fn wants(ctx: &AuditContext<'_>, deep: bool, wanted: &mut Wanted) {
    state::wants(ctx, wanted);
    credentials::wants(ctx, wanted);
    if deep {
        services::wants(ctx, wanted);
    }
}

/// Everything doctor notices, in step order. `report` is the audit of the `latest` rules over the same facts.
#[must_use]
pub fn examine(ctx: &AuditContext<'_>, config: &ConfigState, report: &Report, deep: bool) -> Vec<Note> {
    let mut notes = Vec::new();
    configuration(config, &mut notes);
    gateway::examine(ctx, &mut notes);
    credentials::examine(ctx, &mut notes);
    state::examine(ctx, &mut notes);
    if deep {
        services::examine(ctx, &mut notes);
    }
    seed_checks::examine(report, &mut notes);
    notes.sort_by_key(|n| n.step);
    notes
}

fn configuration(config: &ConfigState, notes: &mut Vec<Note>) {
    for (from, to, key) in &config.moved {
        notes.push(Note {
            step: Step::Configuration,
            id: "config.legacy-key".to_owned(),
            severity: Severity::Warn,
            text: format!("{} uses the older key {from}; it is read as {to}", key.origin),
            keys: vec![key.clone()],
            repairs: vec![Repair::MoveKey { from: from.clone(), to: to.clone() }],
        });
    }
    for issue in &config.issues {
        let repairs = if config.unknown.contains(&issue.path) {
            vec![Repair::RemoveKey { path: issue.path.clone() }]
        } else {
            Vec::new()
        };
        notes.push(Note {
            step: Step::Configuration,
            id: "config.invalid".to_owned(),
            severity: Severity::Critical,
            text: issue.to_string(),
            keys: vec![KeyRef { path: issue.path.clone(), origin: issue.origin.clone(), unset: false }],
            repairs,
        });
    }
}
