//! The skills of an agent as they lie on the disk: found within limits, through no link that leads out, by nobody else's hand.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use oc_audit::facts::FolderKind;
use oc_audit::workspace;
use oc_config::Locations;
use oc_extensions::eligibility::Scan;
use oc_extensions::skill::{self, NotASkill, Skill};
use oc_text::visible;
use oc_types::{Node, Severity};

use crate::bounded_read;
use crate::code_walk::{self, Limits};
use crate::host_view::is_program;
use crate::plugins;

#[cfg(test)]
mod tests;

/// Largest `SKILL.md`, in bytes.
pub const MAX_FILE: u64 = 256 * 1024;
/// Most skills of one agent.
pub const MAX_SKILLS: usize = 2_000;
/// Most folders that are looked into.
pub const MAX_FOLDERS: usize = 20_000;
/// Deepest folder below a skills folder.
const MAX_DEPTH: usize = 8;

/// Where a skills folder belongs. A skill of a later one stands in for one of the same name in an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `skills.load.extraDirs`.
    Extra,
    /// A loaded plugin.
    Plugin,
    /// `<state>/skills`.
    Managed,
    /// The agent's workspace.
    Workspace,
}

/// A skills folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The folder.
    pub path: PathBuf,
    /// Whose it is.
    pub place: Place,
    /// The folder that it must really lie in; `None`: wherever the operator put it.
    pub within: Option<PathBuf>,
}

/// A skill that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it says.
    pub skill: Skill,
    /// Its folder.
    pub folder: PathBuf,
    /// Where it was found.
    pub place: Place,
    /// What the code scan says about its folder.
    pub scan: Scan,
}

/// A folder that looks like a skill and is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The folder, or the skills folder as a whole.
    pub folder: PathBuf,
    /// Why.
    pub why: String,
}

/// The skills of an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skills {
    /// By name, each name once.
    pub found: Vec<Found>,
    /// What is not used.
    pub problems: Vec<Problem>,
    /// What was looked at, to tell later whether something changed.
    pub stamp: Stamp,
}

/// What the skills files and their folders looked like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp(Vec<(PathBuf, Option<Seen>)>);

/// Inode, size and time of change of one file or folder.
type Seen = (u64, u64, Option<SystemTime>);

impl Place {
    /// The word of the protocol.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Extra => "openclaw-extra",
            Self::Plugin => "openclaw-plugin",
            Self::Managed => "openclaw-managed",
            Self::Workspace => "openclaw-workspace",
        }
    }
}

/// The skills folders of an agent that works in `workspace`, in the order of their precedence.
#[must_use]
pub fn roots(config: &Node, places: &Locations, workspace: &Path) -> Vec<Root> {
    let mut out = Vec::new();
    let mut add = |path: PathBuf, place, within| {
        if out.iter().all(|r: &Root| r.path != path) {
            out.push(Root { path, place, within });
        }
    };
    let extra = config.path(&["skills", "load", "extraDirs"]).and_then(Node::entries).unwrap_or_default();
    for dir in extra.iter().map(|d| d.trim()).filter(|d| !d.is_empty()) {
        let path = workspace::expand(dir, &places.home);
        // A relative one would mean another folder wherever the program is started (SP-058).
        if path.is_absolute() {
            add(path, Place::Extra, None);
        }
    }
    for folder in plugins::skill_folders(&places.state_dir, config) {
        add(folder, Place::Plugin, Some(places.state_dir.join("extensions")));
    }
    add(places.state_dir.join("skills"), Place::Managed, None);
    add(workspace.join("skills"), Place::Workspace, Some(workspace.to_owned()));
    out
}

/// Reads the skills below these folders; of two with one name the one of the later folder counts.
#[must_use]
pub fn read(roots: &[Root]) -> Skills {
    let mut walk = Walk::default();
    for root in roots {
        walk.root(root);
    }
    walk.out.found.sort_by(|a, b| a.skill.name.cmp(&b.skill.name));
    walk.out
}

/// Whether something that a stamp saw looks different now.
#[must_use]
pub fn has_changed(stamp: &Stamp) -> bool {
    stamp.0.iter().any(|(path, seen)| look(path) != *seen)
}

fn look(path: &Path) -> Option<Seen> {
    let meta = path.symlink_metadata().ok()?;
    Some((meta.ino(), meta.len(), meta.modified().ok()))
}

#[derive(Default)]
struct Walk {
    out: Skills,
    seen: BTreeSet<PathBuf>,
}

impl Walk {
    fn root(&mut self, root: &Root) {
        self.stamp(&root.path);
        let Ok(real) = fs::canonicalize(&root.path) else { return };
        if let Some(within) = &root.within {
            let within = fs::canonicalize(within).unwrap_or_else(|_| within.clone());
            if !real.starts_with(&within) {
                self.problem(&root.path, format!("it is a link that leads out of {}", shown(&within)));
                return;
            }
        }
        let mut folders = vec![(real.clone(), 0_usize)];
        while let Some((folder, depth)) = folders.pop() {
            if self.out.found.len() >= MAX_SKILLS || self.seen.len() >= MAX_FOLDERS {
                self.problem(&root.path, "there are too many folders; not all were looked at".to_owned());
                return;
            }
            if !self.seen.insert(folder.clone()) {
                continue;
            }
            self.stamp(&folder);
            if self.skill(root, &folder) {
                continue;
            }
            let Ok(entries) = fs::read_dir(&folder) else {
                self.problem(&folder, "it cannot be listed".to_owned());
                continue;
            };
            let mut below: Vec<PathBuf> = Vec::new();
            for entry in entries.flatten().take(MAX_FOLDERS) {
                let (name, path) = (entry.file_name(), entry.path());
                let name = name.to_string_lossy();
                let Ok(kind) = entry.file_type() else { continue };
                if name.starts_with('.') || name == "node_modules" {
                    continue;
                }
                if kind.is_dir() && depth < MAX_DEPTH {
                    below.push(path);
                } else if kind.is_symlink() && path.join("SKILL.md").is_file() {
                    // One that stays inside is found where it really lies.
                    let inside = fs::canonicalize(&path).is_ok_and(|p| p.starts_with(&real));
                    if !inside {
                        self.problem(&path, "it is a link that leads out of the skills folder".to_owned());
                    }
                }
            }
            below.sort_unstable_by(|a, b| b.cmp(a));
            folders.extend(below.into_iter().map(|p| (p, depth + 1)));
        }
    }

    /// Whether the folder is a skill or means to be one.
    fn skill(&mut self, root: &Root, folder: &Path) -> bool {
        let file = folder.join("SKILL.md");
        let Ok(meta) = file.symlink_metadata() else { return false };
        self.stamp(&file);
        if !meta.is_file() {
            self.problem(folder, "its SKILL.md is a link or no file".to_owned());
            return true;
        }
        for path in [folder, &file] {
            if let Err(why) = trusted(path) {
                self.problem(folder, why);
                return true;
            }
        }
        let text = match bounded_read::bytes(&file, MAX_FILE).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => {
                self.problem(folder, "its SKILL.md is not UTF-8".to_owned());
                return true;
            }
            Err(e) => {
                self.problem(folder, format!("its SKILL.md: {e}"));
                return true;
            }
        };
        match skill::parse(&text) {
            Ok(skill) => self.found(root, folder, skill),
            Err(e) if e.is_other_file() => return false,
            Err(
                e
                @ (NotASkill::Head(_) | NotASkill::Missing(_) | NotASkill::Name(_) | NotASkill::Metadata(_)),
            ) => {
                self.problem(folder, format!("SKILL.md: {e}"));
            }
        }
        true
    }

    fn found(&mut self, root: &Root, folder: &Path, skill: Skill) {
        if let Some(other) = self.out.found.iter().position(|f| f.skill.name == skill.name) {
            let earlier = self.out.found.get(other).is_some_and(|f| f.place < root.place);
            if !earlier {
                self.problem(folder, format!("another skill is called {}, too", skill.name));
                return;
            }
            self.out.found.remove(other);
        }
        let scan = scan(skill.name.as_str(), folder);
        self.out.found.push(Found { skill, folder: folder.to_owned(), place: root.place, scan });
    }

    fn problem(&mut self, folder: &Path, why: String) {
        self.out.problems.push(Problem { folder: folder.to_owned(), why });
    }

    fn stamp(&mut self, path: &Path) {
        self.out.stamp.0.push((path.to_owned(), look(path)));
    }
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy(), 300)
}

/// A skill is trusted code: it is its owner's, and not everybody's.
fn trusted(path: &Path) -> Result<(), String> {
    let meta = path.symlink_metadata().map_err(|e| e.to_string())?;
    let name = path.file_name().map(|n| visible(&n.to_string_lossy(), 80)).unwrap_or_default();
    if ![0, rustix::process::geteuid().as_raw()].contains(&meta.uid()) {
        return Err(format!("{name} belongs to another user"));
    }
    if meta.mode() & 0o002 != 0 {
        return Err(format!("everybody can write to {name}; check it, then `chmod o-w` it"));
    }
    Ok(())
}

fn scan(name: &str, folder: &Path) -> Scan {
    let scanned = code_walk::scan_folder(FolderKind::Skill, name, folder, Limits::BEFORE_USE, &mut |_, _| {});
    if let Some(why) = scanned.failed {
        return Scan::Blocks(format!("the code scan did not come to its end: {}", visible(&why, 300)));
    }
    let critical = scanned.hits.iter().filter(|h| h.severity == Severity::Critical);
    let words: Vec<String> = critical
        .map(|h| {
            format!("{} at {}:{} ({})", h.rule, visible(&h.file.to_string_lossy(), 200), h.line, h.message)
        })
        .collect();
    if words.is_empty() { Scan::Clean } else { Scan::Blocks(words.join("; ")) }
}

/// Whether one of these folders has a program of that name.
#[must_use]
pub fn on_path(name: &str, path: &[PathBuf]) -> bool {
    path.iter().filter(|f| f.is_absolute()).any(|folder| is_program(&folder.join(name)))
}
