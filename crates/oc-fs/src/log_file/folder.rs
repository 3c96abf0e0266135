//! A folder below a directory that everybody can write to.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::mode;

/// Opens a folder that nobody else prepared, making it when it is missing: no link, ours, not writable by others; made 0700.
///
/// # Errors
/// As described, with the folder's path.
pub(super) fn trusted(path: &Path) -> io::Result<OwnedFd> {
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        mode::create_directories(parent)?;
    }
    match rustix::fs::mkdir(path, Mode::from_raw_mode(mode::DIRECTORY)) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(e) => return Err(io::Error::new(io::Error::from(e).kind(), format!("{}: {e}", path.display()))),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = rustix::fs::open(path, flags, Mode::empty()).map_err(|e| match e {
        rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR => {
            mode::refused(path, "it is a link or no folder")
        }
        e => io::Error::new(io::Error::from(e).kind(), format!("{}: {e}", path.display())),
    })?;
    // What is judged is the open folder, not the path again.
    let stat = rustix::fs::fstat(&handle)?;
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(mode::refused(path, "it belongs to another user"));
    }
    if stat.st_mode & 0o022 != 0 {
        return Err(mode::refused(path, "others can write to it"));
    }
    if stat.st_mode & 0o777 != mode::DIRECTORY {
        rustix::fs::fchmod(&handle, Mode::from_raw_mode(mode::DIRECTORY))?;
    }
    Ok(handle)
}
