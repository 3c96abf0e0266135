//! What a native sandbox is made of: the one message that the outer stage reads before anything else.

mod check;
#[cfg(test)]
mod tests;

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Raised when a field changes its meaning; another version is refused.
pub const VERSION: u32 = 1;
/// Largest spec, in bytes.
pub const MAX_SPEC: u32 = 256 * 1024;
/// Most mounts, and most scratch directories.
pub const MAX_ENTRIES: usize = 64;

/// A native sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// [`VERSION`].
    pub version: u32,
    /// The host's user that the sandbox runs as: the owner of the workspace. Inside it has the same number, but never 0.
    pub user: u32,
    /// The host's group.
    pub group: u32,
    /// Directories of the host, in order.
    pub mounts: Vec<Bind>,
    /// Private directories in memory.
    pub scratch: Vec<Scratch>,
    /// Working directory and home; one of the mounts or below one.
    pub workdir: String,
    /// The limits.
    pub limits: Limits,
    /// Arguments of our own binary once everything is taken away.
    pub command: Vec<String>,
}

/// What may be done with a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Read only.
    Read,
    /// Read and write.
    Write,
}

/// A directory of the host that the sandbox sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bind {
    /// On the host: absolute, without links and dots.
    pub source: String,
    /// Inside: absolute, without dots.
    pub target: String,
    /// What may be done with it.
    pub access: Access,
}

/// A private directory in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scratch {
    /// Inside: absolute, without dots.
    pub target: String,
    /// Most bytes.
    pub size: u64,
}

/// The limits of a sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Most processes and threads at a time.
    pub processes: u32,
    /// Most memory of one process, in bytes.
    pub memory: Option<u64>,
    /// Most processors.
    pub processors: Option<u32>,
    /// Largest file, in bytes.
    pub file_size: u64,
    /// Most open files of one process.
    pub open_files: u64,
    /// Further limits of one process by their usual name (`cpu`, `stack`, `memlock` ...): soft, hard.
    pub named: Vec<(String, u64, u64)>,
}

/// Why a spec is not one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpecError {
    /// It could not be read.
    #[error("the sandbox description cannot be read: {0}")]
    Unreadable(String),
    /// Another version of this program wrote it.
    #[error("the sandbox description has version {0}, this program takes {VERSION}")]
    Version(u32),
    /// A value that no sandbox can have.
    #[error("the sandbox description is wrong: {0}")]
    Wrong(String),
}

impl Spec {
    /// Writes the spec with its length before it.
    ///
    /// # Errors
    /// [`SpecError::Unreadable`] when the other side is gone, [`SpecError::Wrong`] when it is too long.
    pub fn write(&self, to: &mut impl Write) -> Result<(), SpecError> {
        to.write_all(&self.to_bytes()?).map_err(|e| SpecError::Unreadable(e.to_string()))
    }

    /// The bytes that [`Spec::read`] takes.
    ///
    /// # Errors
    /// [`SpecError::Wrong`] when it is too long.
    pub fn to_bytes(&self) -> Result<Vec<u8>, SpecError> {
        let body = serde_json::to_vec(self).map_err(|e| SpecError::Wrong(e.to_string()))?;
        let length = u32::try_from(body.len()).ok().filter(|l| *l <= MAX_SPEC);
        let length = length.ok_or_else(|| SpecError::Wrong("it is too long".to_owned()))?;
        Ok(length.to_be_bytes().into_iter().chain(body).collect())
    }

    /// Reads a spec and not one byte more, and checks it.
    ///
    /// # Errors
    /// [`SpecError`].
    pub fn read(from: &mut impl Read) -> Result<Self, SpecError> {
        let unreadable = |e: std::io::Error| SpecError::Unreadable(e.to_string());
        let mut length = [0_u8; 4];
        from.read_exact(&mut length).map_err(unreadable)?;
        let length = u32::from_be_bytes(length);
        if length > MAX_SPEC {
            return Err(SpecError::Wrong(format!("it is {length} bytes long, the limit is {MAX_SPEC}")));
        }
        let mut body = vec![0_u8; usize::try_from(length).unwrap_or(0)];
        from.read_exact(&mut body).map_err(unreadable)?;
        let spec: Self = serde_json::from_slice(&body).map_err(|e| SpecError::Wrong(e.to_string()))?;
        spec.check()?;
        Ok(spec)
    }

    /// The user number inside: the host's, but never 0.
    #[must_use]
    pub fn inside_user(&self) -> u32 {
        never_root(self.user)
    }

    /// The group number inside.
    #[must_use]
    pub fn inside_group(&self) -> u32 {
        never_root(self.group)
    }
}

/// The number of "nobody".
pub const NOBODY: u32 = 65_534;

fn never_root(id: u32) -> u32 {
    if id == 0 { NOBODY } else { id }
}
