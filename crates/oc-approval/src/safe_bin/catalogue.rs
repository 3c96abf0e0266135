//! The profiles by name, and the lists of names.

mod built_in;
mod custom;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use built_in::{built_in, texts as built_in_texts};
pub use custom::CustomProfile;
pub(super) use custom::Tightening;

use super::profile::Profile;
use crate::plan::Miss;
use crate::program_name;

/// The names that are listed when the configuration lists none (seed B; exec-approval 7.1).
pub const DEFAULT_SAFE_BINS: [&str; 23] = [
    "ls", "cat", "head", "tail", "less", "more", "file", "grep", "awk", "sed", "cut", "sort", "uniq", "wc",
    "pwd", "whoami", "uname", "date", "which", "env", "tar", "zip", "unzip",
];

/// Built-in profiles, and those of `tools.exec.safeBinProfiles`.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    custom: BTreeMap<String, (Profile, Tightening)>,
}

/// What a name is trusted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Uses that fit the built-in profile.
    BuiltIn,
    /// Uses that fit the profile of the configuration.
    Configured,
    /// Nothing: shells, interpreters and programs that start others, with or without a profile.
    NeverSafe,
    /// Nothing: there is no profile.
    NoProfile,
}

/// The profile that judges a name.
#[derive(Debug)]
pub(super) struct Judged<'a> {
    pub(super) profile: &'a Profile,
    pub(super) tightening: Option<&'a Tightening>,
}

impl Catalogue {
    /// The built-in profiles with what the configuration adds.
    #[must_use]
    pub fn new(custom: impl IntoIterator<Item = (String, CustomProfile)>) -> Self {
        let entry = |(name, own): (String, CustomProfile)| {
            let parts = (own.profile(&name), Tightening::new(own));
            (name, parts)
        };
        Self { custom: custom.into_iter().map(entry).collect() }
    }

    /// What a listed name is trusted for.
    #[must_use]
    pub fn standing(&self, name: &str) -> Standing {
        if built_in(name).is_some() {
            Standing::BuiltIn
        } else if program_name::is_never_safe(name) {
            Standing::NeverSafe
        } else if self.custom.contains_key(name) {
            Standing::Configured
        } else {
            Standing::NoProfile
        }
    }

    pub(super) fn find(&self, name: &str) -> Result<Judged<'_>, Miss> {
        let own = self.custom.get(name);
        if let Some(profile) = built_in(name) {
            return Ok(Judged { profile, tightening: own.map(|(_, t)| t) });
        }
        if program_name::is_never_safe(name) {
            return Err(Miss::new("never-safe", format!("{name} runs whatever it is given")));
        }
        match own {
            Some((profile, _)) => Ok(Judged { profile, tightening: None }),
            None => Err(no_profile(name)),
        }
    }
}

fn no_profile(name: &str) -> Miss {
    Miss::new("no-profile", format!("nothing says which uses of {name} are harmless"))
}
