//! Where a secret of this gateway stands, so that a new one can be put in its place, and which other credentials are to be changed after an
//! incident (seed A, rotation).
//!
//! Invariant: nothing here holds or shows a secret; a place is a key, a file or a variable's name.

use std::path::{Path, PathBuf};

use oc_config::Environment;
use oc_config::credential::Credential;
use oc_config::environment::VariableSource;
use oc_config::substitute::Reference;
use oc_types::{KeyPath, Node};
use serde::Serialize;

use crate::map::{Place, Row};

mod remaining;
#[cfg(test)]
mod tests;

pub use remaining::{Remaining, remaining};

/// What can be rotated in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// What callers of the gateway show: token and password.
    Gateway,
    /// What callers of the hooks show.
    Hooks,
}

impl Secrets {
    /// The keys, and the variables that stand in for each.
    fn keys(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Self::Gateway => &[
                ("gateway.auth.token", &["OPENCLAW_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_TOKEN"]),
                ("gateway.auth.password", &["OPENCLAW_GATEWAY_PASSWORD", "CLAWDBOT_GATEWAY_PASSWORD"]),
            ],
            Self::Hooks => &[("hooks.token", &[])],
        }
    }
}

/// Where the text of a secret is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seat {
    /// In the configuration, at this key (the secret's own, or one of the `env` block).
    Key(KeyPath),
    /// In a `.env` file, as this variable.
    DotEnv {
        /// The file.
        file: PathBuf,
        /// The variable.
        name: String,
    },
    /// In a file of its own.
    File(PathBuf),
    /// Somewhere that only a person can change; what to do.
    ByHand(String),
}

/// A secret that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The secret's key; several keys may name one seat.
    pub key: KeyPath,
    /// Where its text is.
    pub seat: Seat,
}

/// What the places are found from.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// The configuration, variables put in.
    pub tree: &'a Node,
    /// Which values are written as `${VAR}`.
    pub references: &'a [Reference],
    /// The variables, each with its source.
    pub environment: &'a Environment,
}

/// Where the secrets stand. Those that are not set are not listed.
#[must_use]
pub fn spots(written: Written<'_>, secrets: Secrets) -> Vec<Spot> {
    let mut out = Vec::new();
    for (key, variables) in secrets.keys() {
        let key = KeyPath::dotted(key);
        match own_seat(written, &key) {
            Some(seat) => out.push(Spot { key, seat }),
            None => {
                let set = variables.iter().find(|v| written.environment.text(v).is_some());
                out.extend(set.map(|name| Spot { key, seat: variable(written, name, 0) }));
            }
        }
    }
    out
}

fn own_seat(written: Written<'_>, key: &KeyPath) -> Option<Seat> {
    if let Some(reference) = written.references.iter().find(|r| r.path == *key) {
        return Some(referred(written, reference, 0));
    }
    Some(match Credential::of(key, written.tree.at(key)) {
        Ok(None) => return None,
        Ok(Some(Credential::Text(_))) => Seat::Key(key.clone()),
        Ok(Some(Credential::File(file))) => Seat::File(file),
        Ok(Some(Credential::Keychain { service, account })) => {
            Seat::ByHand(format!("put a new one into the keychain item {service}/{account}"))
        }
        Err(e) => Seat::ByHand(e.to_string()),
    })
}

/// The seat of a value that is written with variables.
fn referred(written: Written<'_>, reference: &Reference, depth: usize) -> Seat {
    match reference.names.as_slice() {
        [name] if reference.raw.trim() == format!("${{{name}}}") => variable(written, name, depth),
        _ => Seat::ByHand(format!("the text at {} is put together from variables", reference.origin)),
    }
}

fn variable(written: Written<'_>, name: &str, depth: usize) -> Seat {
    let by_hand = |why: &str| Seat::ByHand(format!("set {name} anew {why}"));
    match written.environment.source(name) {
        _ if depth > 4 => by_hand("where it is set: the variables lead in a circle"),
        Some(VariableSource::Process) => {
            by_hand("where the gateway's process gets it: its unit file, container or shell profile")
        }
        Some(VariableSource::DotEnv { file, .. }) => {
            Seat::DotEnv { file: PathBuf::from(file), name: name.to_owned() }
        }
        Some(VariableSource::Config { .. }) => {
            let keys = [KeyPath::keys(["env", name]), KeyPath::keys(["env", "vars", name])];
            let Some(key) = keys.into_iter().find(|k| written.tree.at(k).is_some()) else {
                return by_hand("in the configuration's `env` block");
            };
            match written.references.iter().find(|r| r.path == key) {
                Some(reference) => referred(written, reference, depth + 1),
                None => Seat::Key(key),
            }
        }
        None => by_hand("where it is set"),
    }
}
