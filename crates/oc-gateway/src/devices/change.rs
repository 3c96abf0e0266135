//! Asking, approving, rejecting, and the life of tokens.

use indexmap::map::Entry;
use thiserror::Error;

use super::{Devices, MAX_PENDING, Paired, Pending, Token};
use crate::authority::{Scope, Scopes};
use crate::entrance::device::Device;
use crate::protocol::connect::Role;

/// Who asks for a change.
#[derive(Clone, Debug)]
pub struct Actor {
    /// What the connection holds.
    pub scopes: Scopes,
    /// The device it comes from; `None` for the command line on this machine.
    pub device: Option<String>,
}

/// A device's request to be let in.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The proven device.
    pub device: Device,
    /// The role.
    pub role: Role,
    /// The scopes.
    pub scopes: Scopes,
    /// For lists.
    pub display_name: Option<String>,
    /// Its system.
    pub platform: String,
    /// Its program.
    pub client_id: String,
    /// How it is used.
    pub client_mode: String,
    /// The commands that it offers as a node; `None` for the other role.
    pub commands: Option<Vec<String>>,
    /// Where from.
    pub remote_ip: Option<String>,
    /// Whether it is a program of this machine, connected directly.
    pub silent: bool,
}

/// Why a change was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeviceError {
    /// There is no such request or device, or it is not the actor's to see.
    #[error("there is no such pairing request or device; list them with `openclaw devices list`")]
    Unknown,
    /// The actor does not hold what it would give.
    #[error("this connection does not hold {0} itself, so it cannot give it")]
    Beyond(&'static str),
    /// More than the device was approved for.
    #[error("the device was not approved for that; approve a new request of it instead")]
    BeyondRecord,
    /// Whoever asked lost its access meanwhile.
    #[error("the connection that asked has ended")]
    Gone,
    /// Too many requests wait.
    #[error("{MAX_PENDING} pairing requests are waiting; answer some first")]
    Full,
}

/// A token that was made anew.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotated {
    /// The new token.
    pub token: Token,
    /// Sockets that came in with the old one have to be closed (SP-328).
    pub close: (String, Role),
}

impl Actor {
    /// Nobody gives what they do not hold; the role `node` is given by administrators only.
    fn may_give(&self, role: Role, scopes: &Scopes) -> Result<(), DeviceError> {
        if !self.scopes.satisfies(Scope::Pairing) {
            return Err(DeviceError::Beyond(Scope::Pairing.word()));
        }
        if role == Role::Node && !self.scopes.satisfies(Scope::Admin) {
            return Err(DeviceError::Beyond(Scope::Admin.word()));
        }
        let missing = Scope::ALL.into_iter().find(|s| {
            let asked = Scopes::from_iter([*s]);
            scopes.words().contains(&s.word()) && !self.scopes.covers(&asked)
        });
        missing.map_or(Ok(()), |s| Err(DeviceError::Beyond(s.word())))
    }

    /// A connection of a device that does not administer sees its own requests only.
    #[must_use]
    pub fn sees(&self, device: &str) -> bool {
        self.scopes.satisfies(Scope::Admin) || self.device.as_deref().is_none_or(|own| own == device)
    }
}

impl Devices {
    /// Notes a request. A device has one at a time: the same wish keeps its id, another wish replaces it. Returns the request's id and
    /// whether it is new.
    ///
    /// # Errors
    /// [`DeviceError::Full`].
    pub fn ask(&mut self, ask: Ask, new_id: String, now_ms: u64) -> Result<(String, bool), DeviceError> {
        self.expire(now_ms);
        let words: Vec<String> = ask.scopes.words().into_iter().map(str::to_owned).collect();
        let waiting = self.pending.iter().find(|(_, p)| p.device_id == ask.device.id);
        if let Some((id, p)) = waiting {
            let same = p.public_key == ask.device.public_key
                && p.wanted_role() == Some(ask.role)
                && p.wanted() == ask.scopes
                && p.commands == ask.commands;
            let id = id.clone();
            if same {
                return Ok((id, false));
            }
            self.pending.shift_remove(&id);
        }
        if self.pending.len() >= MAX_PENDING {
            return Err(DeviceError::Full);
        }
        let is_repair = self.paired.contains_key(&ask.device.id).then_some(true);
        let pending = Pending {
            request_id: new_id.clone(),
            device_id: ask.device.id,
            public_key: ask.device.public_key,
            display_name: ask.display_name,
            platform: Some(ask.platform),
            client_id: Some(ask.client_id),
            client_mode: Some(ask.client_mode),
            role: Some(ask.role.word().to_owned()),
            scopes: Some(words),
            commands: ask.commands,
            remote_ip: ask.remote_ip,
            silent: ask.silent,
            is_repair,
            ts: now_ms,
            other: serde_json::Map::new(),
        };
        self.pending.insert(new_id.clone(), pending);
        Ok((new_id, true))
    }

    /// Lets a device in: merges role and scopes into its record and mints a token for the role. `new_token`: 128 random bits, hexadecimal.
    /// A device that comes with another key starts anew: nothing of the old record stays.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub fn approve(
        &mut self,
        request_id: &str,
        actor: &Actor,
        new_token: String,
        now_ms: u64,
    ) -> Result<&Paired, DeviceError> {
        self.expire(now_ms);
        let pending = self.pending.get(request_id).filter(|p| actor.sees(&p.device_id));
        let pending = pending.ok_or(DeviceError::Unknown)?;
        let role = pending.wanted_role().ok_or(DeviceError::Unknown)?;
        let wanted = pending.wanted();
        actor.may_give(role, &wanted)?;
        let pending = self.pending.shift_remove(request_id).ok_or(DeviceError::Unknown)?;
        let (platform, commands) = (pending.platform.clone(), pending.commands);
        let fresh = Paired {
            device_id: pending.device_id.clone(),
            public_key: pending.public_key.clone(),
            display_name: pending.display_name,
            platform: pending.platform,
            client_id: pending.client_id,
            client_mode: pending.client_mode,
            role: Some(role.word().to_owned()),
            roles: Vec::new(),
            scopes: Vec::new(),
            commands: None,
            remote_ip: pending.remote_ip,
            tokens: indexmap::IndexMap::new(),
            created_at_ms: now_ms,
            approved_at_ms: now_ms,
            other: serde_json::Map::new(),
        };
        let record = match self.paired.entry(pending.device_id) {
            Entry::Vacant(slot) => slot.insert(fresh),
            Entry::Occupied(slot) => {
                let record = slot.into_mut();
                if record.public_key != pending.public_key {
                    *record = fresh;
                }
                record
            }
        };
        record.approved_at_ms = now_ms;
        if role == Role::Node {
            // What was approved is what the request showed (SP-346).
            record.platform = platform;
            record.commands = commands;
        }
        if !record.roles.iter().any(|r| r == role.word()) {
            record.roles.push(role.word().to_owned());
        }
        let granted = record.granted().united(&wanted);
        record.scopes = granted.words().into_iter().map(str::to_owned).collect();
        let token = Token {
            token: new_token,
            role: role.word().to_owned(),
            scopes: granted.words().into_iter().map(str::to_owned).collect(),
            created_at_ms: now_ms,
            rotated_at_ms: None,
            revoked_at_ms: None,
            last_used_at_ms: None,
        };
        record.tokens.insert(role.word().to_owned(), token);
        let device = record.device_id.clone();
        self.forget_removed(&device, role);
        self.paired.get(&device).ok_or(DeviceError::Unknown)
    }

    /// Drops a request. Returns the device's id.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub fn reject(&mut self, request_id: &str, actor: &Actor) -> Result<String, DeviceError> {
        let pending = self.pending.get(request_id).filter(|p| actor.sees(&p.device_id));
        let device = pending.ok_or(DeviceError::Unknown)?.device_id.clone();
        if !actor.scopes.satisfies(Scope::Pairing) {
            return Err(DeviceError::Beyond(Scope::Pairing.word()));
        }
        self.pending.shift_remove(request_id);
        Ok(device)
    }

    /// Makes a device's token anew, with the same scopes or fewer.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub fn rotate(
        &mut self,
        device_id: &str,
        role: Role,
        scopes: Option<&Scopes>,
        actor: &Actor,
        new_token: String,
        now_ms: u64,
    ) -> Result<Rotated, DeviceError> {
        let record = self.paired.get_mut(device_id).filter(|_| actor.sees(device_id));
        let record = record.ok_or(DeviceError::Unknown)?;
        if !record.has_role(role) {
            return Err(DeviceError::BeyondRecord);
        }
        let old = record.tokens.get(role.word());
        let kept = old.map(|t| Scopes::read(t.scopes.iter().map(String::as_str)));
        let wanted = scopes.cloned().or(kept).unwrap_or_else(|| record.granted());
        if !record.granted().covers(&wanted) {
            return Err(DeviceError::BeyondRecord);
        }
        actor.may_give(role, &wanted)?;
        let token = Token {
            token: new_token,
            role: role.word().to_owned(),
            scopes: wanted.words().into_iter().map(str::to_owned).collect(),
            created_at_ms: old.map_or(now_ms, |t| t.created_at_ms),
            rotated_at_ms: Some(now_ms),
            revoked_at_ms: None,
            last_used_at_ms: None,
        };
        record.tokens.insert(role.word().to_owned(), token.clone());
        Ok(Rotated { token, close: (device_id.to_owned(), role) })
    }

    /// Takes a device's token back. Returns whose sockets have to be closed.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub fn revoke(
        &mut self,
        device_id: &str,
        role: Role,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<(String, Role), DeviceError> {
        let record = self.paired.get_mut(device_id).filter(|_| actor.sees(device_id));
        let token = record.and_then(|r| r.tokens.get_mut(role.word())).ok_or(DeviceError::Unknown)?;
        let carried = Scopes::read(token.scopes.iter().map(String::as_str));
        actor.may_give(role, &carried)?;
        token.revoked_at_ms.get_or_insert(now_ms);
        Ok((device_id.to_owned(), role))
    }
}
