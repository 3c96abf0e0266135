//! A spec that no sandbox can be made of is refused as a whole.

use std::path::{Component, Path};

use super::{MAX_ENTRIES, Spec, SpecError, VERSION};

/// Where the sandbox has its own view of the system. Nothing is mounted on, below or above it.
pub(crate) const RESERVED: [&str; 12] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/proc",
    "/dev",
    "/sys",
    "/.openclaw",
];

/// Most processes that can be asked for.
const MAX_PROCESSES: u32 = 65_536;

fn wrong(why: impl Into<String>) -> SpecError {
    SpecError::Wrong(why.into())
}

/// Whether a path is absolute, normal and not the root.
fn is_plain(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    let rooted = parts.next() == Some(Component::RootDir);
    let mut any = false;
    let normal = parts.all(|c| {
        any = true;
        matches!(c, Component::Normal(_))
    });
    // Components drop "//" and "/./"; the text must have had none.
    let tidy = !path.contains("//") && !path.contains("/./") && !path.ends_with('/') && !path.ends_with("/.");
    rooted && normal && any && tidy && !path.contains('\0') && path.len() < 4096
}

fn overlaps(a: &str, b: &str) -> bool {
    Path::new(a).starts_with(b) || Path::new(b).starts_with(a)
}

impl Spec {
    pub(super) fn check(&self) -> Result<(), SpecError> {
        if self.version != VERSION {
            return Err(SpecError::Version(self.version));
        }
        if self.user == u32::MAX || self.group == u32::MAX {
            return Err(wrong("the user or group is no number of a user"));
        }
        if self.mounts.len() > MAX_ENTRIES || self.scratch.len() > MAX_ENTRIES {
            return Err(wrong("too many mounts"));
        }
        let targets = || {
            let mounts = self.mounts.iter().map(|m| m.target.as_str());
            mounts.chain(self.scratch.iter().map(|s| s.target.as_str()))
        };
        for (i, target) in targets().enumerate() {
            if !is_plain(target) {
                return Err(wrong(format!("{target:?} is no place for a mount")));
            }
            if let Some(r) = RESERVED.iter().find(|r| overlaps(target, r)) {
                return Err(wrong(format!("{target} meets {r}, which the sandbox uses itself")));
            }
            if targets().take(i).any(|other| other == target) {
                return Err(wrong(format!("{target} is mounted twice")));
            }
        }
        if let Some(m) = self.mounts.iter().find(|m| !is_plain(&m.source)) {
            return Err(wrong(format!("{:?} is no directory that can be mounted", m.source)));
        }
        if !is_plain(&self.workdir) || !targets().any(|t| Path::new(&self.workdir).starts_with(t)) {
            return Err(wrong(format!("the working directory {:?} is in no mount", self.workdir)));
        }
        if self.limits.processes == 0 || self.limits.processes > MAX_PROCESSES {
            return Err(wrong(format!("{} is no limit of processes", self.limits.processes)));
        }
        if self.limits.processors == Some(0) {
            return Err(wrong("a sandbox without a processor"));
        }
        if let Some((name, ..)) = self
            .limits
            .named
            .iter()
            .find(|(name, soft, hard)| crate::limits::resource(name).is_none() || soft > hard)
        {
            return Err(wrong(format!(
                "{name:?} is no resource limit, or its soft value exceeds the hard one"
            )));
        }
        if self.command.is_empty() || self.command.iter().any(|a| a.contains('\0')) {
            return Err(wrong("no command"));
        }
        Ok(())
    }
}
