//! Second stage: process 1 of the new process namespace.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use rustix::fs::{Access as Permission, access};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};
use rustix::process::{Signal, chdir, pivot_root, set_parent_process_death_signal, setsid};

use crate::outer::root::OURSELVES;
use crate::outer::{BASE, NOTE};
use crate::spec::{Access, Spec};
use crate::step::{Step, StepError, failed};
use crate::system_calls::Processors;
use crate::{capabilities, file_rules, limits, system_calls};

/// The command that only reports what was set up, as one line of JSON.
pub const CHECK: &str = "native-check";

/// Process numbers that the kernel never gives out a second time; a limit of numbers lies above them.
const RESERVED_NUMBERS: u32 = 300;

/// Sets up the rest and becomes the runner.
///
/// # Errors
/// The step that failed. Nothing was run then.
pub fn run() -> Result<ExitCode, StepError> {
    set_parent_process_death_signal(Some(Signal::KILL)).step(|| "follow the outer stage".to_owned())?;
    setsid().step(|| "start a session".to_owned())?;
    let note = std::fs::read(NOTE).step(|| "read the spec".to_owned())?;
    let spec: Spec = serde_json::from_slice(&note).step(|| "read the spec".to_owned())?;
    std::fs::remove_file(NOTE).step(|| "remove the spec".to_owned())?;
    let counted = mount_kernel_views(&spec)?;
    enter_root()?;
    chdir(spec.workdir.as_str()).step(|| format!("enter {}", spec.workdir))?;
    limits::apply(&spec.limits)?;
    capabilities::drop_all()?;
    rustix::thread::set_no_new_privs(true).step(|| "give up new privileges".to_owned())?;
    let writable = spec.mounts.iter().filter(|m| m.access == Access::Write).map(|m| m.target.as_str());
    let scratch = spec.scratch.iter().map(|s| s.target.as_str());
    let abi = file_rules::apply(writable.chain(scratch).chain(["/dev/shm"]))?;
    let processors = if spec.limits.processors.is_some() { Processors::Limited } else { Processors::All };
    system_calls::apply(processors)?;
    if spec.command.first().is_some_and(|c| c == CHECK) {
        return report(abi, counted);
    }
    let error = Command::new(OURSELVES).arg0("openclaw").args(&spec.command).env_clear().exec();
    Err(error).step(|| "become the runner".to_owned())
}

/// Whether the number of processes is limited for the sandbox as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    /// By the namespace's own range of process numbers.
    Namespace,
    /// By the user's limit in the namespace.
    User,
}

/// `/proc` of the new process namespace and its own terminals; both can only be mounted from within.
fn mount_kernel_views(spec: &Spec) -> Result<Counted, StepError> {
    let proc = format!("{BASE}/proc");
    let strict = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", &proc, "proc", strict, None).step_hint(
        || "mount /proc".to_owned(),
        "inside a container, parts of /proc are hidden and the kernel then allows no new one",
    )?;
    let counted = limit_processes(spec, &proc)?;
    mount_remount(&proc, strict | MountFlags::BIND | MountFlags::RDONLY, c"")
        .step(|| "protect /proc".to_owned())?;
    let options = c"newinstance,ptmxmode=0666,mode=0620";
    mount(
        "devpts",
        format!("{BASE}/dev/pts"),
        "devpts",
        MountFlags::NOSUID | MountFlags::NOEXEC,
        Some(options),
    )
    .step(|| "mount /dev/pts".to_owned())?;
    Ok(counted)
}

/// Limits the processes of the namespace as a whole where the kernel can (6.14). Elsewhere the user's limit has to do, which does not
/// count for root of the host.
fn limit_processes(spec: &Spec, proc: &str) -> Result<Counted, StepError> {
    let name = || "limit the number of processes".to_owned();
    let release = std::fs::read_to_string(format!("{proc}/sys/kernel/osrelease")).step(name)?;
    if !own_number_range(&release) {
        // On an older kernel the file is the host's, and root of the host could write it from in here.
        return match spec.user {
            0 => Err(failed(
                name(),
                "with a workspace of root this needs Linux 6.14; give the workspace to another user",
            )),
            _ => Ok(Counted::User),
        };
    }
    let most = RESERVED_NUMBERS.saturating_add(spec.limits.processes);
    match std::fs::write(format!("{proc}/sys/kernel/pid_max"), most.to_string()) {
        Ok(()) => Ok(Counted::Namespace),
        Err(_) if spec.user != 0 => Ok(Counted::User),
        Err(e) => Err(e).step_hint(name, "give the workspace to a user other than root"),
    }
}

/// Whether each process namespace has its own range of numbers: kernels from 6.14 on. A release without version has none.
fn own_number_range(release: &str) -> bool {
    let mut parts = release.trim().split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (6, 14),
        _ => false,
    }
}

/// Moves into the new root and lets go of the old one.
fn enter_root() -> Result<(), StepError> {
    let name = || "enter the new root".to_owned();
    chdir(BASE).step(name)?;
    pivot_root(".", ".").step(name)?;
    unmount(".", UnmountFlags::DETACH).step(|| "drop the old root".to_owned())?;
    chdir("/").step(name)?;
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::BIND;
    mount_remount("/", flags, c"").step(|| "protect the new root".to_owned())
}

/// One line of JSON about what holds.
fn report(abi: i32, counted: Counted) -> Result<ExitCode, StepError> {
    let counted = match counted {
        Counted::Namespace => "namespace",
        Counted::User => "user",
    };
    let shadow = access("/etc/shadow", Permission::EXISTS).is_ok();
    let facts = serde_json::json!({
        "landlockAbi": abi,
        "processesCountedBy": counted,
        "hostAccountsVisible": shadow,
        "pid": std::process::id(),
    });
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{facts}").step(|| "report".to_owned())?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_kernels_with_a_range_of_each_namespace_are_told_one() {
        for release in ["6.14.0", "6.18.44-fc\n", "7.0-rc1", "10.0"] {
            assert!(own_number_range(release), "{release}");
        }
        for release in ["6.13.9", "5.15.0-1-generic", "6", "", "6.x", "x6.20", "6.-14"] {
            assert!(!own_number_range(release), "{release}");
        }
    }
}
