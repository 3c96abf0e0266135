//! Which user the sandbox is, outside and inside.

use std::fs;

use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use crate::spec::Spec;
use crate::step::{Step, StepError, failed};

/// Becomes the spec's user. Root can become anybody, anybody else only itself.
///
/// # Errors
/// When this user cannot.
pub fn become_user(spec: &Spec) -> Result<(), StepError> {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let name = || format!("become user {}", spec.user);
    if uid == 0 {
        setgroups(&[]).step(name)?;
        let (user, group) = (Uid::from_raw(spec.user), Gid::from_raw(spec.group));
        setresgid(group, group, group).step(name)?;
        setresuid(user, user, user).step(name)?;
        // Changing the user closes this process's own entry in /proc, which the user maps are written through.
        return set_dumpable_behavior(DumpableBehavior::Dumpable).step(name);
    }
    if (uid, gid) != (spec.user, spec.group) {
        return Err(failed(name(), format!("this process is user {uid}, group {gid}, and not root")));
    }
    Ok(())
}

/// Tells the new user namespace which one user and group of the host it holds.
///
/// # Errors
/// When the system refuses.
pub fn write_maps(spec: &Spec, uid: u32, gid: u32) -> Result<(), StepError> {
    let maps = [
        ("/proc/self/setgroups", "deny".to_owned()),
        ("/proc/self/uid_map", format!("{} {uid} 1\n", spec.inside_user())),
        ("/proc/self/gid_map", format!("{} {gid} 1\n", spec.inside_group())),
    ];
    for (path, text) in maps {
        fs::write(path, text).step(|| format!("write {path}"))?;
    }
    Ok(())
}
