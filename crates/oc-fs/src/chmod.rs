//! Change the mode of one file or directory: the one that was looked at, never through a link (SP-002, SP-281).

use std::io;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, fchmod, fstat, openat};
use rustix::io::Errno;

/// What a path has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// Either of the two.
    Either,
}

/// What came of a mode change.
#[derive(Debug)]
pub enum Outcome {
    /// The mode is set now.
    Done {
        /// The permission bits before.
        from: u32,
    },
    /// The mode was right already.
    Already,
    /// Nothing there.
    Missing,
    /// A symbolic link: left alone.
    Symlink,
    /// Neither of what was expected: left alone.
    WrongType,
    /// It belongs to another user: left alone.
    NotOwned,
    /// The system refused.
    Failed(io::Error),
}

/// Sets the permission bits of `path` to exactly `mode`. The last component is not followed when it is a link; what the opened handle
/// shows is what changes.
#[must_use]
pub fn set(path: &Path, expected: Expected, mode: u32) -> Outcome {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match openat(CWD, path, flags, Mode::empty()) {
        Ok(handle) => change(&handle, expected, mode, |bits| fchmod(&handle, bits)),
        Err(Errno::NOENT | Errno::NOTDIR) => Outcome::Missing,
        Err(Errno::LOOP) => Outcome::Symlink,
        Err(Errno::ACCESS) => unreadable(path, expected, mode),
        // A socket cannot be opened, a device may have no driver.
        Err(Errno::NXIO | Errno::NODEV) => Outcome::WrongType,
        Err(e) => Outcome::Failed(e.into()),
    }
}

/// An owner may change a mode that keeps even the owner from reading: then only the name is opened, and the change goes through that handle.
#[cfg(target_os = "linux")]
fn unreadable(path: &Path, expected: Expected, mode: u32) -> Outcome {
    use std::os::fd::AsRawFd;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(CWD, path, flags, Mode::empty()) {
        Ok(handle) => change(&handle, expected, mode, |bits| {
            let name = format!("/proc/self/fd/{}", handle.as_raw_fd());
            rustix::fs::chmod(name, bits)
        }),
        Err(e) => Outcome::Failed(e.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn unreadable(_: &Path, _: Expected, _: u32) -> Outcome {
    Outcome::Failed(Errno::ACCESS.into())
}

fn change(
    handle: &impl std::os::fd::AsFd,
    expected: Expected,
    mode: u32,
    set: impl FnOnce(Mode) -> rustix::io::Result<()>,
) -> Outcome {
    let stat = match fstat(handle) {
        Ok(stat) => stat,
        Err(e) => return Outcome::Failed(e.into()),
    };
    let kind = FileType::from_raw_mode(stat.st_mode);
    let fits = match expected {
        Expected::File => kind == FileType::RegularFile,
        Expected::Directory => kind == FileType::Directory,
        Expected::Either => matches!(kind, FileType::RegularFile | FileType::Directory),
    };
    if kind == FileType::Symlink {
        return Outcome::Symlink;
    }
    if !fits {
        return Outcome::WrongType;
    }
    let me = rustix::process::geteuid();
    if stat.st_uid != me.as_raw() && !me.is_root() {
        return Outcome::NotOwned;
    }
    let from = stat.st_mode & 0o7777;
    if from == mode {
        return Outcome::Already;
    }
    match set(Mode::from_raw_mode(mode)) {
        Ok(()) => Outcome::Done { from },
        Err(e) => Outcome::Failed(e.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.symlink_metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn sp_281_modes_change_on_files_and_folders_but_never_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        std::fs::write(&file, "x").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let link = dir.path().join("l");
        symlink(&file, &link).unwrap();

        assert!(matches!(set(&link, Expected::File, 0o600), Outcome::Symlink));
        assert_eq!(mode(&file), 0o644);
        assert!(matches!(set(&file, Expected::Directory, 0o700), Outcome::WrongType));
        assert!(matches!(set(&file, Expected::File, 0o600), Outcome::Done { from: 0o644 }));
        assert_eq!(mode(&file), 0o600);
        assert!(matches!(set(&file, Expected::Either, 0o600), Outcome::Already));
        assert!(matches!(set(&dir.path().join("none"), Expected::File, 0o600), Outcome::Missing));
    }

    #[test]
    fn a_fifo_is_neither_waited_for_nor_changed() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("p");
        rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
        assert!(matches!(set(&fifo, Expected::Either, 0o600), Outcome::WrongType));
    }

    #[test]
    fn a_mode_that_shuts_out_its_owner_can_be_repaired() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        std::fs::write(&file, "x").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
        assert!(matches!(set(&file, Expected::File, 0o600), Outcome::Done { from: 0 }));
        assert_eq!(mode(&file), 0o600);
    }
}
