//! One of the three objects `docker`, `browser`, `prune`, field by field: the agent's value, else the default's.

use super::SandboxError;
use super::key::{Found, Places};
use super::setting::{Field, Setting};

/// A reader of one object. Under scope `shared` the agent's object does not count (tool-policy 10.1).
pub(super) struct Group<'p, 'c> {
    pub places: &'p Places<'c>,
    pub name: &'static str,
    pub shared: bool,
}

impl<'c> Group<'_, 'c> {
    /// The agent's value of a field; none under `shared`.
    pub fn agent(&self, field: &str) -> Option<Found<'c>> {
        if self.shared { None } else { self.places.agent(&["sandbox", self.name, field]) }
    }

    /// The value of a field under `agents.defaults`.
    pub fn defaults(&self, field: &str) -> Option<Found<'c>> {
        self.places.defaults(&["sandbox", self.name, field])
    }

    /// The value in force, if any key sets it.
    pub fn optional<T: Field>(&self, field: &str) -> Result<Option<Setting<T>>, SandboxError> {
        self.agent(field).or_else(|| self.defaults(field)).map(|f| T::read(&f)).transpose()
    }

    /// The value in force, else the default.
    pub fn or<T: Field>(&self, field: &str, default: T) -> Result<Setting<T>, SandboxError> {
        Ok(self.optional(field)?.unwrap_or_else(|| Setting::default_of(default)))
    }

    /// A map merged by name: the default's members first, then the agent's, which win.
    pub fn merged<T: Field>(&self, field: &str) -> Result<Vec<(String, Setting<T>)>, SandboxError> {
        let mut out: Vec<(String, Setting<T>)> = Vec::new();
        for found in [self.defaults(field), self.agent(field)].into_iter().flatten() {
            for (name, setting) in members(&found)? {
                match out.iter_mut().find(|(n, _)| *n == name) {
                    Some((_, old)) => *old = setting,
                    None => out.push((name, setting)),
                }
            }
        }
        Ok(out)
    }
}

/// The members of an object, each read as `T`.
pub(super) fn members<T: Field>(found: &Found<'_>) -> Result<Vec<(String, Setting<T>)>, SandboxError> {
    let object = found.node.as_object().ok_or_else(|| SandboxError::WrongType {
        key: found.key.clone(),
        found: found.node.value.type_name(),
        origin: found.node.origin.clone(),
        expected: "an object",
    })?;
    object
        .iter()
        .map(|(name, node)| Ok((name.clone(), T::read(&Found { node, key: found.key.key(name) })?)))
        .collect()
}
