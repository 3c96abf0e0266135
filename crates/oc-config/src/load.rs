//! The whole way from the places of a run to one checked tree.
//!
//! Locations -> `.env` files -> text -> includes -> `env` block -> `${VAR}` -> migrations and validation -> `~` in paths. A failure
//! anywhere leaves an issue and the best tree there is, so that diagnostic commands have something to look at; a caller that acts
//! on the configuration must refuse when [`Loaded::issues`] is not empty.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use oc_types::{KeyPath, Node, Origin, Value};

use crate::document::{self, Format, Frame};
use crate::edit::Change;
use crate::include;
use crate::location::{self, Ambiguous, Base, Locations, Overrides, state_dir};
use crate::source::{ReadFailure, Role, Source};
use crate::substitute::{Reference, substitute};
use crate::{Environment, Issue, home_path, what_if};

mod check;
mod env_block;
mod env_files;

#[cfg(test)]
mod tests;

/// By whose rules a configuration is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The product's: includes confined (SP-051), `.env` of the current directory filtered (SP-057), TOML known.
    Product,
    /// As the era release reads it. For the audit's `2026.2` rules only.
    Era,
}

/// What a load starts from. Nothing else is consulted.
#[derive(Clone, Debug)]
pub struct LoadRequest {
    /// The process environment.
    pub environment: Environment,
    /// `--state-dir` and `--config`.
    pub overrides: Overrides,
    /// The current directory, absolute.
    pub cwd: PathBuf,
    /// The home directory as the operating system has it.
    pub os_home: Option<PathBuf>,
    /// By whose rules.
    pub reading: Reading,
}

/// One file of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedFile {
    /// Its path.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
    /// Its text as read, byte-order mark included.
    pub text: String,
    /// Its own tree: includes and variables not resolved.
    pub raw: Node,
    /// Where the (first) include stands that names it; `None` for the root file.
    pub included_at: Option<Origin>,
}

/// What a load found.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The places of this run.
    pub locations: Locations,
    /// Whether the configuration file is there.
    pub exists: bool,
    /// The tree: includes, variables, migrations and `~` resolved. Empty when the file is missing or cannot be read.
    pub tree: Node,
    /// The root file's own tree, as written.
    pub raw: Node,
    /// The root file and every included file, once each.
    pub files: Vec<LoadedFile>,
    /// The values that are written as `${VAR}`.
    pub references: Vec<Reference>,
    /// The variables as they are after `.env` files and the `env` block.
    pub environment: Environment,
    /// What makes the configuration invalid.
    pub issues: Vec<Issue>,
    /// What is odd but accepted, such as variables that were not taken from a `.env` file.
    pub warnings: Vec<Issue>,
}

impl Loaded {
    /// Whether the configuration may be acted upon.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.issues.is_empty()
    }
}

/// Loads the configuration. Never panics, never fails: what went wrong is in [`Loaded::issues`].
///
/// To see what an edit would mean before it is written, load through a [`crate::source::Overlay`].
#[must_use]
pub fn load(request: &LoadRequest, source: &dyn Source) -> Loaded {
    load_edited(request, source, &[])
}

/// Loads the configuration as it would be with some edits that are written nowhere. They are applied after includes and variables and
/// before migrations and validation, so the result is checked like a file.
#[must_use]
pub fn load_edited(request: &LoadRequest, source: &dyn Source, edits: &[Change]) -> Loaded {
    let exists = |path: &Path| source.exists(path);
    let mut warnings = Vec::new();
    let mut environment = request.environment.clone();
    env_files::add_cwd(&mut environment, request, source, &mut warnings);
    let state = state_dir(base(request, &environment), &exists);
    env_files::add_state(&mut environment, &state.path, request.reading, source, &mut warnings);
    let (locations, ambiguous) = Locations::within(state, base(request, &environment), &exists);

    let mut loaded = Loaded {
        locations,
        exists: false,
        tree: Node::empty(),
        raw: Node::empty(),
        files: Vec::new(),
        references: Vec::new(),
        environment,
        issues: Vec::new(),
        warnings,
    };
    if request.reading == Reading::Product {
        loaded.warnings.extend(location::beside(&loaded.locations.config, &exists).map(not_read));
    }
    if let Some(ambiguous) = ambiguous {
        loaded.exists = true;
        loaded.issues.push(two_formats(&ambiguous));
        return loaded;
    }
    let Some(root) = read_root(&mut loaded, request.reading, source) else {
        if !loaded.exists && !edits.is_empty() {
            let empty = (loaded.tree.clone(), Format::of(&loaded.locations.config));
            resolve(&mut loaded, empty, request, source, edits);
        }
        return loaded;
    };
    loaded.raw = root.raw.clone();
    let (tree, format) = (root.raw.clone(), root.format);
    loaded.files.push(root);
    resolve(&mut loaded, (tree, format), request, source, edits);
    loaded
}

/// From the root file's tree to the final one.
fn resolve(
    loaded: &mut Loaded,
    (root, format): (Node, Format),
    request: &LoadRequest,
    source: &dyn Source,
    edits: &[Change],
) {
    let resolved = include::resolve(root, &loaded.locations.config, format, request.reading, source);
    loaded.files.extend(resolved.files);
    loaded.issues.extend(resolved.issues);
    loaded.warnings.extend(resolved.warnings);
    let mut tree = resolved.tree;
    if !matches!(tree.value, Value::Object(_)) {
        let message = format!("the configuration is a {}, not an object", tree.value.type_name());
        loaded.issues.push(whole_file(tree.origin.clone(), message, "write the settings inside `{ }`"));
        loaded.tree = Node::new(Node::empty().value, tree.origin);
        return;
    }
    let blocked = env_block::apply(&tree, &mut loaded.environment, request.reading);
    loaded.issues.extend(blocked);
    let mut found = substitute(&mut tree, &loaded.environment);
    what_if::apply(&mut tree, edits);
    // What an edit replaces or takes away needs its variable no more.
    found.issues.retain(|i| !edits.iter().any(|e| i.path.starts_with(e.path())));
    loaded.references = found.references;
    let mut checked = check::migrate_and_validate(tree, request.reading);
    // A value without its variable is told once; that `${X}` is not one of the valid words as well helps nobody.
    checked.issues.retain(|i| !found.issues.iter().any(|u| u.path == i.path));
    loaded.issues.extend(found.issues);
    loaded.issues.extend(checked.issues);
    loaded.warnings.extend(checked.warnings);
    loaded.tree = checked.tree;
    home_path::expand_paths(&mut loaded.tree, &loaded.locations.home);
}

/// Holds a changed tree against the schema again.
pub(crate) fn recheck(tree: Node) -> Vec<Issue> {
    check::migrate_and_validate(tree, Reading::Product).issues
}

fn base<'a>(request: &'a LoadRequest, environment: &'a Environment) -> Base<'a> {
    Base {
        environment,
        overrides: &request.overrides,
        cwd: &request.cwd,
        os_home: request.os_home.as_deref(),
        reading: request.reading,
    }
}

/// Reads and parses the root file; `None` when it is missing or unusable (then with an issue).
fn read_root(loaded: &mut Loaded, reading: Reading, source: &dyn Source) -> Option<LoadedFile> {
    let path = loaded.locations.config.clone();
    let frame = Frame::root(path.to_string_lossy().as_ref());
    let read = match source.read(&path, Role::Root) {
        Ok(read) => read,
        Err(ReadFailure::Missing(_)) => return None,
        Err(failure @ ReadFailure::Refused { .. }) => {
            loaded.exists = true;
            let issue = Issue {
                path: KeyPath::root(),
                origin: frame.origin(None),
                message: failure.to_string(),
                nearest: None,
                fix: None,
            };
            loaded.issues.push(issue);
            return None;
        }
    };
    loaded.exists = true;
    let format = match reading {
        Reading::Product => Format::of(&path),
        Reading::Era => Format::Json5,
    };
    match document::parse(&frame, &read.bytes, format) {
        Ok(document) => {
            loaded.warnings.extend(document.warnings);
            let text = String::from_utf8_lossy(&read.bytes).into_owned();
            Some(LoadedFile { path, format, text, raw: document.node, included_at: None })
        }
        Err(issue) => {
            loaded.issues.push(*issue);
            None
        }
    }
}

fn not_read(path: PathBuf) -> Issue {
    let origin = Origin::file(&Arc::from(path.to_string_lossy().as_ref()), None);
    let message = format!("{} is not read", path.display());
    whole_file(origin, message, &format!("move its settings into {}", location::CONFIG_NAME))
}

fn two_formats(ambiguous: &Ambiguous) -> Issue {
    let Ambiguous::TwoFormats { json, .. } = ambiguous;
    let origin = Origin::file(&Arc::from(json.to_string_lossy().as_ref()), None);
    whole_file(origin, ambiguous.to_string(), "keep one of them")
}

fn whole_file(origin: Origin, message: String, fix: &str) -> Issue {
    Issue { path: KeyPath::root(), origin, message, nearest: None, fix: Some(fix.to_owned()) }
}
