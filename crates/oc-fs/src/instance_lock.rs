//! One gateway for each configuration: `<tmp>/openclaw-<uid>/gateway.<8 hex>.lock` (gateway 1).
//!
//! The file is upstream's, so that either side sees the other; among our own processes the kernel's lock on it decides, which a killed
//! holder cannot leave behind.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ring::digest;
use serde::Deserialize;
use thiserror::Error;

use crate::mode;

#[cfg(test)]
mod tests;

/// How long to wait for the other gateway to end.
pub const WAIT: Duration = Duration::from_secs(5);
/// How often to look.
const PAUSE: Duration = Duration::from_millis(100);
/// Age after which a file whose owner is not known counts as left behind.
const STALE: Duration = Duration::from_secs(30);

/// The place; given back when dropped.
#[derive(Debug)]
pub struct InstanceLock {
    path: PathBuf,
    file: File,
}

/// Why the place was not taken.
#[derive(Debug, Error)]
pub enum InstanceFailure {
    /// Another gateway runs on this configuration.
    #[error(
        "another gateway{} runs on {}; stop it (`openclaw gateway stop`), or set OPENCLAW_ALLOW_MULTI_GATEWAY=1 to run several",
        pid.map(|p| format!(" (process {p})")).unwrap_or_default(), config.display()
    )]
    Taken {
        /// Its process, when known.
        pid: Option<u32>,
        /// The configuration.
        config: PathBuf,
    },
    /// The file cannot be used.
    #[error("the lock of the gateway {} cannot be used: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Held {
    pid: u32,
    #[serde(default)]
    start_time: Option<u64>,
}

/// The file for a configuration.
#[must_use]
pub fn path_of(config: &Path) -> PathBuf {
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, config.to_string_lossy().as_bytes());
    let hex: String = digest.as_ref().iter().take(4).map(|b| format!("{b:02x}")).collect();
    let uid = rustix::process::getuid().as_raw();
    std::env::temp_dir().join(format!("openclaw-{uid}")).join(format!("gateway.{hex}.lock"))
}

/// Takes the place of the gateway of a configuration, waiting [`WAIT`] for another one to end.
///
/// # Errors
/// See [`InstanceFailure`].
pub fn take(config: &Path) -> Result<InstanceLock, InstanceFailure> {
    take_at(&path_of(config), config, WAIT)
}

fn take_at(path: &Path, config: &Path, wait: Duration) -> Result<InstanceLock, InstanceFailure> {
    let unusable = |source| InstanceFailure::Unusable { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        mode::create_directories(folder).map_err(unusable)?;
        let meta = folder.symlink_metadata().map_err(unusable)?;
        // The folder lies where everybody may make one.
        if !meta.is_dir() || meta.uid() != rustix::process::getuid().as_raw() || meta.mode() & 0o022 != 0 {
            return Err(unusable(mode::refused(folder, "it is not a folder of this user alone; remove it")));
        }
    }
    let deadline = Instant::now() + wait;
    loop {
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(mode::FILE)
            .custom_flags(mode::no_follow())
            .open(path);
        let mut file = opened.map_err(|e| unusable(mode::describe_link(e, path)))?;
        let free = match file.try_lock() {
            Ok(()) => holder(&mut file, path).map_err(unusable)?,
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = (&mut file).take(4096).read_to_string(&mut text);
                Err(serde_json::from_str::<Held>(&text).ok().map(|h| h.pid))
            }
            Err(TryLockError::Error(e)) => return Err(unusable(e)),
        };
        match free {
            // Somebody may have replaced the file between the two.
            Ok(()) if same_file(&file, path) => {
                write(&mut file, config).map_err(unusable)?;
                return Ok(InstanceLock { path: path.to_owned(), file });
            }
            Ok(()) => {}
            Err(pid) if Instant::now() >= deadline => {
                return Err(InstanceFailure::Taken { pid, config: config.to_owned() });
            }
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

/// Whether the place is free although the file may name an owner (upstream's programs take no kernel lock). `Err`: the owner lives.
fn holder(file: &mut File, path: &Path) -> io::Result<Result<(), Option<u32>>> {
    let mut text = String::new();
    (&mut *file).take(4096).read_to_string(&mut text)?;
    if text.is_empty() {
        return Ok(Ok(()));
    }
    let Ok(held) = serde_json::from_str::<Held>(&text) else {
        let age = path.symlink_metadata()?.modified()?.elapsed().unwrap_or_default();
        return Ok(if age > STALE { Ok(()) } else { Err(None) });
    };
    let own = held.pid == std::process::id();
    let pid = i32::try_from(held.pid).ok().and_then(rustix::process::Pid::from_raw);
    let alive = pid.is_some_and(|p| rustix::process::test_kill_process(p) != Err(rustix::io::Errno::SRCH));
    let another = held.start_time.is_some_and(|t| start_time(held.pid).is_some_and(|now| now != t));
    Ok(if own || !alive || another { Ok(()) } else { Err(Some(held.pid)) })
}

/// When a process started, in ticks since boot (field 22 of its `stat`).
fn start_time(pid: u32) -> Option<u64> {
    let text = crate::bounded_read::text(Path::new(&format!("/proc/{pid}/stat")), 4096).ok()?;
    // The name may hold blanks and parentheses; the fields after the last one do not.
    let (_, fields) = text.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

fn same_file(file: &File, path: &Path) -> bool {
    let (Ok(a), Ok(b)) = (file.metadata(), path.symlink_metadata()) else { return false };
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

fn write(file: &mut File, config: &Path) -> io::Result<()> {
    let pid = std::process::id();
    let created = format!("{:.3}", jiff::Timestamp::now());
    let mut text = serde_json::json!({
        "pid": pid,
        "createdAt": created,
        "configPath": config.to_string_lossy(),
    });
    if let (Some(at), Some(members)) = (start_time(pid), text.as_object_mut()) {
        members.insert("startTime".to_owned(), at.into());
    }
    mode::owner_only(file, config)?;
    file.set_len(0)?;
    file.rewind()?;
    // Not forced to the disk: what it says is about a process, and no process outlives the machine.
    file.write_all(text.to_string().as_bytes())
}

impl Drop for InstanceLock {
    fn drop(&mut self) {
        if same_file(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
