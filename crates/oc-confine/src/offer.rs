//! What this machine offers for a native sandbox, without making one.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use serde::Serialize;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// The kernel's release.
    pub kernel: String,
    /// Most user namespaces of a user; 0 switches them off.
    pub user_namespaces: Option<u64>,
    /// A switch of the distribution that forbids user namespaces to ordinary users, when it is set.
    pub restricted_by: Option<String>,
    /// What a seccomp filter may answer.
    pub seccomp_actions: Vec<String>,
    /// Whether `openat2` works.
    pub openat2: bool,
    /// Security modules in force.
    pub security_modules: Vec<String>,
    /// The control-group directory that this process may divide, when there is one (version 2).
    pub delegated_cgroup: Option<PathBuf>,
}

/// Looks.
#[must_use]
pub fn look() -> Offer {
    let words = |path: &str, separator: char| -> Vec<String> {
        let text = read(path).unwrap_or_default();
        text.split(separator).filter(|w| !w.is_empty()).map(str::to_owned).collect()
    };
    Offer {
        kernel: read("/proc/sys/kernel/osrelease").unwrap_or_default(),
        user_namespaces: read("/proc/sys/user/max_user_namespaces").and_then(|t| t.parse().ok()),
        restricted_by: restricted_by(),
        seccomp_actions: words("/proc/sys/kernel/seccomp/actions_avail", ' '),
        openat2: openat2(CWD, "/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::NO_SYMLINKS)
            .is_ok(),
        security_modules: words("/sys/kernel/security/lsm", ','),
        delegated_cgroup: delegated_cgroup(),
    }
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok().map(|t| t.trim().to_owned())
}

fn restricted_by() -> Option<String> {
    let switches = [
        ("/proc/sys/kernel/unprivileged_userns_clone", "0"),
        ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"),
    ];
    let set = switches.into_iter().find(|(path, closed)| read(path).as_deref() == Some(closed));
    set.map(|(path, closed)| {
        format!("{} = {closed}", path.trim_start_matches("/proc/sys/").replace('/', "."))
    })
}

/// The own group of version 2, when its children may be given memory and process limits by this user.
fn delegated_cgroup() -> Option<PathBuf> {
    let groups = read("/proc/self/cgroup")?;
    let own = groups.lines().find_map(|l| l.strip_prefix("0::"))?;
    let path = PathBuf::from(format!("/sys/fs/cgroup{own}"));
    let controllers = read(path.join("cgroup.controllers"))?;
    let has = |c: &str| controllers.split(' ').any(|x| x == c);
    let writable = rustix::fs::access(path.join("cgroup.procs"), rustix::fs::Access::WRITE_OK).is_ok();
    (has("memory") && has("pids") && writable).then_some(path)
}
