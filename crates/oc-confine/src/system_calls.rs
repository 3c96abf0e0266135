//! seccomp: system calls that nothing in a sandbox needs.
//!
//! Calls that this list does not know (newer ones, those of another calling convention) do not exist inside. Of the known ones those that
//! reach for other processes, mounts, namespaces, kernel objects or devices are refused.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter,
};

use crate::step::{Step, StepError};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;
type Built<T> = Result<T, seccompiler::BackendError>;

/// First and last number of the calls that were looked through, on all 64-bit architectures. The gap between was never used.
const KNOWN: [(i64, i64); 2] = [(0, 334), (424, 466)];

/// Always refused.
const REFUSED: [i64; 48] = [
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_move_pages,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];

/// Refused on this architecture only.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: [i64; 4] = [libc::SYS_ioperm, libc::SYS_iopl, libc::SYS_modify_ldt, libc::SYS_uselib];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: [i64; 0] = [];

/// Flags of `clone` that make namespaces.
const NEW_NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// Terminal controls that put words into another program's mouth.
const TERMINAL_INJECTION: [u64; 2] = [0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */];

/// The kinds of sockets that may be made. All others are refused, above all those that no network namespace holds back.
const SOCKET_FAMILIES: [i32; 3] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6];

/// Whether the processors of the sandbox are limited, so that a process must not widen its own set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processors {
    /// The set is kept.
    Limited,
    /// All.
    All,
}

fn when(argument: u8, op: SeccompCmpOp, value: u64) -> Built<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value)
}

fn refused(processors: Processors) -> Built<Rules> {
    let mut rules: Rules = REFUSED.into_iter().chain(REFUSED_HERE).map(|n| (n, Vec::new())).collect();
    if processors == Processors::Limited {
        rules.insert(libc::SYS_sched_setaffinity, Vec::new());
    }
    let flags = NEW_NAMESPACES.iter().map(|f| u64::from(f.unsigned_abs()));
    let clones = flags.map(|f| SeccompRule::new(vec![when(0, SeccompCmpOp::MaskedEq(f), f)?]));
    rules.insert(libc::SYS_clone, clones.collect::<Built<_>>()?);
    let controls = TERMINAL_INJECTION.into_iter();
    let controls = controls.map(|c| SeccompRule::new(vec![when(1, SeccompCmpOp::Eq, c)?]));
    rules.insert(libc::SYS_ioctl, controls.collect::<Built<_>>()?);
    let others = SOCKET_FAMILIES.iter().map(|f| when(0, SeccompCmpOp::Ne, u64::from(f.unsigned_abs())));
    rules.insert(libc::SYS_socket, vec![SeccompRule::new(others.collect::<Built<_>>()?)?]);
    Ok(rules)
}

fn errno(number: i32) -> SeccompAction {
    SeccompAction::Errno(number.unsigned_abs())
}

fn programs(processors: Processors) -> Built<[BpfProgram; 3]> {
    let here = TargetArch::try_from(std::env::consts::ARCH)?;
    let build = |rules, other, matching| -> Built<BpfProgram> {
        SeccompFilter::new(rules, other, matching, here)?.try_into()
    };
    let known: Rules = KNOWN.iter().flat_map(|(a, b)| *a..=*b).map(|n| (n, Vec::new())).collect();
    // The flags of clone3 lie in memory, where no filter can read them; without it programs take clone.
    let absent: Rules = [(libc::SYS_clone3, Vec::new())].into();
    Ok([
        build(known, errno(libc::ENOSYS), SeccompAction::Allow)?,
        build(refused(processors)?, SeccompAction::Allow, errno(libc::EPERM))?,
        build(absent, SeccompAction::Allow, errno(libc::ENOSYS))?,
    ])
}

/// Binds this process and all it starts.
///
/// # Errors
/// When the kernel has no seccomp, or refuses.
pub fn apply(processors: Processors) -> Result<(), StepError> {
    let name = || "set the system-call rules (seccomp)".to_owned();
    for program in programs(processors).step(name)? {
        apply_filter(&program).step_hint(name, "the kernel needs seccomp filters")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_compile_for_this_machine() {
        for processors in [Processors::All, Processors::Limited] {
            let programs = programs(processors).unwrap();
            // The kernel's limit.
            assert!(
                programs.iter().all(|p| !p.is_empty() && p.len() <= 4096),
                "{:?}",
                programs.map(|p| p.len())
            );
        }
    }

    #[test]
    fn what_is_refused_is_known() {
        let known = |n: &i64| KNOWN.iter().any(|(a, b)| (*a..=*b).contains(n));
        assert!(REFUSED.iter().chain(&REFUSED_HERE).all(known));
    }
}
