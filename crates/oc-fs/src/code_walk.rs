//! Walks the folders of plugins and skills, reads code files within limits and scans each as it is read.
//!
//! Only the hits are kept, so memory does not grow with the code. Folders that are links are not entered, names that
//! start with a dot and `node_modules` neither; files are opened without blocking and read only when regular, so a FIFO
//! or a device cannot hang the scan (SP-289). Whatever cannot be read is a failure in the result, never a clean one (SP-292).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use oc_audit::code_scan::manifest::{self, EntryPath, Manifest};
use oc_audit::code_scan::{self, skill};
use oc_audit::facts::{CodeHit, FolderKind, ManifestFact, ScannedFolder};

use crate::bounded_read::{self, ReadFailure};

/// Most folder entries that are looked at in one plugin or skill.
const MAX_ENTRIES: usize = 400_000;
/// Deepest folder below a plugin or skill.
const MAX_DEPTH: usize = 64;
/// Largest `package.json` and `SKILL.md` that are read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 4 * 1024 * 1024;
/// Most skills of one skills folder.
const MAX_SKILLS: usize = 5_000;

/// How far one walk may go, and what it does about files that it leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most files that are scanned in one plugin or skill.
    pub files: usize,
    /// Whether a file left out because of a limit makes the scan a failed one.
    pub left_out_is_failure: bool,
    /// Whether hidden folders and `node_modules` are entered.
    pub everywhere: bool,
}

impl Limits {
    /// The `2026.2` rules: 500 files; what lies beyond, and files over 1 MiB, are silently left out.
    pub const ERA: Self = Self { files: 500, left_out_is_failure: false, everywhere: false };
    /// The `latest` rules: code that was not looked at is not clean (SP-292).
    pub const LATEST: Self = Self { files: 20_000, left_out_is_failure: true, everywhere: false };
    /// Before a plugin or skill is used: nothing hides from the scan.
    pub const BEFORE_USE: Self = Self { files: 20_000, left_out_is_failure: true, everywhere: true };
}

/// Called after every scanned file with the plugin's or skill's name and the number of files scanned in it so far.
pub type Progress<'a> = &'a mut dyn FnMut(&str, usize);

/// Scans one folder.
pub fn scan_folder(
    kind: FolderKind,
    name: &str,
    dir: &Path,
    limits: Limits,
    progress: Progress<'_>,
) -> ScannedFolder {
    let mut walk = Walk {
        dir,
        limits,
        progress,
        out: ScannedFolder {
            kind,
            name: name.to_owned(),
            path: dir.to_owned(),
            files: 0,
            hits: Vec::new(),
            manifest: ManifestFact::None,
            failed: None,
        },
    };
    let declared = match kind {
        FolderKind::Plugin => walk.declared_entries(),
        FolderKind::Skill => Vec::new(),
    };
    for file in &declared {
        walk.file(file);
    }
    walk.folders(&declared);
    walk.out
}

struct Walk<'a> {
    dir: &'a Path,
    limits: Limits,
    progress: Progress<'a>,
    out: ScannedFolder,
}

impl Walk<'_> {
    /// Entries are scanned wherever they hide, first, and only when they are there.
    fn declared_entries(&mut self) -> Vec<PathBuf> {
        let manifest = match bounded_read::text(&self.dir.join("package.json"), MAX_MANIFEST_BYTES) {
            Ok(text) => manifest::parse(&text),
            Err(ReadFailure::Missing) => Manifest::Absent,
            Err(e) => Manifest::Malformed(e.to_string()),
        };
        let dir = self.dir.to_string_lossy();
        self.out.manifest = manifest::fact(&manifest, &dir);
        let Manifest::Entries(entries) = manifest else { return Vec::new() };
        let mut out: Vec<PathBuf> = Vec::new();
        for entry in &entries {
            if let EntryPath::Inside { path, .. } = manifest::resolve(&dir, entry) {
                let file = self.dir.join(&path);
                if !path.is_empty() && file.is_file() && !out.contains(&file) {
                    out.push(file);
                }
            }
        }
        out
    }

    fn folders(&mut self, done: &[PathBuf]) {
        let mut folders = vec![(self.dir.to_path_buf(), 0_usize)];
        let mut seen = 0_usize;
        while let Some((folder, depth)) = folders.pop() {
            let mut entries = match listing(&folder, MAX_ENTRIES.saturating_sub(seen)) {
                Ok(entries) => entries,
                Err(e) => {
                    self.fail(&folder, &e);
                    continue;
                }
            };
            seen = seen.saturating_add(entries.len());
            if seen >= MAX_ENTRIES {
                self.fail(&folder, &"too many names; not all were looked at");
                return;
            }
            // A fixed order makes reports repeatable: files first, then folders, both by name.
            entries.sort_unstable_by(|a, b| b.0.cmp(&a.0));
            let mut files = Vec::new();
            for (name, kind) in entries {
                let shown = name.to_string_lossy();
                if !self.limits.everywhere && (shown.starts_with('.') || shown == "node_modules") {
                    continue;
                }
                let path = folder.join(&name);
                match kind {
                    Kind::Folder if depth < MAX_DEPTH => folders.push((path, depth + 1)),
                    Kind::Folder => self.fail(&path, &"too deep; not looked at"),
                    Kind::Other if code_scan::is_scannable(&shown) => files.push(path),
                    Kind::Other => {}
                }
            }
            for path in files.into_iter().rev() {
                if self.out.files >= self.limits.files {
                    self.leave_out(
                        &path,
                        &format!("more than {} files; the rest was not scanned", self.limits.files),
                    );
                    return;
                }
                if !done.contains(&path) {
                    self.file(&path);
                }
            }
        }
    }

    fn file(&mut self, path: &Path) {
        match bounded_read::text(path, code_scan::MAX_FILE_BYTES) {
            Ok(text) => {
                self.out.files += 1;
                let below = path.strip_prefix(self.dir).unwrap_or(path);
                self.out.hits.extend(code_scan::scan(&text).into_iter().map(|h| CodeHit {
                    rule: h.rule,
                    severity: h.severity,
                    message: h.message,
                    file: below.to_owned(),
                    line: h.line,
                }));
                (self.progress)(&self.out.name, self.out.files);
            }
            Err(e @ ReadFailure::TooLarge(_)) => self.leave_out(path, &e),
            // Not a file after all (a folder link named `x.js`, a FIFO, a device), or gone meanwhile: no code to scan.
            Err(ReadFailure::NotRegular | ReadFailure::Missing) => {}
            Err(e @ ReadFailure::System(_)) => self.fail(path, &e),
        }
    }

    fn leave_out(&mut self, path: &Path, why: &dyn std::fmt::Display) {
        if self.limits.left_out_is_failure {
            self.fail(path, why);
        }
    }

    fn fail(&mut self, path: &Path, why: &dyn std::fmt::Display) {
        if self.out.failed.is_none() {
            let below = path.strip_prefix(self.dir).ok().filter(|p| !p.as_os_str().is_empty());
            self.out.failed = Some(match below {
                Some(p) => format!("{}: {why}", p.display()),
                None => why.to_string(),
            });
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    Other,
}

fn listing(folder: &Path, most: usize) -> Result<Vec<(std::ffi::OsString, Kind)>, ReadFailure> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| ReadFailure::from_io(&e))? {
        if out.len() >= most {
            break;
        }
        let entry = entry.map_err(|e| ReadFailure::from_io(&e))?;
        let folder = entry.file_type().is_ok_and(|t| t.is_dir());
        out.push((entry.file_name(), if folder { Kind::Folder } else { Kind::Other }));
    }
    Ok(out)
}

/// Scans every plugin and every skill of a set-up, plugins first, each real folder once.
///
/// `extensions` is `<state>/extensions`; `skill_roots` come from [`oc_audit::workspace::skill_roots`]. Skills inside the
/// extensions folder belong to their plugin and are not scanned again. With `follow_links` linked plugin folders count too.
pub fn scan_all(
    extensions: &Path,
    skill_roots: &[PathBuf],
    limits: Limits,
    follow_links: bool,
    progress: Progress<'_>,
) -> Vec<ScannedFolder> {
    let mut out = Vec::new();
    let mut seen = BTreeSet::new();
    let mut once = |dir: &Path| seen.insert(fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned()));
    match plugin_folders(extensions, follow_links) {
        Ok(plugins) => {
            for (name, dir) in plugins {
                if once(&dir) {
                    out.push(scan_folder(FolderKind::Plugin, &name, &dir, limits, progress));
                }
            }
        }
        // The folder stands for the plugins that nobody could look at.
        Err(why) => out.push(ScannedFolder {
            kind: FolderKind::Plugin,
            name: "extensions".to_owned(),
            path: extensions.to_owned(),
            files: 0,
            hits: Vec::new(),
            manifest: ManifestFact::None,
            failed: Some(why.to_string()),
        }),
    }
    let inside = fs::canonicalize(extensions).unwrap_or_else(|_| extensions.to_owned());
    for root in skill_roots {
        for (name, dir) in skill_folders(root) {
            let plugin = fs::canonicalize(&dir).is_ok_and(|d| d.starts_with(&inside));
            if !plugin && once(&dir) {
                out.push(scan_folder(FolderKind::Skill, &name, &dir, limits, progress));
            }
        }
    }
    out
}

/// The plugin folders of an extensions folder: every sub-folder, hidden ones too, in name order; with `follow_links`
/// also links that lead to a folder.
///
/// # Errors
/// When the folder is there and cannot be listed. A missing folder is no plugins.
pub fn plugin_folders(extensions: &Path, follow_links: bool) -> Result<Vec<(String, PathBuf)>, ReadFailure> {
    let entries = match listing(extensions, MAX_ENTRIES) {
        Ok(entries) => entries,
        Err(ReadFailure::Missing) => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut out: Vec<(String, PathBuf)> = entries
        .into_iter()
        .map(|(name, kind)| (name.to_string_lossy().into_owned(), extensions.join(&name), kind))
        .filter(|(_, path, kind)| *kind == Kind::Folder || (follow_links && path.is_dir()))
        .map(|(name, path, _)| (name, path))
        .collect();
    out.sort();
    Ok(out)
}

/// The skills below a skills folder: every folder with a `SKILL.md` whose front matter names and describes it, at any
/// depth; hidden folders and `node_modules` are not entered. Links to folders are followed one step at a time, each
/// real folder once, so a loop ends.
#[must_use]
pub fn skill_folders(root: &Path) -> Vec<(String, PathBuf)> {
    let mut out = Vec::new();
    let mut visited = BTreeSet::new();
    let mut folders = vec![(root.to_path_buf(), 0_usize)];
    while let Some((folder, depth)) = folders.pop() {
        if out.len() >= MAX_SKILLS || visited.len() >= MAX_ENTRIES {
            break;
        }
        let Ok(real) = fs::canonicalize(&folder) else { continue };
        if !visited.insert(real) {
            continue;
        }
        let text = bounded_read::text(&folder.join("SKILL.md"), MAX_MANIFEST_BYTES);
        if let Some(front) = text.ok().and_then(|t| skill::front_matter(&t)) {
            out.push((front.name, folder));
            continue;
        }
        let Ok(mut entries) = listing(&folder, MAX_ENTRIES) else { continue };
        entries.sort_unstable_by(|a, b| b.0.cmp(&a.0));
        for (name, _) in entries {
            let shown = name.to_string_lossy();
            let path = folder.join(&name);
            if !shown.starts_with('.') && shown != "node_modules" && depth < MAX_DEPTH && path.is_dir() {
                folders.push((path, depth + 1));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
