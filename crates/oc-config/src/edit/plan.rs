//! Which file of a configuration an edit goes to.
//!
//! The main file is edited whenever that has the intended effect: beside a `$include`, a key of the main file wins over the included
//! one, so a scalar that lives in an include is overridden where the include stands, and a fix stays one atomic replacement of one
//! file. What cannot be overridden - lists, which concatenate, and removals - is changed in the include that holds it. A value put
//! together from several files is refused with its places.

use std::path::{Path, PathBuf};

use oc_types::{KeyPath, Node, Segment};
use serde_json::Value as Json;

use super::{Change, EditRefused, apply, check_names, intended, normal};
use crate::document::{self, Format, Frame};
use crate::include;
use crate::load::{LoadedFile, Reading};
use crate::source::{ReadFailure, Role, Source, SourceFile};
use crate::view;

/// A file before and after an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditedFile {
    /// The file.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
    /// Its text before; empty when it does not exist yet.
    pub before: String,
    /// Its text after.
    pub after: String,
}

/// What an edit would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The files that change; included files first, the main file last.
    pub files: Vec<EditedFile>,
    /// The whole configuration as written, includes merged and `${VAR}` as text, before.
    pub before: Json,
    /// The same after.
    pub after: Json,
}

impl Plan {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// Plans changes of the configuration whose main file is `config`. `files` are all its files as they were loaded, the main file
/// first (see [`crate::Loaded::files`]); it may be empty when the main file does not exist.
///
/// # Errors
/// See [`EditRefused`].
pub fn plan(
    config: &Path,
    files: &[LoadedFile],
    reading: Reading,
    changes: &[Change],
) -> Result<Plan, EditRefused> {
    let mut texts = Texts::new(config, files, reading);
    let (before, _) = texts.merged()?;
    let mut now = before.clone();
    for change in changes {
        check_names(change)?;
        let change = restored(change, &now)?;
        let want = normal(&intended(&now, &change)?);
        if want != now {
            texts = texts.with(&change, &want)?;
            now = want;
        }
    }
    Ok(Plan { files: texts.edited(files), before, after: now })
}

/// The change with the redaction marker replaced by what is stored (SP-064).
fn restored(change: &Change, tree: &Json) -> Result<Change, EditRefused> {
    let restore =
        |path: &KeyPath, value: &Json| view::restore(path, value, tree).map_err(EditRefused::NothingStored);
    Ok(match change {
        Change::Set { path, value } => Change::Set { path: path.clone(), value: restore(path, value)? },
        Change::Append { path, value } => {
            // A new element has nothing stored that the marker could stand for.
            if view::holds_marker(value) {
                return Err(EditRefused::NothingStored(path.clone()));
            }
            Change::Append { path: path.clone(), value: value.clone() }
        }
        Change::Unset { .. } => change.clone(),
    })
}

/// The texts of all files; the main file is the first.
#[derive(Clone)]
struct Texts {
    files: Vec<Text>,
    reading: Reading,
}

#[derive(Clone)]
struct Text {
    path: PathBuf,
    format: Format,
    text: String,
}

impl Texts {
    fn new(config: &Path, files: &[LoadedFile], reading: Reading) -> Self {
        let mut all: Vec<Text> = files
            .iter()
            .map(|f| Text { path: f.path.clone(), format: f.format, text: f.text.clone() })
            .collect();
        if all.is_empty() {
            all.push(Text { path: config.to_owned(), format: Format::of(config), text: String::new() });
        }
        Self { files: all, reading }
    }

    /// What all of them mean together, as data and with origins. Variables stay text.
    fn merged(&self) -> Result<(Json, Node), EditRefused> {
        let Some(main) = self.files.first() else {
            return Ok((Json::Object(serde_json::Map::new()), Node::empty()));
        };
        if main.text.trim().is_empty() {
            return Ok((Json::Object(serde_json::Map::new()), Node::empty()));
        }
        let frame = Frame::root(main.path.to_string_lossy().as_ref());
        let parsed =
            document::parse(&frame, main.text.as_bytes(), main.format).map_err(EditRefused::Unreadable)?;
        let resolved = include::resolve(parsed.node, &main.path, main.format, self.reading, self);
        if let Some(issue) = resolved.issues.into_iter().next() {
            return Err(EditRefused::Unreadable(Box::new(issue)));
        }
        Ok((resolved.tree.to_json(), resolved.tree))
    }

    /// The texts after a change that gives `want`.
    fn with(&self, change: &Change, want: &Json) -> Result<Self, EditRefused> {
        let (_, tree) = self.merged()?;
        let main = self.tried(0, change, want);
        match main {
            Ok(next) => return Ok(next),
            // With one file there is nothing else to try, and its reason is the one to tell.
            Err(refused) if self.files.len() == 1 => return Err(refused),
            Err(_) => {}
        }
        let (holder, _, _) = tree.nearest(change.path());
        let file = holder.origin.file_name().map(|f| PathBuf::from(f.as_ref()));
        let index = self.files.iter().position(|f| Some(&f.path) == file.as_ref());
        if let Some(index) = index.filter(|i| *i > 0) {
            // The include stands somewhere on the way: the rest of the path is the key inside it.
            let steps = change.path().segments();
            for skip in 0..steps.len() {
                let inner: KeyPath = steps.iter().skip(skip).cloned().collect::<KeyPath>();
                let local = change.at(inner);
                if let Ok(next) = self.tried(index, &local, want) {
                    return Ok(next);
                }
                // Removed or replaced in both places.
                let both = self.edited_at(0, change).and_then(|main| main.tried(index, &local, want));
                if let Ok(next) = both {
                    return Ok(next);
                }
            }
        }
        Err(EditRefused::Spread { path: change.path().clone(), from: places(holder, change.path()) })
    }

    /// One file changed, when all together then mean `want`.
    fn tried(&self, index: usize, change: &Change, want: &Json) -> Result<Self, EditRefused> {
        let next = self.edited_at(index, change)?;
        if next.merged()?.0 == *want {
            Ok(next)
        } else {
            Err(EditRefused::Mismatch { path: change.path().clone() })
        }
    }

    fn edited_at(&self, index: usize, change: &Change) -> Result<Self, EditRefused> {
        let mut next = self.clone();
        if let Some(file) = next.files.get_mut(index) {
            file.text = apply(&file.path, &file.text, file.format, std::slice::from_ref(change))?;
        }
        Ok(next)
    }

    /// The changed files, the main one last.
    fn edited(self, before: &[LoadedFile]) -> Vec<EditedFile> {
        let mut out: Vec<EditedFile> = self
            .files
            .into_iter()
            .map(|f| {
                let old =
                    before.iter().find(|b| b.path == f.path).map(|b| b.text.clone()).unwrap_or_default();
                EditedFile { path: f.path, format: f.format, before: old, after: f.text }
            })
            .filter(|f| f.before != f.after)
            .collect();
        out.reverse();
        out
    }
}

/// The places that a value is put together from.
fn places(holder: &Node, path: &KeyPath) -> String {
    let mut seen = vec![holder.origin.to_string()];
    let parts = holder
        .as_array()
        .into_iter()
        .flatten()
        .chain(holder.as_object().into_iter().flat_map(|o| o.values()));
    for part in parts {
        let place = part.origin.to_string();
        if !seen.contains(&place) && seen.len() < 4 {
            seen.push(place);
        }
    }
    let element = path.segments().iter().any(|s| matches!(s, Segment::Index(_)));
    if element { format!("{} (an element of a list)", seen.join(", ")) } else { seen.join(", ") }
}

/// The texts stand for the files: they were read, and judged, when the configuration was loaded.
impl Source for Texts {
    fn read(&self, path: &Path, _role: Role<'_>) -> Result<SourceFile, ReadFailure> {
        match self.files.iter().find(|f| f.path == path) {
            Some(f) => Ok(SourceFile { path: f.path.clone(), bytes: f.text.clone().into_bytes() }),
            None => Err(ReadFailure::Missing(path.to_owned())),
        }
    }

    fn exists(&self, path: &Path) -> bool {
        self.files.iter().any(|f| f.path == path)
    }
}
