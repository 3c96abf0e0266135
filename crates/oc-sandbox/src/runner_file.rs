//! The static runner program on this machine: what a container mounts as its first process.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Its file name.
pub const NAME: &str = "openclaw-runner";

/// There is no runner program that would start inside a container.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "no statically linked {NAME} beside {}; build it with `cargo xtask runner`, or install it as libexec/openclaw/{NAME}",
    exe.display()
)]
pub struct NoRunner {
    exe: PathBuf,
}

/// Finds the runner program of the running executable: in `libexec/` beside it, in `../libexec/openclaw/`, or beside it when it is static.
/// Tests lie one directory deeper, so its parent is asked as well.
///
/// # Errors
/// [`NoRunner`], which says how to get one.
pub fn runner_file() -> Result<PathBuf, NoRunner> {
    let exe = std::env::current_exe().unwrap_or_default();
    find(&exe).ok_or(NoRunner { exe })
}

/// [`runner_file`] for a named executable.
#[must_use]
pub fn find(exe: &Path) -> Option<PathBuf> {
    let folder = exe.parent()?;
    let parent = folder.parent()?;
    let places = [
        folder.join("libexec").join(NAME),
        parent.join("libexec/openclaw").join(NAME),
        folder.join(NAME),
        parent.join("libexec").join(NAME),
    ];
    places.into_iter().find(|file| is_static(file))
}

/// Whether a file is an ELF program without an interpreter, which starts in any container of this machine's kind.
#[must_use]
pub fn is_static(file: &Path) -> bool {
    const PT_INTERP: u32 = 3;
    let mut start = Vec::new();
    let read = File::open(file).and_then(|f| f.take(64 * 1024).read_to_end(&mut start));
    if read.is_err() || !start.starts_with(b"\x7fELF\x02\x01") {
        return false;
    }
    let number = |at: usize, size: usize| {
        let bytes = start.get(at..at.checked_add(size)?)?;
        Some(bytes.iter().rev().fold(0_usize, |n, b| (n << 8) | usize::from(*b)))
    };
    let headers = || -> Option<Vec<usize>> {
        let (at, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        (0..count).map(|i| number(at.checked_add(i.checked_mul(size)?)?, 4)).collect()
    };
    headers().is_some_and(|kinds| !kinds.is_empty() && !kinds.contains(&(PT_INTERP as usize)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_an_interpreter_does_not_count() {
        assert!(!is_static(Path::new("/bin/sh")));
        assert!(!is_static(Path::new("/etc/passwd")));
        assert!(!is_static(Path::new("/no/such/file")));
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(find(&folder.path().join("bin/openclaw")), None);
        let cause = NoRunner { exe: PathBuf::from("/x/openclaw") }.to_string();
        assert!(cause.contains("cargo xtask runner"));
    }
}
