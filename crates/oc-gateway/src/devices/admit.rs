//! May this device come in as it asks to?

use super::{Devices, Token};
use crate::authority::Scopes;
use crate::entrance::device::Device;
use crate::protocol::connect::Role;

/// What a proven device asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The device.
    pub device: &'a Device,
    /// The role.
    pub role: Role,
    /// The scopes.
    pub scopes: &'a Scopes,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It was approved for that.
    Admit,
    /// Somebody has to approve first.
    Pairing(Why),
}

/// Why an approval is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The device is not known, or is known with another key.
    NotPaired,
    /// It was approved for another role.
    RoleUpgrade,
    /// It asks for more than it was approved for.
    ScopeUpgrade,
    /// A node offers commands that it was not approved with.
    CommandUpgrade,
}

impl Why {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NotPaired => "not-paired",
            Self::RoleUpgrade => "role-upgrade",
            Self::ScopeUpgrade => "scope-upgrade",
            Self::CommandUpgrade => "command-upgrade",
        }
    }
}

impl Devices {
    /// Whether a proven device may come in. It changes nothing (SP-326).
    #[must_use]
    pub fn admit(&self, wish: &Wish<'_>) -> Admission {
        let known = self.paired.get(&wish.device.id).filter(|p| p.public_key == wish.device.public_key);
        let Some(known) = known else { return Admission::Pairing(Why::NotPaired) };
        if !known.has_role(wish.role) {
            Admission::Pairing(Why::RoleUpgrade)
        } else if !known.granted().covers(wish.scopes) {
            Admission::Pairing(Why::ScopeUpgrade)
        } else {
            Admission::Admit
        }
    }

    /// The token that an admitted device carries away for its role: the live one as long as it covers what the device was approved for,
    /// else a new one. `None`: the device is not paired for the role.
    pub fn hand_out(&mut self, device: &str, role: Role, fresh: String, now_ms: u64) -> Option<Token> {
        let record = self.paired.get_mut(device).filter(|p| p.has_role(role))?;
        let granted = record.granted();
        let words = || granted.words().into_iter().map(str::to_owned).collect::<Vec<_>>();
        let live = record.tokens.get_mut(role.word()).filter(|t| t.is_live() && !t.token.is_empty());
        if let Some(token) = live {
            token.last_used_at_ms = Some(now_ms);
            return Some(token.clone());
        }
        let token = Token {
            token: fresh,
            role: role.word().to_owned(),
            scopes: words(),
            created_at_ms: now_ms,
            rotated_at_ms: None,
            revoked_at_ms: None,
            last_used_at_ms: None,
        };
        record.tokens.insert(role.word().to_owned(), token.clone());
        Some(token)
    }

    /// Pins the commands of a node that was paired by a release that does not: those that it offers now (SP-346).
    pub fn pin(&mut self, device: &str, commands: Vec<String>) {
        if let Some(record) = self.paired.get_mut(device).filter(|p| p.has_role(Role::Node)) {
            record.commands.get_or_insert(commands);
        }
    }

    /// The live token that a text is, when the device may use it for that: its own role, and no more scopes than the token carries.
    /// `same` compares two texts in constant time.
    #[must_use]
    pub fn token_for(
        &self,
        wish: &Wish<'_>,
        shown: &str,
        same: impl Fn(&str, &str) -> bool,
    ) -> Option<&Token> {
        let known = self.paired.get(&wish.device.id).filter(|p| p.public_key == wish.device.public_key)?;
        let token = known.tokens.get(wish.role.word())?;
        let right = same(&token.token, shown) && !token.token.is_empty();
        let carried = Scopes::read(token.scopes.iter().map(String::as_str));
        let live = token.is_live() && token.role == wish.role.word();
        (right && live && carried.covers(wish.scopes) && known.granted().covers(wish.scopes)).then_some(token)
    }
}
