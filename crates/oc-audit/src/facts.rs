//! What is known about the disk, the environment and the running gateway: plain data.
//!
//! Facts are asked for by path ([`Wanted`]) and looked up by path; a path nobody asked for counts as missing. That keeps the
//! collector in `oc-fs` free of rules and the rules free of I/O.

mod deep;
mod path;
mod secret;
mod subtree;
mod text;
mod wanted;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use oc_config::{Environment, Locations};

pub use deep::{
    CodeHit, Deep, EntryProblem, FolderKind, ManifestFact, ProbeClose, ProbeOutcome, ScannedFolder,
};
pub use path::{Kind, LinkTarget, PathFact};
pub use secret::{SecretHit, SecretScan};
pub use subtree::{LooseEntry, Subtree, SubtreeRequest};
pub use text::TextFact;
pub use wanted::Wanted;

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name as the file system has it; not always UTF-8.
    pub name: PathBuf,
    /// What it is, links not followed.
    pub kind: Kind,
}

/// The names in a directory, sorted; at most [`Listing::MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The names.
    pub entries: Vec<Entry>,
    /// Whether there were more.
    pub truncated: bool,
    /// Why the directory could not be read to the end, if it could not.
    pub failed: Option<String>,
}

impl Listing {
    /// Most names kept of one directory.
    pub const MAX: usize = 10_000;
}

/// What is known.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Home, state directory, configuration file, credentials directory.
    pub places: Locations,
    /// The working directory, if known.
    pub cwd: Option<PathBuf>,
    /// Variables in force, those of the configuration's `env` block included.
    pub environment: Environment,
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// The user the audit runs as.
    pub uid: Option<u32>,
    /// Every file reached through `$include`, once each, in reading order.
    pub includes: Vec<PathBuf>,
    /// Results of `--deep`.
    pub deep: Option<Deep>,
    paths: BTreeMap<PathBuf, PathFact>,
    texts: BTreeMap<PathBuf, TextFact>,
    listings: BTreeMap<PathBuf, Listing>,
    subtrees: BTreeMap<PathBuf, Subtree>,
    secret_scans: BTreeMap<PathBuf, SecretScan>,
}

impl Facts {
    /// Nothing known yet but the places and the environment.
    #[must_use]
    pub fn new(places: Locations, environment: Environment) -> Self {
        Self {
            places,
            cwd: None,
            environment,
            now_ms: 0,
            uid: None,
            includes: Vec::new(),
            deep: None,
            paths: BTreeMap::new(),
            texts: BTreeMap::new(),
            listings: BTreeMap::new(),
            subtrees: BTreeMap::new(),
            secret_scans: BTreeMap::new(),
        }
    }

    /// What `lstat` said about a path; missing when nobody looked.
    #[must_use]
    pub fn path(&self, path: &Path) -> PathFact {
        self.paths.get(path).cloned().unwrap_or_else(|| PathFact::missing(path))
    }

    /// The contents of a small file; missing when nobody looked.
    #[must_use]
    pub fn text(&self, path: &Path) -> &TextFact {
        self.texts.get(path).unwrap_or(&TextFact::Missing)
    }

    /// The names in a directory; `None` when it is none or nobody looked.
    #[must_use]
    pub fn listing(&self, path: &Path) -> Option<&Listing> {
        self.listings.get(path)
    }

    /// What lies below a directory; `None` when it is none or nobody looked.
    #[must_use]
    pub fn subtree(&self, path: &Path) -> Option<&Subtree> {
        self.subtrees.get(path)
    }

    /// Where credentials lie about below a directory; `None` when it is none or nobody looked.
    #[must_use]
    pub fn secret_scan(&self, path: &Path) -> Option<&SecretScan> {
        self.secret_scans.get(path)
    }

    /// Records where credentials lie about.
    pub fn add_secret_scan(&mut self, path: &Path, fact: SecretScan) {
        self.secret_scans.insert(path.to_owned(), fact);
    }

    /// Records what `lstat` said.
    pub fn add_path(&mut self, fact: PathFact) {
        self.paths.insert(fact.path.clone(), fact);
    }

    /// Records the contents of a file.
    pub fn add_text(&mut self, path: &Path, fact: TextFact) {
        self.texts.insert(path.to_owned(), fact);
    }

    /// Records the names in a directory.
    pub fn add_listing(&mut self, path: &Path, fact: Listing) {
        self.listings.insert(path.to_owned(), fact);
    }

    /// Records what lies below a directory.
    pub fn add_subtree(&mut self, path: &Path, fact: Subtree) {
        self.subtrees.insert(path.to_owned(), fact);
    }

    /// What of `wanted` has not been looked at yet.
    #[must_use]
    pub fn missing_of(&self, mut wanted: Wanted) -> Wanted {
        wanted.stats.retain(|p| !self.paths.contains_key(p));
        wanted.texts.retain(|p, _| !self.texts.contains_key(p));
        wanted.listings.retain(|p| !self.listings.contains_key(p));
        wanted.subtrees.retain(|p, _| !self.subtrees.contains_key(p));
        wanted.secret_scans.retain(|p| !self.secret_scans.contains_key(p));
        wanted
    }
}
