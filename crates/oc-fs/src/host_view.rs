//! What the command analysis wants to know about files, answered from the disk. Looks only: nothing is opened but what is hashed.

use std::fs::Metadata;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use oc_approval::host_view::{Entry, FileFacts, HostView};
use ring::digest::{Context, SHA256};

/// Largest program that is hashed, in bytes.
const MAX_HASHED: u64 = 512 * 1024 * 1024;

/// The files of this host, as the process's own user sees them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

fn facts(meta: &Metadata) -> FileFacts {
    FileFacts {
        device: meta.dev(),
        inode: meta.ino(),
        uid: meta.uid(),
        gid: meta.gid(),
        mode: meta.mode() & 0o7777,
        size: meta.len(),
        modified_ns: i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
    }
}

impl HostView for Disk {
    fn entry(&self, path: &str) -> Entry {
        let meta = match std::fs::symlink_metadata(path) {
            Ok(meta) => meta,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Entry::Missing;
            }
            // A name longer than the file system knows is nowhere.
            Err(e) if e.kind() == ErrorKind::InvalidFilename => return Entry::Missing,
            Err(_) => return Entry::Unknown,
        };
        let facts = facts(&meta);
        let kind = meta.file_type();
        if kind.is_symlink() {
            match std::fs::read_link(path).map(std::path::PathBuf::into_os_string) {
                Ok(target) => match target.into_string() {
                    Ok(target) => Entry::Link { facts, target },
                    Err(_) => Entry::Unknown,
                },
                Err(_) => Entry::Unknown,
            }
        } else if kind.is_dir() {
            Entry::Directory(facts)
        } else if kind.is_file() {
            Entry::File(facts)
        } else {
            Entry::Other(facts)
        }
    }

    fn names(&self, directory: &str, limit: usize) -> Option<Vec<String>> {
        let mut out = Vec::new();
        for entry in std::fs::read_dir(directory).ok()? {
            if out.len() >= limit {
                return None;
            }
            out.push(entry.ok()?.file_name().into_string().ok()?);
        }
        Some(out)
    }

    fn sha256(&self, path: &str) -> Option<String> {
        let mut options = std::fs::OpenOptions::new();
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::CLOEXEC;
        let mut file = options.read(true).custom_flags(i32::try_from(flags.bits()).ok()?).open(path).ok()?;
        if !file.metadata().ok().is_some_and(|m| m.is_file() && m.len() <= MAX_HASHED) {
            return None;
        }
        let mut hash = Context::new(&SHA256);
        let mut buffer = vec![0u8; 64 * 1024];
        loop {
            match file.read(&mut buffer).ok()? {
                0 => break,
                read => hash.update(buffer.get(..read)?),
            }
        }
        Some(hash.finish().as_ref().iter().map(|b| format!("{b:02x}")).collect())
    }

    fn uid(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }
}

/// Whether a file can be run by somebody, links followed.
#[must_use]
pub fn is_program(path: &std::path::Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_at_a_path() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(at("f"), "abc").unwrap();
        std::os::unix::fs::symlink("f", at("l")).unwrap();
        assert!(matches!(Disk.entry(&at("f")), Entry::File(f) if f.size == 3));
        assert!(matches!(Disk.entry(&at("l")), Entry::Link { target, .. } if target == "f"));
        assert_eq!(Disk.entry(&at("f/x")), Entry::Missing);
        assert_eq!(Disk.entry(&at("none")), Entry::Missing);
        assert!(matches!(Disk.entry(&at("")), Entry::Directory(_)));
        assert_eq!(Disk.names(&at(""), 1), None);
        assert_eq!(Disk.names(&at(""), 2).unwrap().len(), 2);
        assert_eq!(
            Disk.sha256(&at("f")).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(Disk.sha256(&at("l")), None, "the path is canonical, so a link has come in between");
    }
}
