//! Capabilities inside the new user namespace: kept over one exec to set up the mounts, then dropped for good.

use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    configure_capability_in_ambient_set, remove_capability_from_bounding_set, set_capabilities,
    set_capabilities_secure_bits,
};

use crate::step::{Step, StepError};

/// What the inner stage needs to mount and to drop.
const NEEDED: CapabilitySet = CapabilitySet::SYS_ADMIN.union(CapabilitySet::SETPCAP);

/// Makes the next program of this process start with what the inner stage needs.
///
/// # Errors
/// When the system refuses.
pub fn keep_over_exec() -> Result<(), StepError> {
    let name = || "pass capabilities to the inner stage".to_owned();
    let now = capabilities(None).step(name)?;
    set_capabilities(None, CapabilitySets { inheritable: NEEDED, ..now }).step(name)?;
    for capability in NEEDED.iter() {
        configure_capability_in_ambient_set(capability, true).step(name)?;
    }
    Ok(())
}

/// Drops every capability from every set, for this process and all it will start.
///
/// # Errors
/// When the system refuses.
pub fn drop_all() -> Result<(), StepError> {
    let name = || "drop all capabilities".to_owned();
    clear_ambient_capability_set().step(name)?;
    for capability in CapabilitySet::all().iter() {
        match remove_capability_from_bounding_set(capability) {
            // This kernel does not know it.
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            Err(e) => return Err(e).step(name),
        }
    }
    let bits = CapabilitiesSecureBits::NO_ROOT
        | CapabilitiesSecureBits::NO_ROOT_LOCKED
        | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE
        | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE_LOCKED;
    set_capabilities_secure_bits(bits).step(name)?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none }).step(name)
}
