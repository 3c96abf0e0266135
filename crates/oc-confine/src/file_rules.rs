//! Landlock: the second wall behind the mounts.

use std::error::Error;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd,
    RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
};

use crate::step::{Step, StepError, failed};

/// Devices that every program expects to write to.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// The newest file rules that are asked for; the kernel keeps what it knows of them.
const WANTED: ABI = ABI::V5;

/// Binds this process and all it starts: read everything that is mounted, write beneath `writable` and to the usual devices, no TCP, no
/// signals and abstract sockets beyond the sandbox. File rules of the first version are required, the newer rules as far as the kernel
/// has them. Answers the version of Landlock that the kernel has.
///
/// # Errors
/// When the kernel does not have Landlock, or refuses.
pub fn apply<'p>(writable: impl Iterator<Item = &'p str>) -> Result<i32, StepError> {
    let name = || "set the file rules (Landlock)".to_owned();
    let status =
        restrict(writable).step_hint(name, "the kernel needs Landlock (5.13 or later, in its lsm= list)")?;
    match status.landlock {
        LandlockStatus::Available { effective_abi, kernel_abi, .. }
            if status.ruleset != RulesetStatus::NotEnforced =>
        {
            Ok(kernel_abi.unwrap_or(effective_abi as i32))
        }
        _ => Err(failed(name(), "the kernel does not enforce them")),
    }
}

fn restrict<'p>(writable: impl Iterator<Item = &'p str>) -> Result<RestrictionStatus, Box<dyn Error>> {
    let read = AccessFs::from_read(ABI::V1);
    let mut write: BitFlags<AccessFs> = AccessFs::from_all(WANTED);
    write.remove(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);
    let device: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))?
        .handle_access(AccessNet::from_all(ABI::V4))?
        .scope(Scope::from_all(ABI::V6))?
        .create()?
        .add_rule(PathBeneath::new(PathFd::new("/")?, read))?
        .add_rule(PathBeneath::new(PathFd::new("/dev/pts")?, device | AccessFs::ReadDir))?;
    for place in DEVICES {
        rules = rules.add_rule(PathBeneath::new(PathFd::new(place)?, device))?;
    }
    for place in writable {
        rules = rules.add_rule(PathBeneath::new(PathFd::new(place)?, write))?;
    }
    Ok(rules.restrict_self()?)
}
