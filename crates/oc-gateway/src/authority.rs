//! What a connection may do: roles, scopes, and the table of all methods (gateway 6, SP-323, SP-339, SP-347).
//!
//! Invariant: the table is total: a name that is not in it needs `operator.admin`, and then is unknown.
//! Invariant: a node calls only node methods, and nobody else calls those.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::protocol::connect::Role;
use crate::protocol::frame::Failure;

mod table;
#[cfg(test)]
mod tests;

pub use table::{METHODS, Method, need_of};

/// A right of an operator's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Scope {
    /// Everything.
    #[serde(rename = "operator.admin")]
    Admin,
    /// Answering approvals.
    #[serde(rename = "operator.approvals")]
    Approvals,
    /// Pairing devices and nodes.
    #[serde(rename = "operator.pairing")]
    Pairing,
    /// Looking.
    #[serde(rename = "operator.read")]
    Read,
    /// Sending and running; includes looking.
    #[serde(rename = "operator.write")]
    Write,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Admin, Self::Approvals, Self::Pairing, Self::Read, Self::Write];

    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "operator.admin",
            Self::Approvals => "operator.approvals",
            Self::Pairing => "operator.pairing",
            Self::Read => "operator.read",
            Self::Write => "operator.write",
        }
    }

    /// Reads the word. Unknown words grant nothing.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// The rights of a connection. Made by the server only; what a client declares is at most a wish.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Reads declared words.
    #[must_use]
    pub fn read<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self(words.into_iter().filter_map(Scope::parse).collect())
    }

    /// What both sides hold, with `admin` and `write` standing for what they include.
    #[must_use]
    pub fn within(&self, granted: &Self) -> Self {
        Self(self.0.iter().copied().filter(|s| granted.satisfies(*s)).collect())
    }

    /// Whether a right is held, itself or through one that includes it.
    #[must_use]
    pub fn satisfies(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
            || self.0.contains(&Scope::Admin)
            || (scope == Scope::Read && self.0.contains(&Scope::Write))
    }

    /// Whether every right of the other is satisfied.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|s| self.satisfies(*s))
    }

    /// The words, in order.
    #[must_use]
    pub fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|s| s.word()).collect()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Both together.
    #[must_use]
    pub fn united(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).copied().collect())
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

/// What a method needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The role `node`.
    Node,
    /// This right of an operator.
    Operator(Scope),
}

/// Whether a connection may call a method. Whether the method exists is said only to those who may call everything.
///
/// # Errors
/// The answer to send.
pub fn authorize(role: Role, scopes: &Scopes, method: &str) -> Result<(), Failure> {
    let need = need_of(method);
    match (role, need) {
        (Role::Node, Some(Need::Node)) => Ok(()),
        (Role::Node, _) | (Role::Operator, Some(Need::Node)) => Err(Failure::unauthorized_role(role.word())),
        (Role::Operator, Some(Need::Operator(scope))) if scopes.satisfies(scope) => Ok(()),
        (Role::Operator, Some(Need::Operator(scope))) => Err(Failure::missing_scope(scope.word())),
        (Role::Operator, None) if scopes.satisfies(Scope::Admin) => Err(Failure::unknown_method(method)),
        (Role::Operator, None) => Err(Failure::missing_scope(Scope::Admin.word())),
    }
}
