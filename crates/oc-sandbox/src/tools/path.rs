//! What a path in a call means at its place. Spellings are brought into one form exactly once, before anything is checked (SP-004).
//!
//! Nothing is authorised here by looking at text: the runner opens what comes out, beneath its root, component by component (SP-001).

use std::path::{Component, Path, PathBuf};

use thiserror::Error;

/// How far the file tools reach on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// The whole host, as the reference release does (`tools.fs.workspaceOnly` is not set).
    WholeHost,
    /// The agent's workspace only.
    WorkspaceOnly,
}

/// How paths are meant at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// In a sandbox: relative to its working directory, absolute beneath what is mounted.
    Sandbox {
        /// The working directory inside.
        workdir: String,
    },
    /// On the host.
    Host {
        /// The agent's workspace.
        workspace: PathBuf,
        /// The user's home directory, for `~`.
        home: PathBuf,
        /// How far they reach.
        reach: Reach,
        /// What decides about the tools: the state directory. Tools do not write there, outside of the workspace.
        state: PathBuf,
    },
}

/// A path as the runner takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewPath {
    /// Beneath which directory; `None` beneath the runner's own.
    pub root: Option<String>,
    /// The path.
    pub path: String,
    /// As the caller may see it.
    pub shown: String,
}

/// What the path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The file is read.
    Read,
    /// It is written, moved or removed.
    Write,
}

/// Why a path is refused before anything is opened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// It has no text, or characters that no path has.
    #[error("the path is empty or has control characters")]
    Unusable,
    /// A spelling with more than one meaning.
    #[error("{shown}: {why}")]
    Spelling {
        /// The path as given.
        shown: String,
        /// What is wrong, and what to write.
        why: &'static str,
    },
    /// It is outside of the workspace.
    #[error(
        "{0} is outside of the workspace, and `tools.fs.workspaceOnly` is on; use a path beneath the workspace"
    )]
    Outside(String),
    /// It is part of what decides about the tools.
    #[error(
        "{0} belongs to the state directory, which tools do not write; use the command for it (`openclaw config`, `openclaw approvals`)"
    )]
    State(String),
}

impl View {
    /// Brings a path into the form that the runner takes.
    ///
    /// # Errors
    /// See [`PathError`].
    pub fn locate(&self, given: &str, purpose: Purpose) -> Result<ViewPath, PathError> {
        let plain = spelled(given)?;
        match self {
            Self::Sandbox { .. } => {
                if plain.starts_with('~') {
                    let why = "there is no home directory here; use a path relative to the working directory";
                    return Err(PathError::Spelling { shown: given.to_owned(), why });
                }
                Ok(ViewPath { root: None, path: plain.clone(), shown: plain })
            }
            Self::Host { workspace, home, reach, state } => {
                let whole = match plain.strip_prefix('~') {
                    Some("") => home.clone(),
                    Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
                    Some(_) => {
                        let why = "the home of another user is not looked up; write the whole path";
                        return Err(PathError::Spelling { shown: given.to_owned(), why });
                    }
                    None => workspace.join(&plain),
                };
                host(&whole, workspace, *reach, state, purpose, given)
            }
        }
    }
}

/// The one spelling of a path: `@` and `file:` taken away, nothing decoded twice.
fn spelled(given: &str) -> Result<String, PathError> {
    if given.trim().is_empty() || given.chars().any(char::is_control) {
        return Err(PathError::Unusable);
    }
    let wrong = |why| Err(PathError::Spelling { shown: given.to_owned(), why });
    let text = match given.strip_prefix('@') {
        Some(rest) if !rest.is_empty() => rest,
        _ => given,
    };
    if text.contains('\\') {
        return wrong("a backslash separates nothing here; use `/`");
    }
    let scheme = text.get(..5).filter(|s| s.eq_ignore_ascii_case("file:"));
    if scheme.is_none() {
        return Ok(text.to_owned());
    }
    let rest = text.get(5..).unwrap_or_default();
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some(rest) => match rest.find('/').and_then(|at| rest.split_at_checked(at)) {
            Some((host, path)) if host.is_empty() || host.eq_ignore_ascii_case("localhost") => path,
            _ => return wrong("a file of another host is not read"),
        },
    };
    if !path.starts_with('/') || path.contains(['?', '#']) {
        return wrong("a file URL needs an absolute path and nothing else");
    }
    match decoded(path) {
        Some(path) => Ok(path),
        None => wrong("the URL has an escape that is no character of a path"),
    }
}

/// Percent-decoding, once. A decoded `/`, NUL or control character is refused.
fn decoded(path: &str) -> Option<String> {
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(b) = bytes.next() {
        if b != b'%' {
            out.push(b);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        let value = u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?;
        if value == b'/' || value == b'\\' || value.is_ascii_control() {
            return None;
        }
        out.push(value);
    }
    String::from_utf8(out).ok().filter(|t| !t.chars().any(char::is_control))
}

fn host(
    whole: &Path,
    workspace: &Path,
    reach: Reach,
    state: &Path,
    purpose: Purpose,
    given: &str,
) -> Result<ViewPath, PathError> {
    let outside = || PathError::Outside(given.to_owned());
    match reach {
        Reach::WorkspaceOnly => {
            let beneath = whole.strip_prefix(workspace).map_err(|_| outside())?;
            if beneath.components().any(|c| !matches!(c, Component::Normal(_) | Component::CurDir)) {
                return Err(outside());
            }
            let path = beneath.to_str().ok_or(PathError::Unusable)?;
            let path = if path.is_empty() { "." } else { path };
            let root = real(workspace).to_str().ok_or(PathError::Unusable)?.to_owned();
            Ok(ViewPath { root: Some(root), path: path.to_owned(), shown: given.to_owned() })
        }
        // The runner follows no link at all. Links are resolved here, once; when one changes in between, the runner refuses.
        Reach::WholeHost => {
            let real = real(whole);
            if purpose == Purpose::Write && is_state(&real, workspace, state) {
                return Err(PathError::State(given.to_owned()));
            }
            let path = real.to_str().ok_or(PathError::Unusable)?.to_owned();
            Ok(ViewPath { root: Some("/".to_owned()), path, shown: given.to_owned() })
        }
    }
}

fn is_state(path: &Path, workspace: &Path, state: &Path) -> bool {
    path.starts_with(real(state)) && !path.starts_with(real(workspace))
}

/// The path with every link of its existing part resolved; what does not exist yet stays as written, `.` and `..` worked out.
fn real(path: &Path) -> PathBuf {
    if let Ok(found) = std::fs::canonicalize(path) {
        return found;
    }
    let Some(parent) = path.parent() else { return path.to_owned() };
    let base = real(parent);
    match path.components().next_back() {
        Some(Component::Normal(name)) => base.join(name),
        Some(Component::ParentDir) => base.parent().map_or_else(|| base.clone(), Path::to_owned),
        _ => base,
    }
}
