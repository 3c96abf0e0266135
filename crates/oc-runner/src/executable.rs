//! From a path to the very file that starts: opened, compared with what the decision saw, started from that handle (SP-002, SP-145).

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use ring::digest::{Context, SHA256};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, FdFlags};

use crate::protocol::{Identity, Process};
use crate::refusal::Refusal;

/// A file that may start.
#[derive(Debug)]
pub struct Executable {
    /// What the system is asked to start.
    pub path: PathBuf,
    /// Keeps the handle that `path` names open until then.
    _handle: Option<OwnedFd>,
}

impl Executable {
    /// Opens and checks what `process` names.
    ///
    /// # Errors
    /// `executable-changed` when it is not what the decision saw; `not-found`, `denied`.
    pub fn open(process: &Process) -> Result<Self, Refusal> {
        let path = PathBuf::from(&process.executable);
        if !path.is_absolute() {
            return Err(Refusal::new("protocol", format!("{} is not an absolute path", path.display())));
        }
        let Some(identity) = &process.identity else { return Ok(Self { path, _handle: None }) };
        let what = path.display().to_string();
        let mut file = File::from(
            open_for_check(&path, identity)
                .map_err(|e| Refusal::system(&what, &e.into(), "executable-changed"))?,
        );
        let same =
            matches(&mut file, identity).map_err(|e| Refusal::system(&what, &e, "executable-changed"))?;
        if !same {
            return Err(Refusal::new(
                "executable-changed",
                format!("{what} is not the file that was allowed any more; ask again"),
            ));
        }
        let handle = OwnedFd::from(file);
        match start_of(&handle) {
            // An interpreter opens the script by the name it is given, after handles that close on exec are gone. Where nobody but the
            // system's owner can change the file (no content sum was needed), the name is as good as the handle and the script
            // sees its own name.
            Start::Script if identity.sha256.is_none() => return Ok(Self { path, _handle: Some(handle) }),
            Start::Script => {
                rustix::io::fcntl_setfd(&handle, FdFlags::empty())
                    .map_err(|e| Refusal::system(&what, &e.into(), "spawn-failed"))?;
            }
            Start::Other => {}
        }
        Ok(Self { path: handle_path(&handle), _handle: Some(handle) })
    }
}

/// The name under which this process and its children reach an open handle.
pub fn handle_path(handle: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()))
}

fn open_for_check(path: &std::path::Path, identity: &Identity) -> rustix::io::Result<OwnedFd> {
    let read = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match rustix::fs::open(path, read, Mode::empty()) {
        // It may be started but not read; its numbers can still be compared.
        Err(Errno::ACCESS) if identity.sha256.is_none() => {
            rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        }
        other => other,
    }
}

fn matches(file: &mut File, identity: &Identity) -> std::io::Result<bool> {
    let meta = file.metadata()?;
    let modified = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
    let numbers = meta.is_file()
        && meta.dev() == identity.device
        && meta.ino() == identity.inode
        && meta.size() == identity.size
        && modified == identity.modified_ns;
    if !numbers {
        return Ok(false);
    }
    let Some(wanted) = &identity.sha256 else { return Ok(true) };
    Ok(sha256(file, identity.size)?.eq_ignore_ascii_case(wanted))
}

/// SHA-256 of at most `limit` bytes and one more, in lower-case hexadecimal.
pub fn sha256(file: &mut impl Read, limit: u64) -> std::io::Result<String> {
    let mut digest = Context::new(&SHA256);
    let mut reader = file.take(limit.saturating_add(1));
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok(hexadecimal(digest.finish().as_ref()));
        }
        digest.update(buffer.get(..read).unwrap_or_default());
    }
}

/// Lower-case hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

enum Start {
    Script,
    Other,
}

fn start_of(handle: &OwnedFd) -> Start {
    let mut first = [0; 2];
    match rustix::io::pread(handle.as_fd(), &mut first[..], 0) {
        Ok(2) if first == *b"#!" => Start::Script,
        _ => Start::Other,
    }
}

/// Where a command starts.
#[derive(Debug)]
pub struct Directory {
    /// What the system is asked to enter.
    pub path: PathBuf,
    /// The opened directory, where the decision saw one.
    pub handle: Option<OwnedFd>,
}

impl Directory {
    /// Opens and checks a working directory (SP-171).
    ///
    /// # Errors
    /// `changed` when a component is a link or it is another directory; `not-found`, `denied`.
    pub fn open(path: &str, identity: Option<(u64, u64)>) -> Result<Self, Refusal> {
        let plain = PathBuf::from(path);
        if !plain.is_absolute() {
            return Err(Refusal::new("protocol", format!("working directory {path} is not absolute")));
        }
        let failed = |e: Errno| match e {
            Errno::LOOP | Errno::NOTDIR => {
                Refusal::new("changed", format!("working directory {path} goes through a link now"))
            }
            e => Refusal::system(&format!("working directory {path}"), &e.into(), "changed"),
        };
        let Some((device, inode)) = identity else {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            rustix::fs::open(&plain, flags, Mode::empty()).map_err(|e| match e {
                Errno::NOTDIR => {
                    Refusal::new("not-found", format!("working directory {path} is not a directory"))
                }
                e => Refusal::system(&format!("working directory {path}"), &e.into(), "failed"),
            })?;
            return Ok(Self { path: plain, handle: None });
        };
        let handle = open_without_links(&plain).map_err(failed)?;
        let stat = rustix::fs::fstat(&handle).map_err(failed)?;
        if (stat.st_dev, stat.st_ino) != (device, inode) {
            return Err(Refusal::new(
                "changed",
                format!("working directory {path} is another one now; ask again"),
            ));
        }
        Ok(Self { path: handle_path(&handle), handle: Some(handle) })
    }
}

fn open_without_links(path: &std::path::Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..16 {
        match rustix::fs::openat2(rustix::fs::CWD, path, flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN) => {}
            Err(Errno::NOSYS | Errno::PERM) => break,
            other => return other,
        }
    }
    let mut here = rustix::fs::open("/", flags, Mode::empty())?;
    for part in path.components() {
        if let std::path::Component::Normal(part) = part {
            here = rustix::fs::openat(&here, part, flags, Mode::empty())?;
        }
    }
    Ok(here)
}
