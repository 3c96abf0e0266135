//! Names: slugs of scope keys and names of containers (tool-policy 10.3).

use oc_policy::sandbox::Scope;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use thiserror::Error;

/// Longest container name, in characters.
pub const MAX_NAME: usize = 63;
/// Characters of the hash in a slug.
const HASH: usize = 8;
/// Longest readable part of a slug.
const BASE: usize = 32;

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut out, b| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// A short name that is safe as a directory and container name: a readable part and eight characters of a hash of the whole.
///
/// The hash is upstream's (SHA-1), so that existing directories and containers are found; it protects nothing.
#[must_use]
pub fn slug(value: &str) -> String {
    let text = match value.trim() {
        "" => "session",
        t => t,
    };
    let hash: String =
        hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref()).chars().take(HASH).collect();
    let mut base = String::new();
    let mut gap = false;
    for c in text.to_lowercase().chars() {
        if c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-') {
            if std::mem::take(&mut gap) {
                base.push('-');
            }
            base.push(c);
        } else {
            gap = true;
        }
    }
    if gap {
        base.push('-');
    }
    let base: String = base.trim_matches('-').chars().take(BASE).collect();
    let base = if base.is_empty() { "session" } else { &base };
    format!("{base}-{hash}")
}

/// Why a container cannot be named.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// The cut name is another scope key's already (SP-237).
    #[error(
        "container name {name} is cut from {prefix:?} and already belongs to {owner}; \
         shorten docker.containerPrefix to at most {} characters", MAX_NAME - BASE - HASH - 1
    )]
    Taken {
        /// The name.
        name: String,
        /// The configured prefix.
        prefix: String,
        /// The scope key that owns it.
        owner: String,
    },
    /// Characters that an engine does not take in a name.
    #[error(
        "container name {0:?} is not usable: docker.containerPrefix takes letters, digits, '_', '.', '-'"
    )]
    Characters(String),
}

/// The name of a container before it is known who else has it: prefix and slug (or the word `shared`), cut to [`MAX_NAME`].
#[must_use]
pub fn cut_name(prefix: &str, scope: Scope, scope_key: &str) -> String {
    let tail = match scope {
        Scope::Shared => "shared".to_owned(),
        Scope::Agent | Scope::Session => slug(scope_key),
    };
    format!("{prefix}{tail}").chars().take(MAX_NAME).collect()
}

/// The name of a scope key's container. `owner` tells which scope key has a name according to the registry.
///
/// A name that lost characters of its hash may be two scope keys' name; it is refused when another one has it.
///
/// # Errors
/// [`NameError`].
pub fn container_name(
    prefix: &str,
    scope: Scope,
    scope_key: &str,
    owner: impl Fn(&str) -> Option<String>,
) -> Result<String, NameError> {
    let name = cut_name(prefix, scope, scope_key);
    let first_ok = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    let rest_ok = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if !first_ok || !rest_ok {
        return Err(NameError::Characters(name));
    }
    match owner(&name) {
        Some(owner) if owner != scope_key => Err(NameError::Taken { name, prefix: prefix.to_owned(), owner }),
        _ => Ok(name),
    }
}

/// The sandbox's own directory below the workspace root; `shared` uses the root itself.
#[must_use]
pub fn workspace_dir(root: &str, scope: Scope, scope_key: &str) -> String {
    match scope {
        Scope::Shared => root.to_owned(),
        Scope::Agent | Scope::Session => format!("{}/{}", root.trim_end_matches('/'), slug(scope_key)),
    }
}
