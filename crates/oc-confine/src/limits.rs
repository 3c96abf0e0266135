//! The limits that a process and its children carry.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::spec::Limits;
use crate::step::{Step, StepError};

/// The limit of a name as `docker.ulimits` has it.
#[must_use]
pub fn resource(name: &str) -> Option<Resource> {
    Some(match name {
        "core" => Resource::Core,
        "cpu" => Resource::Cpu,
        "data" => Resource::Data,
        "fsize" => Resource::Fsize,
        "locks" => Resource::Locks,
        "memlock" => Resource::Memlock,
        "msgqueue" => Resource::Msgqueue,
        "nice" => Resource::Nice,
        "nofile" => Resource::Nofile,
        "nproc" => Resource::Nproc,
        "rss" => Resource::Rss,
        "rtprio" => Resource::Rtprio,
        "rttime" => Resource::Rttime,
        "sigpending" => Resource::Sigpending,
        "stack" => Resource::Stack,
        _ => return None,
    })
}

/// Sets one limit; never above what this process has.
fn set(resource: Resource, soft: u64, hard: u64) -> Result<(), StepError> {
    let now = getrlimit(resource);
    let hard = now.maximum.map_or(hard, |m| m.min(hard));
    let limit = Rlimit { current: Some(soft.min(hard)), maximum: Some(hard) };
    setrlimit(resource, limit).step(|| format!("set the limit {resource:?}"))
}

/// Sets all of them. Memory counts for each process: both what it writes and what it maps.
///
/// # Errors
/// A limit that cannot be set.
pub fn apply(limits: &Limits) -> Result<(), StepError> {
    set(Resource::Core, 0, 0)?;
    set(Resource::Fsize, limits.file_size, limits.file_size)?;
    set(Resource::Nofile, limits.open_files, limits.open_files)?;
    let processes = u64::from(limits.processes);
    set(Resource::Nproc, processes, processes)?;
    for (name, soft, hard) in &limits.named {
        if let Some(resource) = resource(name) {
            set(resource, *soft, *hard)?;
        }
    }
    if let Some(memory) = limits.memory {
        set(Resource::Data, memory, memory)?;
        set(Resource::As, memory, memory)?;
    }
    if let Some(processors) = limits.processors {
        keep_processors(processors)?;
    }
    Ok(())
}

/// Binds the process to the first `count` of the processors it may use.
fn keep_processors(count: u32) -> Result<(), StepError> {
    let have = sched_getaffinity(None).step(|| "read the processors".to_owned())?;
    let mut keep = CpuSet::new();
    let usable = (0..CpuSet::MAX_CPU).filter(|i| have.is_set(*i));
    for cpu in usable.take(usize::try_from(count).unwrap_or(usize::MAX)) {
        keep.set(cpu);
    }
    sched_setaffinity(None, &keep).step(|| "set the processors".to_owned())
}
