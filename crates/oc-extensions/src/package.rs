//! What `plugins install` takes: where from, which bytes, which paths.

use data_encoding::BASE64;
use oc_text::visible;
use thiserror::Error;

pub mod path;
#[cfg(test)]
mod tests;

/// Longest package name, in bytes; the registry's own limit.
const MAX_NAME: usize = 214;

/// Where a plugin comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A package registry.
    Registry(Pinned),
    /// A `.tgz` on this machine.
    Archive(String),
    /// A folder on this machine.
    Folder(String),
}

/// One version of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// The package, with its scope.
    pub name: String,
    /// The exact version.
    pub version: String,
}

/// SHA-512 of a package file.
#[derive(Clone, PartialEq, Eq)]
pub struct Integrity(Box<[u8; 64]>);

/// Why a text does not say what to install.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotInstallable {
    /// A package without an exact version.
    #[error("{0} does not name an exact version; write `{1}@1.2.3` with the version that you have looked at")]
    NotPinned(String, String),
    /// A web address, a repository, an alias.
    #[error("{0} is not taken; install a package with its exact version, a folder (`./x`) or a `.tgz` file")]
    Kind(String),
    /// No name of a package.
    #[error("{0} is no package name")]
    Name(String),
    /// No integrity.
    #[error("{0} is no integrity; write `sha512-` and 88 characters of base64, as the registry shows it")]
    Integrity(String),
}

impl std::fmt::Display for Pinned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// Reads what `plugins install` is given. A path is told by how it begins or by `.tgz`: what lies in the current directory under the name
/// of a package is never taken in its place (SP-058).
///
/// # Errors
/// See [`NotInstallable`].
pub fn origin(text: &str) -> Result<Origin, NotInstallable> {
    let text = text.trim();
    let is_path = ["./", "../", "/", "~/"].iter().any(|p| text.starts_with(p)) || matches!(text, "." | "..");
    let lower = text.to_ascii_lowercase();
    let is_archive = lower.ends_with(".tgz") || lower.ends_with(".tar.gz");
    if text.contains("://") || text.contains('\0') {
        return Err(NotInstallable::Kind(visible(text, 200)));
    }
    if is_archive {
        return Ok(Origin::Archive(text.to_owned()));
    }
    if is_path {
        return Ok(Origin::Folder(text.to_owned()));
    }
    Pinned::parse(text).map(Origin::Registry)
}

impl Pinned {
    /// Reads `name@1.2.3`.
    ///
    /// # Errors
    /// See [`NotInstallable`].
    pub fn parse(text: &str) -> Result<Self, NotInstallable> {
        let shown = || visible(text, 200);
        let at = text.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at);
        let (name, version) = match at {
            Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
            None => (text, None),
        };
        // `git+ssh:`, `file:`, `npm:` and `user/repository` are no names.
        let slashes = text.matches('/').count();
        if text.contains(':') || slashes > usize::from(text.starts_with('@')) {
            return Err(NotInstallable::Kind(shown()));
        }
        if !is_name(name) {
            return Err(NotInstallable::Name(shown()));
        }
        match version {
            Some(version) if is_version(version) => {
                Ok(Self { name: name.to_owned(), version: version.to_owned() })
            }
            Some(_) | None => Err(NotInstallable::NotPinned(shown(), name.to_owned())),
        }
    }
}

fn is_name(text: &str) -> bool {
    let part = |p: &str| {
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.~".contains(c);
        !p.is_empty() && !p.starts_with(['.', '_', '-']) && p.chars().all(fine)
    };
    text.len() <= MAX_NAME
        && match text.strip_prefix('@') {
            Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| part(scope) && part(name)),
            None => part(text),
        }
}

/// `1.2.3`, with what semantic versions allow behind it. No range, no tag.
#[must_use]
pub fn is_version(text: &str) -> bool {
    let (rest, build) = text.split_once('+').map_or((text, None), |(r, b)| (r, Some(b)));
    let (core, pre) = rest.split_once('-').map_or((rest, None), |(c, p)| (c, Some(p)));
    let number = |n: &str| {
        (1..=16).contains(&n.len())
            && n.chars().all(|c| c.is_ascii_digit())
            && (n.len() == 1 || !n.starts_with('0'))
    };
    let words = |w: &str| {
        w.split('.').all(|p| !p.is_empty() && p.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
    };
    text.len() <= 256
        && core.split('.').count() == 3
        && core.split('.').all(number)
        && pre.is_none_or(words)
        && build.is_none_or(words)
}

impl Integrity {
    /// From a digest.
    #[must_use]
    pub fn new(sha512: [u8; 64]) -> Self {
        Self(Box::new(sha512))
    }

    /// Reads `sha512-<base64>`. Other algorithms are not taken.
    ///
    /// # Errors
    /// [`NotInstallable::Integrity`].
    pub fn parse(text: &str) -> Result<Self, NotInstallable> {
        let wrong = || NotInstallable::Integrity(visible(text, 120));
        let encoded = text.trim().strip_prefix("sha512-").ok_or_else(wrong)?;
        let bytes = BASE64.decode(encoded.as_bytes()).map_err(|_| wrong())?;
        bytes.try_into().map(Self::new).map_err(|_| wrong())
    }
}

impl std::fmt::Display for Integrity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sha512-{}", BASE64.encode(self.0.as_slice()))
    }
}

impl std::fmt::Debug for Integrity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Integrity({self})")
    }
}
