//! Paths inside a package, as text: one spelling, below the package, or refused.

use oc_text::visible;
use thiserror::Error;

/// Longest path, in bytes.
pub const MAX_PATH: usize = 512;
/// Longest component, in bytes.
pub const MAX_COMPONENT: usize = 200;
/// Deepest file.
pub const MAX_DEPTH: usize = 32;

/// A path that is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the path {0:?} {1}")]
pub struct BadPath(String, &'static str);

/// A path below a folder: relative, `/` between components, no `.` and `..`, nothing unprintable.
///
/// # Errors
/// [`BadPath`].
pub fn relative(text: &str) -> Result<String, BadPath> {
    let bad = |why| BadPath(visible(text, 200), why);
    if text.is_empty() || text.len() > MAX_PATH {
        return Err(bad("is empty or too long"));
    }
    if text.starts_with('/') {
        return Err(bad("is absolute"));
    }
    if text.contains('\\') || !text.chars().all(oc_text::visible::is_plain) {
        return Err(bad("holds a character that is not taken"));
    }
    let mut depth = 0_usize;
    for part in text.split('/') {
        depth += 1;
        match part {
            ".." => return Err(bad("leads out of the folder")),
            "" | "." => return Err(bad("has an empty component")),
            part if part.len() > MAX_COMPONENT => return Err(bad("has a component that is too long")),
            _ => {}
        }
    }
    if depth > MAX_DEPTH {
        return Err(bad("is too deep"));
    }
    Ok(text.to_owned())
}

/// The path of an archive's entry without its first component, which is the package's own folder (`package/`). `None`: the entry is
/// that folder itself.
///
/// # Errors
/// [`BadPath`].
pub fn in_archive(text: &str) -> Result<Option<String>, BadPath> {
    let whole = relative(text.strip_suffix('/').unwrap_or(text))?;
    Ok(whole.split_once('/').map(|(_, rest)| rest.to_owned()))
}
