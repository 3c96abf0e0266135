//! Edits of a configuration's TEXT: everything that is not part of the change keeps its bytes - comments, key order, quotes,
//! `${VAR}`, includes (SP-054).
//!
//! An edit is computed as splices at positions of the text, never by printing a tree. The new text is then read again by the reader
//! that decides what a text means and must equal the intended value, or the edit is refused.

use std::path::Path;

use oc_types::{KeyPath, Node, Origin, Segment};
use serde_json::Value as Json;
use thiserror::Error;

use crate::document::{self, Format, Frame};
use crate::issue::Issue;

mod intended;
mod json5_object;
mod json5_remove;
mod json5_style;
mod json5_text;
mod minimal;
mod plan;
mod splice;
mod toml_text;

#[cfg(test)]
mod tests;

pub use intended::intended;
pub use plan::{EditedFile, Plan, plan};

/// One change of a configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The key gets this value; missing objects on the way are created.
    Set {
        /// The key.
        path: KeyPath,
        /// Its new value, `${VAR}` references as they are to be written.
        value: Json,
    },
    /// The key goes; absent keys are no error.
    Unset {
        /// The key.
        path: KeyPath,
    },
    /// The list gets one element more at its end; a missing list is created.
    Append {
        /// The list.
        path: KeyPath,
        /// The element.
        value: Json,
    },
}

impl Change {
    /// The key that the change is about.
    #[must_use]
    pub fn path(&self) -> &KeyPath {
        match self {
            Self::Set { path, .. } | Self::Unset { path } | Self::Append { path, .. } => path,
        }
    }

    /// The same change of another key.
    fn at(&self, path: KeyPath) -> Self {
        match self {
            Self::Set { value, .. } => Self::Set { path, value: value.clone() },
            Self::Unset { .. } => Self::Unset { path },
            Self::Append { value, .. } => Self::Append { path, value: value.clone() },
        }
    }
}

/// Why an edit was not made. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum EditRefused {
    /// The text cannot be read; there is nothing to edit.
    #[error("{0}")]
    Unreadable(Box<Issue>),
    /// The whole configuration was named where a key is needed.
    #[error("name a key: the configuration as a whole cannot be replaced")]
    Root,
    /// `__proto__`, `prototype`, `constructor` or an empty name (SP-056).
    #[error("{0}: the name is reserved or empty")]
    Reserved(KeyPath),
    /// Something on the way is neither an object nor a list, or not the one that is needed.
    #[error("{path}: this is a {found}, not {wanted}; unset it first if that is what you mean")]
    Shape {
        /// The key on the way.
        path: KeyPath,
        /// What is there.
        found: &'static str,
        /// What the change needs.
        wanted: &'static str,
    },
    /// A list has no such element.
    #[error("{path}: the list has {length} elements; the next free index is {length}")]
    NoElement {
        /// The key of the element.
        path: KeyPath,
        /// The length of the list.
        length: usize,
    },
    /// TOML has no `null`.
    #[error("{0}: TOML has no null; unset the key instead")]
    NoNull(KeyPath),
    /// The redaction marker was given where nothing is stored.
    #[error("{0}: the redaction marker stands for a stored value, and none is stored here")]
    NothingStored(KeyPath),
    /// The positions of the text are not known for sure, so nothing in it is touched.
    #[error("{file}: the text is valid but unusual, and cannot be edited safely; change it by hand")]
    NotEditable {
        /// The file.
        file: String,
    },
    /// The new text would not have meant what was intended.
    #[error("{path}: the edited text would not mean what was intended; change it by hand")]
    Mismatch {
        /// The key.
        path: KeyPath,
    },
    /// The value is put together from several files, or lies in one that cannot be edited.
    #[error("{path}: the value comes from {from}; change it there by hand")]
    Spread {
        /// The key.
        path: KeyPath,
        /// Where it comes from.
        from: String,
    },
}

/// Applies changes to one text, in order. The text may be empty (a file that does not exist yet).
///
/// # Errors
/// See [`EditRefused`].
pub fn apply(file: &Path, text: &str, format: Format, changes: &[Change]) -> Result<String, EditRefused> {
    let mut now = if text.trim().is_empty() { blank(format).to_owned() } else { text.to_owned() };
    for change in changes {
        now = apply_one(file, &now, format, change)?;
    }
    Ok(now)
}

/// What a new file starts as.
fn blank(format: Format) -> &'static str {
    match format {
        Format::Toml => "",
        Format::Json5 | Format::Yaml => "{\n}\n",
    }
}

fn apply_one(file: &Path, text: &str, format: Format, change: &Change) -> Result<String, EditRefused> {
    check_names(change)?;
    let before = read(file, text, format)?;
    let want = normal(&intended(&before, change)?);
    if want == before {
        return Ok(text.to_owned());
    }
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let edited = match format {
        Format::Toml => toml_text::apply(bare, change)?,
        Format::Json5 | Format::Yaml => json5_text::apply(file, bare, &before, change)?,
    };
    let edited = if bare.len() == text.len() { edited } else { format!("\u{feff}{edited}") };
    let mismatch = || EditRefused::Mismatch { path: change.path().clone() };
    let after = read(file, &edited, format).map_err(|_| mismatch())?;
    if after == want { Ok(edited) } else { Err(mismatch()) }
}

/// What a text means, as plain data.
fn read(file: &Path, text: &str, format: Format) -> Result<Json, EditRefused> {
    let frame = Frame::root(file.to_string_lossy().as_ref());
    let document = document::parse(&frame, text.as_bytes(), format).map_err(EditRefused::Unreadable)?;
    Ok(document.node.to_json())
}

/// A value with its numbers as the configuration holds them (5.0 is 5).
fn normal(value: &Json) -> Json {
    Node::from_json(value, &Origin::CommandLine).to_json()
}

fn check_names(change: &Change) -> Result<(), EditRefused> {
    let path = change.path();
    if path.is_root() {
        return Err(EditRefused::Root);
    }
    let bad = |s: &Segment| matches!(s, Segment::Key(k) if is_reserved(k));
    if path.segments().iter().any(bad) {
        return Err(EditRefused::Reserved(path.clone()));
    }
    match change {
        Change::Set { value, .. } | Change::Append { value, .. } => check_value(path, value),
        Change::Unset { .. } => Ok(()),
    }
}

fn check_value(path: &KeyPath, value: &Json) -> Result<(), EditRefused> {
    match value {
        Json::Object(members) => members.iter().try_for_each(|(k, v)| {
            let here = path.key(k.clone());
            if is_reserved(k) { Err(EditRefused::Reserved(here)) } else { check_value(&here, v) }
        }),
        Json::Array(items) => items.iter().enumerate().try_for_each(|(i, v)| check_value(&path.index(i), v)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(()),
    }
}

fn is_reserved(key: &str) -> bool {
    matches!(key, "" | "__proto__" | "prototype" | "constructor")
}

/// The word for a shape in messages.
fn shape(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "list",
        Json::Object(_) => "object",
    }
}
