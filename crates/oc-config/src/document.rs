//! Text of a configuration file -> [`Node`] with positions.
//!
//! Limits come first: size, encoding and nesting depth are checked before a parser sees the text (SP-016). Meaning comes from one
//! reader a format (`json5`, `toml_edit`); positions come from a second reader of JSON5 that must agree with the first, or the
//! values carry no position at all: a wrong line is worse than none.

use std::path::Path;
use std::sync::Arc;

use oc_types::{KeyPath, Node, Origin, Position};

use crate::Issue;
use crate::source::MAX_FILE_BYTES;

mod depth;
mod json5_text;
mod lines;
mod plain;
mod toml_text;
mod yaml;

#[cfg(test)]
mod tests;

pub use depth::{MAX_DEPTH, MAX_VALUES};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON5, which JSON is a part of.
    Json5,
    /// TOML.
    Toml,
    /// YAML: never read, only answered with its JSON5 form.
    Yaml,
}

impl Format {
    /// The format that a file name stands for; anything but `.toml`, `.yaml` and `.yml` is JSON5.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let suffix = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        match suffix.as_deref() {
            Some("toml") => Self::Toml,
            Some("yaml" | "yml") => Self::Yaml,
            _ => Self::Json5,
        }
    }

    /// The key that pulls in other files: `$include`, in TOML `include`.
    #[must_use]
    pub fn include_key(self) -> &'static str {
        match self {
            Self::Toml => "include",
            Self::Json5 | Self::Yaml => "$include",
        }
    }
}

/// Which file a text is, and how it was reached: enough to give each of its values an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The file as shown to the user (absolute path).
    pub file: Arc<str>,
    /// Where the `$include` stands that names this file; `None` for the root.
    pub from: Option<Arc<Origin>>,
}

impl Frame {
    /// The root configuration file.
    #[must_use]
    pub fn root(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), from: None }
    }

    /// The origin of a value at a position of this file.
    #[must_use]
    pub fn origin(&self, at: Option<Position>) -> Origin {
        let file = Arc::clone(&self.file);
        match &self.from {
            None => Origin::File { file, at },
            Some(from) => Origin::Include { file, at, from: Arc::clone(from) },
        }
    }

    fn issue(&self, at: Option<Position>, message: impl Into<String>, fix: impl Into<String>) -> Issue {
        Issue {
            path: KeyPath::root(),
            origin: self.origin(at),
            message: message.into(),
            nearest: None,
            fix: Some(fix.into()),
        }
    }
}

/// A parsed text.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The value.
    pub node: Node,
    /// How many values it holds, itself included; for TOML an upper bound.
    pub values: usize,
    /// Odd but accepted, for example a number that a double cannot hold exactly.
    pub warnings: Vec<Issue>,
}

/// Reads a text.
///
/// # Errors
/// One issue: too large, not UTF-8, a NUL byte, nested deeper than [`MAX_DEPTH`], more than [`MAX_VALUES`] values, not well-formed, a number that is not finite, or
/// YAML (answered with its JSON5 form).
pub fn parse(frame: &Frame, bytes: &[u8], format: Format) -> Result<Document, Box<Issue>> {
    let text = text_of(frame, bytes)?;
    match format {
        Format::Yaml => Err(Box::new(yaml::refusal(frame, text))),
        Format::Toml => toml_text::parse(frame, text),
        Format::Json5 => json5_text::parse(frame, text).map_err(|issue| {
            if yaml::looks_like_mapping(text) { Box::new(yaml::refusal(frame, text)) } else { issue }
        }),
    }
}

/// Where each value of a JSON5 text (no byte-order mark) stands; `None` when the text is not well-formed, or the reader of positions
/// understands it otherwise than the reader of values.
pub(crate) fn json5_positions(text: &str) -> Option<jsonc_parser::ast::Value<'_>> {
    json5_text::positions(text)
}

/// The text without its byte-order mark, after the checks that need no parser.
fn text_of<'a>(frame: &Frame, bytes: &'a [u8]) -> Result<&'a str, Box<Issue>> {
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Box::new(frame.issue(
            None,
            format!("the file is larger than {} MiB", MAX_FILE_BYTES / (1024 * 1024)),
            "keep settings only in it, or split it with `$include`",
        )));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => {
            let good = bytes.get(..e.valid_up_to()).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or("");
            let at = lines::Lines::new(good).position(good.len());
            return Err(Box::new(frame.issue(Some(at), "the text is not UTF-8", "save the file as UTF-8")));
        }
    };
    if let Some(nul) = text.find('\0') {
        let at = lines::Lines::new(text).position(nul);
        return Err(Box::new(frame.issue(Some(at), "the text holds a NUL byte", "remove it")));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
