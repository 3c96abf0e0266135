//! Puts a new secret where the old one stands outside the configuration: a line of a `.env` file, a file of its own.
//!
//! No copy of the old text is kept: the secret in it is to be forgotten.

use std::io;
use std::path::Path;

use oc_config::dotenv;
use oc_types::Secret;
use thiserror::Error;

use crate::lock::{self, Convention, LockFailure};
use crate::{atomic, owned_file};

#[cfg(test)]
mod tests;

/// Largest file, in bytes.
const LIMIT: u64 = 1024 * 1024;

/// Why the secret was not changed. The old one is still there.
#[derive(Debug, Error)]
pub enum SeatFailure {
    /// The file cannot be read, or is a link, or somebody else's, or others can write it.
    #[error("the secret's file cannot be used: {0}")]
    Unusable(io::Error),
    /// The file is gone, or is not UTF-8 text, or no longer sets the variable.
    #[error("{0}")]
    Moved(String),
    /// The lock.
    #[error(transparent)]
    Lock(#[from] LockFailure),
    /// The new text could not be written.
    #[error(transparent)]
    Write(#[from] atomic::WriteFailure),
}

/// Sets a variable of a `.env` file anew; every other byte stays.
///
/// # Errors
/// See [`SeatFailure`].
pub fn in_env_file(file: &Path, name: &str, secret: &Secret) -> Result<(), SeatFailure> {
    let _lock = lock::acquire(file, Convention::Own, lock::WAIT)?;
    let text = text(file)?;
    let moved = || SeatFailure::Moved(format!("{} does not set {name} any more", file.display()));
    let after = dotenv::with_value(&text, name, secret.expose()).ok_or_else(moved)?;
    Ok(atomic::replace(file, after.as_bytes())?)
}

/// Replaces the content of a secret's own file.
///
/// # Errors
/// See [`SeatFailure`].
pub fn in_own_file(file: &Path, secret: &Secret) -> Result<(), SeatFailure> {
    let _lock = lock::acquire(file, Convention::Own, lock::WAIT)?;
    let ending = if text(file)?.ends_with('\n') { "\n" } else { "" };
    Ok(atomic::replace(file, format!("{}{ending}", secret.expose()).as_bytes())?)
}

fn text(file: &Path) -> Result<String, SeatFailure> {
    let bytes = owned_file::read(file, LIMIT).map_err(SeatFailure::Unusable)?;
    let bytes = bytes.ok_or_else(|| SeatFailure::Moved(format!("{} is gone", file.display())))?;
    String::from_utf8(bytes).map_err(|_| SeatFailure::Moved(format!("{} is not UTF-8 text", file.display())))
}
