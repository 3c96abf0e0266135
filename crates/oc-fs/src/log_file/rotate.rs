//! Files that are full, and files that are old.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::AtFlags;

/// Most files of one name that are set aside: `.1` (the youngest) to `.5`.
pub const ARCHIVES: usize = 5;
/// Age from which on a daily file is removed.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

fn numbered(name: &OsStr, n: usize) -> OsString {
    let mut out = name.to_owned();
    out.push(format!(".{n}"));
    out
}

/// Moves every archive one place on, drops the oldest, and makes the file `.1`.
///
/// # Errors
/// When the file cannot be renamed.
pub(super) fn set_aside(folder: &OwnedFd, name: &OsStr) -> io::Result<()> {
    for n in (1..ARCHIVES).rev() {
        // One that is missing leaves a gap.
        let _ = rustix::fs::renameat(folder, numbered(name, n), folder, numbered(name, n + 1));
    }
    match rustix::fs::renameat(folder, name, folder, numbered(name, 1)) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// Removes the daily files that are older than a day, archives too. What cannot be removed stays.
pub(super) fn prune(path: &Path, folder: &OwnedFd, now: SystemTime) {
    let Ok(entries) = std::fs::read_dir(path) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !is_daily(&name.to_string_lossy()) {
            continue;
        }
        let Ok(meta) = entry.metadata() else { continue };
        let age = meta.modified().ok().and_then(|m| now.duration_since(m).ok());
        if meta.is_file() && age.is_some_and(|a| a > KEPT) {
            let _ = rustix::fs::unlinkat(folder, &name, AtFlags::empty());
        }
    }
}

/// `openclaw-YYYY-MM-DD.log`, or an archive of one.
fn is_daily(name: &str) -> bool {
    let Some((date, rest)) = name.strip_prefix("openclaw-").and_then(|n| n.split_once(".log")) else {
        return false;
    };
    let shape = |(at, b): (usize, u8)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() };
    let archive =
        rest.strip_prefix('.').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    date.len() == 10 && date.bytes().enumerate().all(shape) && (rest.is_empty() || archive)
}
