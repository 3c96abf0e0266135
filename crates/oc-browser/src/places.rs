//! The browser's own directories: `<state>/browser/openclaw/{user-data,downloads,home}`, owner-only, and never a link to somewhere else.

use std::io;
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
        let root = state_dir.canonicalize().map_err(failed)?.join("browser").join(PROFILE);
        for (place, name) in
            [(&places.user_data, "user-data"), (&places.downloads, "downloads"), (&places.home, "home")]
        {
            oc_fs::mode::create_directories(place).map_err(failed)?;
            // A link here would make somebody's own profile the product's.
            if place.canonicalize().map_err(failed)? != root.join(name) {
                return Err(BrowserFailure::Profile(format!("`browser/{PROFILE}/{name}` is a link")));
            }
            owner_only(place).map_err(failed)?;
        }
        Ok(places)
    }

    /// Takes away what a browser left that runs no more; a browser that still runs keeps the profile.
    pub fn take_over(&self) -> Result<(), BrowserFailure> {
        let lock = self.user_data.join("SingletonLock");
        let Ok(held) = std::fs::read_link(&lock) else { return Ok(()) };
        let held = held.to_string_lossy().into_owned();
        if let Some((host, pid)) = held.rsplit_once('-')
            && rustix::system::uname().nodename().to_str() == Ok(host)
            && let Some(pid) = pid.parse::<i32>().ok().and_then(rustix::process::Pid::from_raw)
            && rustix::process::test_kill_process(pid).is_ok()
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
        fs::remove_dir(&places.user_data).unwrap();
        symlink(&personal, &places.user_data).unwrap();
        let refused = Places::prepare(&state).unwrap_err().to_string();
        assert!(refused.contains("user-data"), "{refused}");
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
        symlink(format!("{host}-{}", std::process::id()), &lock).unwrap();
        assert!(matches!(places.take_over(), Err(BrowserFailure::InUse(pid)) if pid == std::process::id()));
        assert!(lock.symlink_metadata().is_ok());
    }
}
