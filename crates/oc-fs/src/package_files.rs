//! The files of a package, unpacked or copied into a fresh folder: regular files and folders only, below it, within limits, owner-only.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use oc_extensions::package::Integrity;
use oc_extensions::package::path::{BadPath, in_archive, relative};
use oc_text::visible;
use ring::digest;
use tar::EntryType;
use thiserror::Error;

use crate::bounded_read::{self, ReadFailure};
use crate::mode;

#[cfg(test)]
mod tests;

/// Largest archive, in bytes.
pub const MAX_ARCHIVE: u64 = 64 * 1024 * 1024;
/// Most bytes of all files of a package together.
pub const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Most files and folders of a package.
pub const MAX_FILES: usize = 20_000;

/// How much is unpacked.
#[derive(Clone, Copy, Debug)]
struct Caps {
    bytes: u64,
    files: usize,
    /// Room for the headers of the archive.
    headers: u64,
}

const CAPS: Caps = Caps { bytes: MAX_BYTES, files: MAX_FILES, headers: 64 * 1024 * 1024 };

/// Why a package was not unpacked. What had been written so far is the caller's to remove: it was written into a fresh folder.
#[derive(Debug, Error)]
pub enum NotUnpacked {
    /// The archive or a file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ReadFailure,
    },
    /// The archive is damaged or no `.tgz`.
    #[error("the archive is damaged or no gzipped tar file: {0}")]
    Damaged(String),
    /// An entry is a link, a device or something else that is no file.
    #[error("{path} is {what}; a package holds files and folders only")]
    Entry {
        /// The entry.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// The path of an entry.
    #[error(transparent)]
    Path(#[from] BadPath),
    /// Too much.
    #[error("the package holds more than {MAX_FILES} files or {} MiB", MAX_BYTES / (1024 * 1024))]
    TooMuch,
    /// Writing failed, also when a path stands in the archive twice.
    #[error("{}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Reads an archive and its digest. Nothing is unpacked.
///
/// # Errors
/// [`NotUnpacked::Read`].
pub fn archive(path: &Path) -> Result<(Vec<u8>, Integrity), NotUnpacked> {
    let bytes = bounded_read::bytes(path, MAX_ARCHIVE)
        .map_err(|source| NotUnpacked::Read { path: path.to_owned(), source })?;
    let mut sum = [0_u8; 64];
    sum.copy_from_slice(digest::digest(&digest::SHA512, &bytes).as_ref());
    Ok((bytes, Integrity::new(sum)))
}

/// Unpacks a `.tgz` into a fresh, empty folder, without the one folder that everything in it lies in.
///
/// # Errors
/// See [`NotUnpacked`].
pub fn unpack(archive: &[u8], into: &Path) -> Result<(), NotUnpacked> {
    unpack_within(archive, into, CAPS)
}

fn unpack_within(archive: &[u8], into: &Path, caps: Caps) -> Result<(), NotUnpacked> {
    let mut writer = Writer::new(into, caps);
    // Headers count too, so that a stream of nothing but headers ends.
    let left = caps.bytes.saturating_add(caps.headers);
    let capped = Capped { inner: GzDecoder::new(archive), left };
    let mut tar = tar::Archive::new(capped);
    for entry in tar.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let path = entry.path_bytes();
        let shown = visible(&String::from_utf8_lossy(&path), 200);
        let text = std::str::from_utf8(&path)
            .map_err(|_| NotUnpacked::Entry { path: shown.clone(), what: "not named in UTF-8" })?;
        let below = in_archive(text)?;
        let refused = |what| NotUnpacked::Entry { path: shown.clone(), what };
        match (kind, below) {
            (EntryType::Directory, None) => {}
            (EntryType::Directory, Some(below)) => writer.folder(&below)?,
            (EntryType::Regular | EntryType::Continuous, Some(below)) => {
                let runnable = entry.header().mode().is_ok_and(|m| m & 0o100 != 0);
                writer.file(&below, runnable, &mut entry)?;
            }
            (EntryType::Regular | EntryType::Continuous, None) => {
                return Err(refused("not in the package's folder"));
            }
            (EntryType::Symlink | EntryType::Link, _) => return Err(refused("a link")),
            (EntryType::Char | EntryType::Block | EntryType::Fifo, _) => return Err(refused("a device")),
            _ => return Err(refused("of an unknown kind")),
        }
    }
    if writer.count == 0 {
        return Err(NotUnpacked::Damaged("it holds nothing".to_owned()));
    }
    Ok(())
}

/// Copies a folder into a fresh, empty folder. `.git` is left out; links are refused.
///
/// # Errors
/// See [`NotUnpacked`].
pub fn copy(from: &Path, into: &Path) -> Result<(), NotUnpacked> {
    let mut writer = Writer::new(into, CAPS);
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let dir = if folder.is_empty() { from.to_owned() } else { from.join(&folder) };
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |e: io::Error| NotUnpacked::Read { path, source: ReadFailure::from_io(&e) }
        };
        for entry in fs::read_dir(&dir).map_err(failed(&dir))? {
            let entry = entry.map_err(failed(&dir))?;
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| NotUnpacked::Entry {
                path: visible(&name.to_string_lossy(), 200),
                what: "not named in UTF-8",
            })?;
            if name == ".git" {
                continue;
            }
            let below = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            let below = relative(&below)?;
            let path = entry.path();
            let kind = entry.file_type().map_err(failed(&path))?;
            if kind.is_dir() {
                writer.folder(&below)?;
                folders.push(below);
            } else if kind.is_file() {
                let mut file = OpenOptions::new()
                    .read(true)
                    .custom_flags(mode::no_follow())
                    .open(&path)
                    .map_err(failed(&path))?;
                let meta = file.metadata().map_err(failed(&path))?;
                if !meta.is_file() {
                    return Err(NotUnpacked::Entry { path: below, what: "not a regular file" });
                }
                writer.file(&below, meta.mode() & 0o100 != 0, &mut file)?;
            } else {
                let what = if kind.is_symlink() { "a link" } else { "a device" };
                return Err(NotUnpacked::Entry { path: below, what });
            }
        }
    }
    if writer.count == 0 {
        return Err(NotUnpacked::Damaged("the folder is empty".to_owned()));
    }
    Ok(())
}

/// What went wrong while an archive was read.
fn damaged(e: io::Error) -> NotUnpacked {
    if e.kind() == io::ErrorKind::FileTooLarge {
        NotUnpacked::TooMuch
    } else {
        NotUnpacked::Damaged(visible(&e.to_string(), 200))
    }
}

/// Writes below one folder and counts.
struct Writer<'p> {
    into: &'p Path,
    caps: Caps,
    count: usize,
    bytes: u64,
}

impl<'p> Writer<'p> {
    fn new(into: &'p Path, caps: Caps) -> Self {
        Self { into, caps, count: 0, bytes: 0 }
    }

    fn one_more(&mut self) -> Result<(), NotUnpacked> {
        self.count += 1;
        if self.count > self.caps.files { Err(NotUnpacked::TooMuch) } else { Ok(()) }
    }

    /// The path must have been checked ([`relative`]).
    fn folder(&mut self, below: &str) -> Result<(), NotUnpacked> {
        self.one_more()?;
        let path = self.into.join(below);
        mode::create_directories(&path).map_err(|source| NotUnpacked::Write { path, source })
    }

    fn file(&mut self, below: &str, runnable: bool, from: &mut dyn Read) -> Result<(), NotUnpacked> {
        self.one_more()?;
        let path = self.into.join(below);
        let failed = |source| NotUnpacked::Write { path: path.clone(), source };
        if let Some(parent) = path.parent() {
            mode::create_directories(parent).map_err(failed)?;
        }
        // Never over something: a path that comes twice is an error, and nothing is written through.
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(if runnable { mode::DIRECTORY } else { mode::FILE })
            .custom_flags(mode::no_follow())
            .open(&path)
            .map_err(failed)?;
        let left = self.caps.bytes.saturating_sub(self.bytes);
        let mut buffer = [0_u8; 16 * 1024];
        let mut written = 0_u64;
        loop {
            let read = from.read(&mut buffer).map_err(damaged)?;
            let Some(part) = buffer.get(..read).filter(|p| !p.is_empty()) else { break };
            written = written.saturating_add(part.len() as u64);
            if written > left {
                return Err(NotUnpacked::TooMuch);
            }
            file.write_all(part).map_err(failed)?;
        }
        self.bytes = self.bytes.saturating_add(written);
        Ok(())
    }
}

/// A reader that fails when more comes than it may.
struct Capped<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, "more than a package may hold"))?;
        Ok(read)
    }
}
