//! What speaks against using a plugin: its code, the files that it starts, what was not looked at. Nothing of it is run.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use oc_audit::facts::{EntryProblem, FolderKind, ManifestFact};
use oc_extensions::plugin::{self, BadManifest, MANIFEST, Manifest};
use oc_text::visible;
use oc_types::Severity;
use serde_json::Value;
use thiserror::Error;

use crate::bounded_read::{self, ReadFailure};
use crate::code_walk::{self, Limits};

#[cfg(test)]
mod tests;

/// Largest manifest, in bytes.
pub const MAX_MANIFEST_BYTES: u64 = 1024 * 1024;
/// Suffixes of programs that the scan does not read.
const OTHER_CODE: [&str; 20] = [
    "py", "pyc", "rb", "pl", "php", "lua", "sh", "bash", "zsh", "fish", "ps1", "bat", "cmd", "exe", "dll",
    "so", "dylib", "node", "wasm", "jar",
];
/// Most files of other kinds that are listed.
const MOST_LISTED: usize = 50;

/// Something that keeps a plugin from being enabled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blocker {
    /// The rule: one of the code scan's, or `not-scanned`, `scan-failed`, `entry-escapes`, `missing-file`.
    pub rule: String,
    /// The file, below the plugin's folder.
    pub file: String,
    /// The line, from 1, when there is one.
    pub line: Option<usize>,
    /// What it means.
    pub message: String,
    /// Whether the operator can accept it by naming rule and file.
    pub acceptable: bool,
}

/// What a look at a plugin's folder found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its version: the package's, else the manifest's.
    pub version: Option<String>,
    /// How many files were scanned.
    pub files: usize,
    /// What keeps it from being enabled, sorted.
    pub blockers: Vec<Blocker>,
    /// Less serious hits, and what else is worth a word.
    pub remarks: Vec<String>,
    /// Scripts that `npm` would run while installing; they are never run.
    pub scripts: Vec<String>,
    /// Packages that it needs and does not bring.
    pub needs: Vec<String>,
}

/// Why a folder is no plugin.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotAPlugin {
    /// The manifest cannot be read.
    #[error("its {MANIFEST} cannot be read: {0}")]
    Unreadable(ReadFailure),
    /// The manifest is not usable.
    #[error(transparent)]
    Manifest(#[from] BadManifest),
}

impl Blocker {
    /// How an operator names it: `rule:file`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}:{}", self.rule, self.file)
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.rule, self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, " ({})", self.message)
    }
}

/// Reads a plugin's manifest.
///
/// # Errors
/// See [`NotAPlugin`].
pub fn manifest(folder: &Path) -> Result<Manifest, NotAPlugin> {
    let text =
        bounded_read::text(&folder.join(MANIFEST), MAX_MANIFEST_BYTES).map_err(NotAPlugin::Unreadable)?;
    Ok(plugin::parse(&text)?)
}

/// Looks a plugin's folder over.
///
/// # Errors
/// See [`NotAPlugin`]. A scan that fails is no error: it is a blocker (SP-292).
pub fn review(folder: &Path) -> Result<Review, NotAPlugin> {
    let manifest = manifest(folder)?;
    let mut blockers = BTreeSet::new();
    let mut remarks = Vec::new();
    let id = manifest.id.as_str();
    let scanned = code_walk::scan_folder(FolderKind::Plugin, id, folder, Limits::BEFORE_USE, &mut |_, _| {});
    let shown = |path: &Path| visible(&path.to_string_lossy(), 300);
    for hit in &scanned.hits {
        let found = Blocker {
            rule: hit.rule.to_owned(),
            file: shown(&hit.file),
            line: Some(hit.line),
            message: hit.message.to_owned(),
            acceptable: true,
        };
        if hit.severity == Severity::Critical {
            blockers.insert(found);
        } else {
            remarks.push(found.to_string());
        }
    }
    let fatal = |rule: &str, file: &str, message: String| Blocker {
        rule: rule.to_owned(),
        file: file.to_owned(),
        line: None,
        message,
        acceptable: false,
    };
    if let Some(why) = &scanned.failed {
        blockers.insert(fatal("scan-failed", ".", visible(why, 300)));
    }
    match &scanned.manifest {
        ManifestFact::None => {}
        ManifestFact::Unusable(why) => {
            blockers.insert(fatal("scan-failed", "package.json", why.clone()));
        }
        ManifestFact::Read(problems) => {
            for problem in problems {
                match problem {
                    EntryProblem::Hidden(entry) => {
                        remarks.push(format!("the entry {} hides", visible(entry, 200)))
                    }
                    EntryProblem::Escapes(entry) => {
                        let what = format!("the entry {} leads out of the folder", visible(entry, 200));
                        blockers.insert(fatal("entry-escapes", "package.json", what));
                    }
                }
            }
        }
    }
    for file in manifest.server.iter().flat_map(plugin::ServerCommand::own_files) {
        match folder.join(file).symlink_metadata() {
            Ok(meta) if meta.is_file() => {}
            Ok(_) | Err(_) => {
                blockers.insert(fatal(
                    "missing-file",
                    file,
                    "`mcpServer` names it, and it is no file".to_owned(),
                ));
            }
        }
    }
    let others = others(folder);
    for path in &others {
        blockers.insert(Blocker {
            rule: "not-scanned".to_owned(),
            file: shown(path),
            line: None,
            message: "a program of a kind that the scan does not read".to_owned(),
            acceptable: true,
        });
    }
    let package = package(folder);
    let list = |key: &str| package.get(key).and_then(Value::as_object);
    let scripts: Vec<String> = ["preinstall", "install", "postinstall", "prepare", "prepublish"]
        .into_iter()
        .filter(|s| list("scripts").is_some_and(|all| all.contains_key(*s)))
        .map(str::to_owned)
        .collect();
    let brought = |name: &String| folder.join("node_modules").join(name).join("package.json").is_file();
    let needs: Vec<String> = list("dependencies")
        .into_iter()
        .flat_map(|all| all.keys())
        .filter(|n| !brought(n))
        .map(|n| visible(n, 100))
        .collect();
    let version = package.get("version").and_then(Value::as_str).map(|v| visible(v, 100));
    Ok(Review {
        version: version.or_else(|| manifest.version.clone()),
        manifest,
        files: scanned.files,
        blockers: blockers.into_iter().collect(),
        remarks,
        scripts,
        needs,
    })
}

/// A folder's `package.json`; an empty object when there is none or it is not readable (the scan says so).
pub(crate) fn package(folder: &Path) -> Value {
    let text = bounded_read::text(&folder.join("package.json"), MAX_MANIFEST_BYTES).unwrap_or_default();
    serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default()
}

/// Programs in other languages, below the folder.
fn others(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0_usize)];
    while let Some((dir, depth)) = folders.pop() {
        // Too deep or unreadable is the scan's failure already.
        let Ok(entries) = std::fs::read_dir(&dir) else { continue };
        for entry in entries.flatten() {
            let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
            if kind.is_dir() && depth < 64 {
                folders.push((path, depth + 1));
                continue;
            }
            let suffix = path.extension().map(|e| e.to_string_lossy().to_lowercase());
            let is_code = suffix.is_some_and(|s| OTHER_CODE.contains(&s.as_str())) || starts_other(&path);
            if is_code && out.len() < MOST_LISTED {
                out.extend(path.strip_prefix(folder).map(Path::to_owned));
            }
        }
    }
    out
}

/// Whether a file without a suffix is a script (`#!`) or a program in machine code.
fn starts_other(path: &Path) -> bool {
    use std::io::Read as _;
    if path.extension().is_some() {
        return false;
    }
    let Ok(meta) = path.symlink_metadata() else { return false };
    if !meta.is_file() {
        return false;
    }
    let Ok(file) = std::fs::File::open(path) else { return true };
    let mut head = Vec::new();
    if file.take(4).read_to_end(&mut head).is_err() {
        return true;
    }
    head.starts_with(b"#!")
        || head.starts_with(b"\x7fELF")
        || [[0xcf, 0xfa, 0xed, 0xfe], [0xce, 0xfa, 0xed, 0xfe], [0xca, 0xfe, 0xba, 0xbe]]
            .iter()
            .any(|magic| head.starts_with(magic))
}
