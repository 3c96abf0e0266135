//! The identity of a client towards gateways: `identity/device.json` (its key) and `identity/device-auth.json` (what gateways gave it), gateway 5.
//!
//! The files are upstream's, so either program can use them. What a key is and how it signs is the caller's business.
//!
//! INVARIANT: a file that is there and cannot be read is an error and stays as it is; no second identity is made beside it.
//! INVARIANT: a stored token is given out only together with the gateway it came from.

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use oc_types::Secret;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::lock::{self, Convention, LockFailure};
use crate::{atomic, mode, owned_file};

/// Largest file, in bytes.
const LIMIT: u64 = 256 * 1024;
/// The only version there is.
const VERSION: u64 = 1;

/// The identity files of a state directory.
#[derive(Clone, Debug)]
pub struct IdentityStore {
    directory: PathBuf,
}

/// `device.json`.
#[derive(Clone, Debug)]
pub struct DeviceFile {
    /// SHA-256 of the key, hexadecimal.
    pub device_id: String,
    /// The key, PEM (SPKI).
    pub public_key_pem: String,
    /// The private key, PEM (PKCS#8).
    pub private_key_pem: Secret,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: u64,
}

/// A device token.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// The token.
    pub token: Secret,
    /// The role it is for.
    pub role: String,
    /// The scopes it carries.
    pub scopes: Vec<String>,
    /// When it was stored, in milliseconds since 1970.
    pub updated_at_ms: u64,
    /// The gateway that gave it, as an address; `None` when another program stored it: then it is one on this machine.
    pub gateway: Option<String>,
}

/// Why the identity cannot be used.
#[derive(Debug, Error)]
pub enum IdentityFailure {
    /// It cannot be opened, or is a link, or somebody else's.
    #[error("the device identity cannot be used: {0}")]
    Unusable(io::Error),
    /// It is no identity file.
    #[error("{}: {why}; move it away to get a new identity, which gateways have to pair again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// No key could be made.
    #[error("the operating system's random source failed; no identity was made")]
    Random,
    /// The lock.
    #[error(transparent)]
    Lock(#[from] LockFailure),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] atomic::WriteFailure),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDevice {
    version: u64,
    device_id: String,
    public_key_pem: String,
    private_key_pem: String,
    #[serde(default)]
    created_at_ms: u64,
}

impl IdentityStore {
    /// The files of a state directory. Creates nothing.
    #[must_use]
    pub fn of(state_dir: &Path) -> Self {
        Self { directory: state_dir.join("identity") }
    }

    /// The file of the key.
    #[must_use]
    pub fn device_path(&self) -> PathBuf {
        self.directory.join("device.json")
    }

    /// The file of the tokens.
    #[must_use]
    pub fn token_path(&self) -> PathBuf {
        self.directory.join("device-auth.json")
    }

    /// The identity; `None` when there is none yet.
    ///
    /// # Errors
    /// See [`IdentityFailure`].
    pub fn device(&self) -> Result<Option<DeviceFile>, IdentityFailure> {
        let path = self.device_path();
        let Some(bytes) = owned_file::read(&path, LIMIT).map_err(IdentityFailure::Unusable)? else {
            return Ok(None);
        };
        let damaged = |why: String| IdentityFailure::Damaged { path: path.clone(), why };
        // What serde says may quote the file, and the file holds a key.
        let wire: WireDevice = serde_json::from_slice(&bytes)
            .map_err(|e| damaged(format!("not a device identity (line {})", e.line())))?;
        if wire.version != VERSION {
            return Err(damaged(format!("version {} is not known", wire.version)));
        }
        Ok(Some(DeviceFile {
            device_id: wire.device_id,
            public_key_pem: wire.public_key_pem,
            private_key_pem: Secret::new(wire.private_key_pem),
            created_at_ms: wire.created_at_ms,
        }))
    }

    /// The identity; made by `make` and stored when there is none yet. Of several first users at once all get the same.
    ///
    /// # Errors
    /// See [`IdentityFailure`]; `make` gives `None` when there is no randomness.
    pub fn device_or(
        &self,
        make: impl FnOnce() -> Option<DeviceFile>,
    ) -> Result<DeviceFile, IdentityFailure> {
        if let Some(found) = self.device()? {
            return Ok(found);
        }
        let path = self.device_path();
        let _lock = self.lock(&path)?;
        if let Some(found) = self.device()? {
            return Ok(found);
        }
        let made = make().ok_or(IdentityFailure::Random)?;
        let value = json!({
            "version": VERSION,
            "deviceId": made.device_id,
            "publicKeyPem": made.public_key_pem,
            "privateKeyPem": made.private_key_pem.expose(),
            "createdAtMs": made.created_at_ms,
        });
        write(&path, &value)?;
        Ok(made)
    }

    /// The token for a role; `None` when there is none, or when it belongs to another device.
    ///
    /// # Errors
    /// See [`IdentityFailure`].
    pub fn token(&self, device_id: &str, role: &str) -> Result<Option<StoredToken>, IdentityFailure> {
        let tokens = self.tokens(device_id)?;
        let Some(entry) = tokens.get(role) else { return Ok(None) };
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let Some(token) = text("token").filter(|t| !t.trim().is_empty()) else { return Ok(None) };
        let scopes = entry.get("scopes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Ok(Some(StoredToken {
            token: Secret::new(token.to_owned()),
            role: role.to_owned(),
            scopes: scopes.iter().filter_map(|s| s.as_str().map(str::to_owned)).collect(),
            updated_at_ms: entry.get("updatedAtMs").and_then(Value::as_u64).unwrap_or(0),
            gateway: text("gateway").map(str::to_owned),
        }))
    }

    /// Stores a token in place of the one for its role.
    ///
    /// # Errors
    /// See [`IdentityFailure`].
    pub fn keep_token(&self, device_id: &str, token: &StoredToken) -> Result<(), IdentityFailure> {
        let mut entry = json!({
            "token": token.token.expose(),
            "role": token.role,
            "scopes": token.scopes,
            "updatedAtMs": token.updated_at_ms,
        });
        if let (Some(gateway), Some(members)) = (&token.gateway, entry.as_object_mut()) {
            members.insert("gateway".to_owned(), gateway.as_str().into());
        }
        self.change(device_id, |tokens| {
            tokens.insert(token.role.clone(), entry);
            true
        })
    }

    /// Forgets the token for a role, if it is still this one.
    ///
    /// # Errors
    /// See [`IdentityFailure`].
    pub fn forget_token(&self, device_id: &str, token: &StoredToken) -> Result<(), IdentityFailure> {
        self.change(device_id, |tokens| {
            // Another process may have got a new one meanwhile. Both texts are ours: nobody measures this comparison.
            let same = tokens
                .get(&token.role)
                .and_then(|t| t.get("token"))
                .and_then(Value::as_str)
                .is_some_and(|t| t == token.token.expose());
            if same {
                tokens.shift_remove(&token.role);
            }
            same
        })
    }

    fn tokens(&self, device_id: &str) -> Result<Map<String, Value>, IdentityFailure> {
        let path = self.token_path();
        let Some(bytes) = owned_file::read(&path, LIMIT).map_err(IdentityFailure::Unusable)? else {
            return Ok(Map::new());
        };
        let value: Value = serde_json::from_slice(&bytes).map_err(|e| IdentityFailure::Damaged {
            path,
            why: format!("not a list of device tokens (line {})", e.line()),
        })?;
        if value.get("deviceId").and_then(Value::as_str) != Some(device_id) {
            return Ok(Map::new());
        }
        Ok(value.get("tokens").and_then(Value::as_object).cloned().unwrap_or_default())
    }

    fn change(
        &self,
        device_id: &str,
        step: impl FnOnce(&mut Map<String, Value>) -> bool,
    ) -> Result<(), IdentityFailure> {
        let path = self.token_path();
        let _lock = self.lock(&path)?;
        let mut tokens = self.tokens(device_id)?;
        if step(&mut tokens) {
            write(&path, &json!({"version": VERSION, "deviceId": device_id, "tokens": tokens}))?;
        }
        Ok(())
    }

    fn lock(&self, path: &Path) -> Result<lock::StoreLock, IdentityFailure> {
        mode::create_directories(&self.directory).map_err(IdentityFailure::Unusable)?;
        let held = lock::acquire(path, Convention::Own, lock::WAIT)?;
        atomic::sweep(path);
        Ok(held)
    }
}

fn write(path: &Path, value: &Value) -> Result<(), IdentityFailure> {
    Ok(atomic::replace(path, format!("{value:#}\n").as_bytes())?)
}
