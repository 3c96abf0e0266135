//! Which process this is, and whether another one is still the one it was.

use std::io;

use oc_approval::life_cycle::Owner;

/// This process.
pub fn this() -> io::Result<Owner> {
    let pid = std::process::id();
    Ok(Owner { pid, started: started(pid)?.unwrap_or_default() })
}

/// Whether the process has ended, or its number belongs to another one now. What cannot be said counts as gone: its requests are denied.
pub fn is_gone(owner: &Owner) -> bool {
    started(owner.pid).ok().flatten().is_none_or(|now| now != owner.started)
}

/// When the process with this number started: the boot and the ticks since. `None` when there is none, or only its remains.
#[cfg(target_os = "linux")]
fn started(pid: u32) -> io::Result<Option<String>> {
    let stat = match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        // The process went away between open and read.
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => return Ok(None),
        Err(e) => return Err(e),
    };
    // The name in parentheses may hold anything, also parentheses.
    let mut fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace();
    let state = fields.next().unwrap_or_default();
    let Some(ticks) = fields.nth(18) else { return Ok(None) };
    if matches!(state, "Z" | "X" | "x") {
        return Ok(None);
    }
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(Some(format!("{}:{ticks}", boot.trim())))
}

/// Without `/proc` a process is known by its number alone.
#[cfg(not(target_os = "linux"))]
fn started(pid: u32) -> io::Result<Option<String>> {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let alive = pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok());
    Ok(alive.then(String::new))
}
