//! The browser's own directories: `<state>/browser/openclaw/{user-data,downloads,home}`, owner-only, and never a link to somewhere else.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::failure::BrowserFailure;

/// The one profile.
pub(crate) const PROFILE: &str = "openclaw";

/// The directories of the profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    /// Chromium's user data: cookies, history, storage.
    pub user_data: PathBuf,
    /// What pages handed over as files. Untrusted; named by random ids, never by a page.
    pub downloads: PathBuf,
    /// What the browser takes for the home directory.
    pub home: PathBuf,
}

impl Places {
    /// The directories, made if they are missing.
    pub fn prepare(state_dir: &Path) -> Result<Self, BrowserFailure> {
        let failed = |e: io::Error| BrowserFailure::Profile(oc_text::visible(&e.to_string(), 300));
        let base = state_dir.join("browser").join(PROFILE);
        let places = Self {
            user_data: base.join("user-data"),
            downloads: base.join("downloads"),
            home: base.join("home"),
        };
        oc_fs::mode::create_directories(state_dir).map_err(failed)?;
        let root = state_dir.canonicalize().map_err(failed)?;
        // From the top, each before anything is made below it: a link would make somebody's own profile the product's.
        let below = ["", "/user-data", "/user-data/Default", "/downloads", "/home"];
        let below = below.into_iter().map(|below| format!("browser/{PROFILE}{below}"));
        for name in ["browser".to_owned()].into_iter().chain(below) {
            let place = state_dir.join(&name);
            let is_link = || BrowserFailure::Profile(format!("`{name}` is a link"));
            if place.symlink_metadata().is_ok_and(|m| m.is_symlink()) {
                return Err(is_link());
            }
            oc_fs::mode::create_directories(&place).map_err(failed)?;
            if place.canonicalize().map_err(failed)? != root.join(&name) {
                return Err(is_link());
            }
            owner_only(&place).map_err(failed)?;
        }
        Ok(places)
    }

    /// Whether a process runs and drives this profile. A number alone says nothing: it may be somebody else's by now. A process that cannot be
    /// asked counts as one that does.
    fn is_used_by(&self, pid: rustix::process::Pid) -> bool {
        match rustix::process::test_kill_process(pid) {
            Ok(()) | Err(rustix::io::Errno::PERM) => {}
            Err(_) => return false,
        }
        let Ok(line) = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())) else { return true };
        let own = self.user_data.canonicalize().unwrap_or_else(|_| self.user_data.clone());
        let names_own = |word: &[u8]| {
            let folder = word.strip_prefix(USER_DATA.as_bytes()).map(|f| PathBuf::from(OsStr::from_bytes(f)));
            folder.is_some_and(|f| f == self.user_data || f.canonicalize().is_ok_and(|f| f == own))
        };
        line.split(|b| *b == 0).any(names_own)
    }

    /// Takes away what a browser left that runs no more; a browser that still runs keeps the profile.
    pub fn take_over(&self) -> Result<(), BrowserFailure> {
        let lock = self.user_data.join("SingletonLock");
        let Ok(held) = std::fs::read_link(&lock) else { return Ok(()) };
        let held = held.to_string_lossy().into_owned();
        if let Some((host, pid)) = held.rsplit_once('-')
            && rustix::system::uname().nodename().to_str() == Ok(host)
            && let Some(pid) = pid.parse::<i32>().ok().and_then(rustix::process::Pid::from_raw)
            && self.is_used_by(pid)
        {
            return Err(BrowserFailure::InUse(pid.as_raw_nonzero().get().unsigned_abs()));
        }
        // Chromium keeps a lock of another host for ever, and a container gets a new host name each time.
        for name in ["SingletonLock", "SingletonCookie", "SingletonSocket"] {
            let _ = std::fs::remove_file(self.user_data.join(name));
        }
        Ok(())
    }
}

/// The switch that names a profile.
pub(crate) const USER_DATA: &str = "--user-data-dir=";

fn owner_only(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let now = path.metadata()?.permissions().mode();
    if now & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(oc_fs::mode::DIRECTORY))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn sp_005_the_profile_is_its_owners_and_no_link_to_another_one() {
        let tmp = tempfile::tempdir().unwrap();
        let state = tmp.path().join("state");
        let places = Places::prepare(&state).unwrap();
        for place in [&places.user_data, &places.downloads, &places.home] {
            assert_eq!(place.metadata().unwrap().permissions().mode() & 0o777, 0o700, "{place:?}");
            assert!(place.starts_with(state.join("browser/openclaw")));
        }
        fs::set_permissions(&places.user_data, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(Places::prepare(&state).unwrap(), places);
        assert_eq!(places.user_data.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let personal = tmp.path().join("config/chromium");
        fs::create_dir_all(&personal).unwrap();
        fs::remove_dir_all(&places.user_data).unwrap();
        symlink(&personal, &places.user_data).unwrap();
        let refused = Places::prepare(&state).unwrap_err().to_string();
        assert!(refused.contains("user-data"), "{refused}");
    }

    #[test]
    fn sp_005_a_link_above_or_below_the_profile_is_refused_before_anything_is_made_there() {
        for (linked, named) in [
            ("browser", "`browser`"),
            ("browser/openclaw", "`browser/openclaw`"),
            ("browser/openclaw/user-data/Default", "`browser/openclaw/user-data/Default`"),
        ] {
            let tmp = tempfile::tempdir().unwrap();
            let (state, personal) = (tmp.path().join("state"), tmp.path().join("personal"));
            fs::create_dir_all(&personal).unwrap();
            let link = state.join(linked);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(&personal, &link).unwrap();
            let refused = Places::prepare(&state).map(drop).map_err(|e| e.to_string());
            assert!(refused.as_ref().is_err_and(|e| e.contains(named)), "{linked}: {refused:?}");
            assert_eq!(fs::read_dir(&personal).unwrap().count(), 0, "{linked}");
        }
    }

    #[test]
    fn a_lock_of_a_browser_that_is_gone_is_taken_away_and_one_of_a_living_one_is_not() {
        let tmp = tempfile::tempdir().unwrap();
        let places = Places::prepare(tmp.path()).unwrap();
        let lock = places.user_data.join("SingletonLock");
        symlink("another-host-1", &lock).unwrap();
        places.take_over().unwrap();
        assert!(lock.symlink_metadata().is_err());
        let host = rustix::system::uname().nodename().to_str().unwrap().to_owned();
        // A living process that is no browser of this profile: its number was given anew.
        symlink(format!("{host}-{}", std::process::id()), &lock).unwrap();
        places.take_over().unwrap();
        assert!(lock.symlink_metadata().is_err());
        // One that drives it, by whatever spelling; it waits for a line that does not come.
        let spelled = tmp.path().join("browser/../browser/openclaw/user-data");
        let mut living = std::process::Command::new("/bin/sh")
            .args(["-c", "read line; exit", "sh", &format!("{USER_DATA}{}", spelled.display())])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        symlink(format!("{host}-{}", living.id()), &lock).unwrap();
        let refused = places.take_over();
        let stays = lock.symlink_metadata().is_ok();
        drop(living.stdin.take());
        living.wait().unwrap();
        assert!(matches!(refused, Err(BrowserFailure::InUse(pid)) if pid == living.id()), "{refused:?}");
        assert!(stays);
    }
}
