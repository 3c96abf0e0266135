//! A credential, and where it is kept: in the configuration, in a file, in the keychain (SP-066).
//!
//! Every credential key takes a text, `{ file: "/path" }`, or `{ keychain: { service, account } }`. What cannot be resolved fails for
//! that credential alone, and never falls through to another source or to no authentication.

use std::path::{Path, PathBuf};

use oc_types::{KeyPath, Node, Secret, Value};
use ring::hmac;
use thiserror::Error;

#[cfg(test)]
mod tests;

/// Largest credential file, in bytes.
pub const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Where a credential is kept.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Here: the text itself (variables already put in).
    Text(Secret),
    /// In a file.
    File(PathBuf),
    /// In the keychain of the user's session (macOS).
    Keychain {
        /// The service name of the item.
        service: String,
        /// The account name of the item.
        account: String,
    },
}

/// Why a credential is not there. It is then missing for the key that names it, and for that key only.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unresolved {
    /// The value is neither a text nor a reference.
    #[error("{path}: {why}; write a text, {{ file: \"/path\" }} or {{ keychain: {{ service, account }} }}")]
    Malformed {
        /// The key.
        path: KeyPath,
        /// What is wrong.
        why: &'static str,
    },
    /// A `${VAR}` that was not put in.
    #[error("{path}: the variable in it is not set")]
    Variable {
        /// The key.
        path: KeyPath,
    },
    /// The file is not one a credential may be kept in.
    #[error("{path}: {}: {why}", file.display())]
    File {
        /// The key.
        path: KeyPath,
        /// The file.
        file: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// There is no keychain here.
    #[error("{path}: a keychain reference works on macOS only; use a file reference here")]
    NoKeychain {
        /// The key.
        path: KeyPath,
    },
    /// The keychain has no such item, or does not hand it out.
    #[error("{path}: the keychain item was not handed out: {why}")]
    Keychain {
        /// The key.
        path: KeyPath,
        /// What the keychain said.
        why: String,
    },
}

/// What is known about a credential file, gathered from the opened file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// Whether it is a regular file (a link is not).
    pub regular: bool,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub owner: u32,
    /// Number of names.
    pub links: u64,
    /// Its real path: links in the directories above resolved.
    pub real: PathBuf,
}

impl Credential {
    /// Reads the value of a credential key. `None` when the key is absent, `null` or an empty text: nothing is configured.
    ///
    /// # Errors
    /// [`Unresolved::Malformed`], [`Unresolved::Variable`].
    pub fn of(path: &KeyPath, node: Option<&Node>) -> Result<Option<Self>, Unresolved> {
        let malformed = |why| Unresolved::Malformed { path: path.clone(), why };
        let Some(node) = node else { return Ok(None) };
        match &node.value {
            Value::Null => Ok(None),
            Value::String(s) if s.trim().is_empty() => Ok(None),
            Value::String(s) if is_reference(s) && !matches!(node.origin, oc_types::Origin::Env { .. }) => {
                Err(Unresolved::Variable { path: path.clone() })
            }
            Value::String(s) => Ok(Some(Self::Text(Secret::new(s.clone())))),
            Value::Object(o) => {
                let (Some((kind, value)), 1) = (o.first(), o.len()) else {
                    return Err(malformed("a reference has exactly one member"));
                };
                match kind.as_str() {
                    "file" => {
                        let file = value.as_str().ok_or_else(|| malformed("`file` is not a text"))?;
                        if !Path::new(file).is_absolute() {
                            return Err(malformed("`file` is not an absolute path"));
                        }
                        Ok(Some(Self::File(PathBuf::from(file))))
                    }
                    "keychain" => {
                        let part =
                            |key| value.get(key).and_then(Node::as_str).filter(|s| !s.trim().is_empty());
                        let (Some(service), Some(account)) = (part("service"), part("account")) else {
                            return Err(malformed("`keychain` needs `service` and `account`"));
                        };
                        Ok(Some(Self::Keychain { service: service.to_owned(), account: account.to_owned() }))
                    }
                    _ => Err(malformed("the reference is neither `file` nor `keychain`")),
                }
            }
            Value::Bool(_) | Value::Number(_) | Value::Array(_) => Err(malformed("the value is no text")),
        }
    }
}

/// Whether a text is nothing but one variable that was not put in.
fn is_reference(text: &str) -> bool {
    text.strip_prefix("${").and_then(|t| t.strip_suffix('}')).is_some_and(|name| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    })
}

/// Whether a credential may be kept in this file: a regular file with one name, 0600 or stricter, owned by the user, outside every
/// workspace (an agent could read it there). `workspaces` are real paths.
///
/// # Errors
/// [`Unresolved::File`].
pub fn judge_file(
    path: &KeyPath,
    file: &Path,
    facts: &FileFacts,
    user: u32,
    workspaces: &[PathBuf],
) -> Result<(), Unresolved> {
    let refuse = |why: String| Err(Unresolved::File { path: path.clone(), file: file.to_owned(), why });
    if !facts.regular {
        return refuse("it is no regular file (or a link); name the file itself".to_owned());
    }
    if facts.links > 1 {
        return refuse("it has a second name (hard link); keep one".to_owned());
    }
    if facts.owner != user {
        return refuse("it belongs to another user; `chown` it to yours".to_owned());
    }
    if facts.mode & 0o177 != 0 {
        return refuse(format!("its mode is {:04o}; `chmod 600` it", facts.mode & 0o7777));
    }
    if let Some(workspace) = workspaces.iter().find(|w| facts.real.starts_with(w)) {
        return refuse(format!("it lies in the workspace {}; move it out", workspace.display()));
    }
    Ok(())
}

/// Whether two credentials are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// They are.
    Same,
    /// They are not.
    Different,
}

/// Compares two credentials in constant time and without branching on their lengths (SP-012): fixed-size digests of both are
/// compared, by a comparison that looks at every byte.
#[must_use]
pub fn compare(a: &Secret, b: &Secret) -> Comparison {
    // The key is no secret: it only turns both sides into digests of one size.
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"oc-config credential comparison");
    let digest = hmac::sign(&key, a.expose().as_bytes());
    match hmac::verify(&key, b.expose().as_bytes(), digest.as_ref()) {
        Ok(()) => Comparison::Same,
        Err(ring::error::Unspecified) => Comparison::Different,
    }
}
