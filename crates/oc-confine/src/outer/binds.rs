//! Directories of the host, opened once without following a link, then mounted from the handle.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount_bind_recursive, mount_remount};

use crate::spec::{Access, Spec};
use crate::step::{Step, StepError, failed};

/// Opens the sources of a spec in its order. A link anywhere in a path is refused: what was decided about is what is mounted.
///
/// # Errors
/// A source that is missing, no directory, or reached through a link.
pub fn open_sources(spec: &Spec) -> Result<Vec<OwnedFd>, StepError> {
    spec.mounts.iter().map(|m| open_directory(&m.source)).collect()
}

fn open_directory(path: &str) -> Result<OwnedFd, StepError> {
    let flags = OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::DIRECTORY;
    openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS).step_hint(
        || format!("open {path}"),
        "a workspace must be an existing directory, named without symbolic links, that its owner can reach",
    )
}

/// Where this program lies.
///
/// # Errors
/// When the path is no text.
pub fn own_path() -> Result<String, StepError> {
    let name = || "find this program".to_owned();
    let path = std::fs::read_link("/proc/self/exe").step(name)?;
    path.into_os_string().into_string().map_err(|_| failed(name(), "its path is no text"))
}

/// Opens the file of this program at `path`: the kernel mounts nothing from a handle of another mount namespace, so it is opened anew,
/// and compared with what runs.
///
/// # Errors
/// When another file lies there by now.
pub fn open_ourselves(path: &str) -> Result<OwnedFd, StepError> {
    let name = || "open this program".to_owned();
    const HINT: &str = "it was replaced while it ran: start it again";
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let found = rustix::fs::open(path, flags, Mode::empty()).step_hint(name, HINT)?;
    let running = rustix::fs::open("/proc/self/exe", flags, Mode::empty()).step(name)?;
    let identity = |fd: &OwnedFd| fstat(fd).map(|s| (s.st_dev, s.st_ino)).step(name);
    if identity(&found)? == identity(&running)? {
        Ok(found)
    } else {
        Err(StepError { hint: Some(HINT), ..failed(name(), "another file lies there") })
    }
}

/// Opens a file or directory of the system as it is; `None` when there is none.
///
/// # Errors
/// When it is there and cannot be opened.
pub fn open_system(path: &str) -> Result<Option<(OwnedFd, FileType)>, StepError> {
    match rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
        Ok(fd) => {
            let kind = FileType::from_raw_mode(fstat(&fd).step(|| format!("look at {path}"))?.st_mode);
            Ok(Some((fd, kind)))
        }
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => Ok(None),
        Err(e) => Err(e).step(|| format!("open {path}")),
    }
}

/// Mounts what a handle holds, with all that is mounted below it. [`harden`] has to follow.
///
/// # Errors
/// When the system refuses.
pub fn bind(source: &OwnedFd, target: &str) -> Result<(), StepError> {
    mount_bind_recursive(format!("/proc/self/fd/{}", source.as_raw_fd()), target)
        .step(|| format!("mount at {target}"))
}

/// Gives every mount beneath the targets its flags: no set-user-id, no devices (unless it is one), read-only where asked for. The flags that
/// a mount already has are kept; the kernel would refuse to drop them.
///
/// # Errors
/// A mount that cannot be changed and could be reached.
pub fn harden(targets: &BTreeMap<String, Flags>) -> Result<(), StepError> {
    let table = std::fs::read_to_string("/proc/self/mountinfo").step(|| "read the mounts".to_owned())?;
    for line in table.lines() {
        let mut fields = line.split(' ').skip(4);
        let (Some(point), Some(options)) = (fields.next(), fields.next()) else {
            return Err(failed("read the mounts", "a line is cut short"));
        };
        let point = unescape(point);
        let Some((_, flags)) =
            targets.iter().rev().find(|(t, _)| std::path::Path::new(&point).starts_with(t))
        else {
            continue;
        };
        let mut wanted = flags.mount_flags() | present(options);
        if flags.is_device() {
            wanted.remove(MountFlags::NODEV);
        }
        match mount_remount(&point, wanted | MountFlags::BIND, c"") {
            Ok(()) => {}
            // Covered by another mount, or behind a directory that nobody in the sandbox can enter.
            Err(Errno::NOENT | Errno::ACCESS) if !targets.contains_key(&point) => {}
            Err(e) => return Err(e).step(|| format!("protect the mount at {point}")),
        }
    }
    Ok(())
}

/// What a mount is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flags {
    /// A directory or file, with this access.
    Files(Access),
    /// One device.
    Device,
}

impl Flags {
    fn is_device(self) -> bool {
        self == Self::Device
    }

    fn mount_flags(self) -> MountFlags {
        match self {
            Self::Files(Access::Read) => MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV,
            Self::Files(Access::Write) => MountFlags::NOSUID | MountFlags::NODEV,
            Self::Device => MountFlags::NOSUID | MountFlags::NOEXEC,
        }
    }
}

/// The flags in the options of a line of the mount table.
fn present(options: &str) -> MountFlags {
    options.split(',').fold(MountFlags::empty(), |flags, option| {
        flags
            | match option {
                "ro" => MountFlags::RDONLY,
                "nosuid" => MountFlags::NOSUID,
                "nodev" => MountFlags::NODEV,
                "noexec" => MountFlags::NOEXEC,
                "noatime" => MountFlags::NOATIME,
                "nodiratime" => MountFlags::NODIRATIME,
                "relatime" => MountFlags::RELATIME,
                _ => MountFlags::empty(),
            }
    })
}

/// Undoes the octal escapes of the mount table.
fn unescape(field: &str) -> String {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..3).filter(|_| *first == b'\\').and_then(|d| std::str::from_utf8(d).ok());
        match code.and_then(|d| u8::from_str_radix(d, 8).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_the_mount_table_are_undone() {
        assert_eq!(unescape(r"/a\040b\134c"), r"/a b\c");
        assert_eq!(unescape(r"/a\04"), r"/a\04");
    }

    #[test]
    fn flags_that_are_there_are_seen() {
        let flags = present("ro,nosuid,relatime");
        assert_eq!(flags, MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::RELATIME);
    }
}
