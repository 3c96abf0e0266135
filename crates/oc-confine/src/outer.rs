//! First stage: the right user, new namespaces, a root of its own, and then process 1 of the new process namespace.

pub mod binds;
pub mod identity;
pub mod root;
pub mod system_view;

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};

use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::spec::Spec;
use crate::step::{Step, StepError};
use crate::{INNER, NOT_SET_UP, capabilities};

/// Where the new root is built. Whatever lies there is covered for this process only.
pub const BASE: &str = "/tmp";
/// The spec for the inner stage, below [`BASE`]; removed when read.
pub const NOTE: &str = "/tmp/.spec";

const NAMESPACE_HINT: &str =
    "this kernel or container does not let this user make namespaces; `openclaw sandbox doctor` says more";

/// Reads the spec from standard input and runs the sandbox until it ends.
///
/// # Errors
/// The step that failed. Nothing was run then.
pub fn run() -> Result<ExitCode, StepError> {
    close_inherited()?;
    let mut spec = Spec::read(&mut Unbuffered).step(|| "read what to set up".to_owned())?;
    let me = rustix::process::geteuid().as_raw();
    let mut ourselves = binds::own_path()?;
    if me == 0 && spec.user != 0 {
        ourselves = stage_sources(&mut spec, &ourselves)?;
    }
    identity::become_user(&spec)?;
    new_namespaces(&spec)?;
    root::build(&spec, &ourselves)?;
    start_inner()
}

/// Standard input without a buffer: what follows the spec is for the runner.
struct Unbuffered;

impl Read for Unbuffered {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        Ok(rustix::io::read(rustix::stdio::stdin(), buf)?)
    }
}

/// Closes every handle but the standard three: an open directory would be a way out.
fn close_inherited() -> Result<(), StepError> {
    let name = || "close inherited handles".to_owned();
    let listing = std::fs::read_dir("/proc/self/fd").step(name)?;
    let numbers: Vec<i32> =
        listing.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok()).filter(|n| *n > 2).collect();
    for number in numbers {
        match nix::unistd::close(number) {
            // The listing's own handle is closed by now.
            Ok(()) | Err(nix::errno::Errno::EBADF) => {}
            Err(e) => return Err(e).step(name),
        }
    }
    Ok(())
}

/// As root, before it becomes another user: bind the sources where that user can reach them, whatever the directories above allow.
/// Answers where this program is then.
fn stage_sources(spec: &mut Spec, ourselves: &str) -> Result<String, StepError> {
    unshare(CloneFlags::CLONE_NEWNS).step_hint(|| "make a mount namespace".to_owned(), NAMESPACE_HINT)?;
    all_private()?;
    let sources = binds::open_sources(spec)?;
    let program = binds::open_ourselves(ourselves)?;
    mount("tmpfs", BASE, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(c"size=1m,mode=0755"))
        .step(|| "mount a place to build in".to_owned())?;
    for (i, (mount, source)) in spec.mounts.iter_mut().zip(&sources).enumerate() {
        let place = format!("{BASE}/{i}");
        std::fs::create_dir(&place).step(|| format!("make {place}"))?;
        binds::bind(source, &place)?;
        mount.source = place;
    }
    let place = format!("{BASE}/program");
    std::fs::write(&place, "").step(|| format!("make {place}"))?;
    binds::bind(&program, &place)?;
    Ok(place)
}

/// Nothing that is mounted from here on is seen elsewhere, and nothing from elsewhere is seen here.
fn all_private() -> Result<(), StepError> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .step(|| "make all mounts private".to_owned())
}

fn new_namespaces(spec: &Spec) -> Result<(), StepError> {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let all = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWCGROUP;
    unshare(all).step_hint(|| "make new namespaces".to_owned(), NAMESPACE_HINT)?;
    identity::write_maps(spec, uid, gid)?;
    nix::unistd::sethostname(OsStr::new("sandbox")).step(|| "set the host name".to_owned())?;
    all_private()
}

/// Starts process 1 of the new namespaces and waits for it.
fn start_inner() -> Result<ExitCode, StepError> {
    let name = || "start the inner stage".to_owned();
    // When the executor goes away, standard input ends and the runner with it; this is for what happens before the runner reads.
    set_parent_process_death_signal(Some(Signal::KILL)).step(name)?;
    capabilities::keep_over_exec()?;
    use std::os::unix::process::CommandExt as _;
    let status = Command::new("/proc/self/exe")
        .arg0("openclaw")
        .args(["__runner", INNER])
        .env_clear()
        .status()
        .step(name)?;
    let code = match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(NOT_SET_UP),
        (None, Some(signal)) => u8::try_from(128_i32.saturating_add(signal)).unwrap_or(NOT_SET_UP),
        (None, None) => NOT_SET_UP,
    };
    Ok(ExitCode::from(code))
}
