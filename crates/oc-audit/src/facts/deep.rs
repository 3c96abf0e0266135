//! What `--deep` found out: the code scan and the live probe.

use std::path::PathBuf;

use oc_types::Severity;
use serde::Serialize;

/// The results of `--deep`.
#[derive(Clone, Debug, PartialEq)]
pub struct Deep {
    /// Plugin and skill folders, each once, plugins first.
    pub folders: Vec<ScannedFolder>,
    /// The live probe.
    pub probe: ProbeOutcome,
}

/// What kind of folder was scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderKind {
    /// A sub-directory of the extensions directory.
    Plugin,
    /// A skill: a directory with a `SKILL.md` that has a name and a description.
    Skill,
}

/// One folder after the scan. Nothing in it was executed (SP-292).
#[derive(Clone, Debug, PartialEq)]
pub struct ScannedFolder {
    /// Plugin or skill.
    pub kind: FolderKind,
    /// The plugin's directory name or the skill's name.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
    /// How many files were read.
    pub files: usize,
    /// What the rules hit.
    pub hits: Vec<CodeHit>,
    /// What the package manifest says about entry points.
    pub manifest: ManifestFact,
    /// Why the folder could not be scanned to the end; never taken for clean.
    pub failed: Option<String>,
}

/// One hit of a code rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeHit {
    /// The rule's id, for example `dangerous-exec`.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What it means.
    pub message: &'static str,
    /// The file, relative to the folder.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

/// A plugin's `package.json`, as far as entry points go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ManifestFact {
    /// There is none.
    #[default]
    None,
    /// Read; the entries that are worth a word.
    Read(Vec<EntryProblem>),
    /// There is one, and it is not usable. Why.
    Unusable(String),
}

/// An entry point that is worth a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryProblem {
    /// It lies in a hidden directory or in `node_modules`.
    Hidden(String),
    /// It leads out of the plugin's directory.
    Escapes(String),
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProbeClose {
    /// The WebSocket close code.
    pub code: u16,
    /// The reason the gateway gave.
    pub reason: String,
}

/// What the live probe saw. Never holds a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProbeOutcome {
    /// Whether a connection was attempted.
    pub attempted: bool,
    /// Where to, without credentials.
    pub url: Option<String>,
    /// Whether the gateway answered all questions.
    pub ok: bool,
    /// What went wrong.
    pub error: Option<String>,
    /// How the gateway closed the connection, if it did.
    pub close: Option<ProbeClose>,
}
