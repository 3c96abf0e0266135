//! Credentials that are kept outside the configuration (SP-066): gathered facts, the pure judgement, then the same open file is read.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use oc_config::credential::{Credential, FileFacts, MAX_FILE_BYTES, Unresolved, judge_file};
use oc_types::{KeyPath, Secret};

use crate::{mode, root};

#[cfg(test)]
mod tests;

/// The credential itself. `key` is the key that names it, `workspaces` are the agents' workspaces.
///
/// # Errors
/// See [`Unresolved`]: then this credential is missing, and nothing takes its place.
pub fn resolve(key: &KeyPath, credential: &Credential, workspaces: &[PathBuf]) -> Result<Secret, Unresolved> {
    match credential {
        Credential::Text(secret) => Ok(secret.clone()),
        Credential::File(file) => from_file(key, file, workspaces),
        Credential::Keychain { service, account } => from_keychain(key, service, account),
    }
}

/// Reads a credential file (also `channels.telegram.tokenFile` and its like). The line break at its end is no part of it.
///
/// # Errors
/// [`Unresolved::File`].
pub fn from_file(key: &KeyPath, file: &Path, workspaces: &[PathBuf]) -> Result<Secret, Unresolved> {
    let refuse = |why: String| Unresolved::File { path: key.clone(), file: file.to_owned(), why };
    let (opened, facts) = open(file).map_err(|e| refuse(system(&e)))?;
    let real: Vec<PathBuf> =
        workspaces.iter().map(|w| std::fs::canonicalize(w).unwrap_or_else(|_| w.clone())).collect();
    judge_file(key, file, &facts, rustix::process::getuid().as_raw(), &real)?;
    let bytes = root::read_at_most(opened, file, MAX_FILE_BYTES).map_err(|e| refuse(e.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8 text".to_owned()))?;
    let secret = Secret::new(text.trim_end_matches(['\n', '\r']).to_owned());
    if secret.is_blank() {
        return Err(refuse("it is empty".to_owned()));
    }
    Ok(secret)
}

/// Opens a file without following a last link or waiting for a FIFO, and says what it is.
fn open(file: &Path) -> std::io::Result<(File, FileFacts)> {
    let opened = OpenOptions::new().read(true).custom_flags(mode::no_follow()).open(file);
    let opened = opened.map_err(|e| mode::describe_link(e, file))?;
    let meta = opened.metadata()?;
    let parent = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let real = std::fs::canonicalize(parent)?.join(file.file_name().unwrap_or_default());
    let facts = FileFacts {
        regular: meta.is_file(),
        mode: meta.mode() & 0o7777,
        owner: meta.uid(),
        links: meta.nlink(),
        real,
    };
    Ok((opened, facts))
}

fn system(e: &std::io::Error) -> String {
    match e.kind() {
        std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
        _ => e.to_string(),
    }
}

#[cfg(not(target_os = "macos"))]
fn from_keychain(key: &KeyPath, _service: &str, _account: &str) -> Result<Secret, Unresolved> {
    Err(Unresolved::NoKeychain { path: key.clone() })
}

/// Asks the system's own tool, by its full path: it is the one that a person has unlocked.
#[cfg(target_os = "macos")]
fn from_keychain(key: &KeyPath, service: &str, account: &str) -> Result<Secret, Unresolved> {
    let refuse = |why: &str| Unresolved::Keychain { path: key.clone(), why: why.to_owned() };
    let out = std::process::Command::new("/usr/bin/security")
        .args(["find-generic-password", "-w", "-s", service, "-a", account])
        .output()
        .map_err(|e| refuse(&e.to_string()))?;
    let text = String::from_utf8(out.stdout).map_err(|_| refuse("the item is not text"))?;
    let secret = Secret::new(text.trim_end_matches('\n').to_owned());
    if !out.status.success() || secret.is_blank() {
        return Err(refuse("there is no such item, or access was declined"));
    }
    Ok(secret)
}
