//! The device key: made, read from its file, used to sign a handshake (gateway 4 and 5).

mod pem;
#[cfg(test)]
mod tests;

use data_encoding::BASE64URL_NOPAD;
use oc_fs::identity_store::{DeviceFile, IdentityFailure, IdentityStore};
use oc_types::Secret;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::options::Profile;
use crate::entrance::device::device_id;

/// A device key pair. Its `Debug` shows the id only.
pub struct Identity {
    id: String,
    key: [u8; 32],
    pair: Ed25519KeyPair,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Identity {
    /// The identity of a store; made and stored on first use.
    ///
    /// # Errors
    /// [`IdentityFailure`]; also when the stored key is no Ed25519 key, or the id is not its digest.
    pub fn of(store: &IdentityStore, now_ms: u64) -> Result<Self, IdentityFailure> {
        let file = store.device_or(|| make(now_ms))?;
        Self::read(&file)
            .map_err(|why| IdentityFailure::Damaged { path: store.device_path(), why: why.to_owned() })
    }

    /// The identity of a store, when there is one.
    ///
    /// # Errors
    /// As [`Identity::of`].
    pub fn stored(store: &IdentityStore) -> Result<Option<Self>, IdentityFailure> {
        let Some(file) = store.device()? else { return Ok(None) };
        let read = Self::read(&file);
        read.map(Some)
            .map_err(|why| IdentityFailure::Damaged { path: store.device_path(), why: why.to_owned() })
    }

    /// An identity that follows from a credential and from what it is for, and from nothing else (SP-348).
    #[must_use]
    pub fn derived(credential: &Secret) -> Option<Self> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, credential.expose().as_bytes());
        let digest = hmac::sign(&key, b"openclaw: device identity of a visit that leaves no trace, 1");
        let seed = zeroize::Zeroizing::new(<[u8; 32]>::try_from(digest.as_ref()).ok()?);
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).ok()?;
        let key: [u8; 32] = pair.public_key().as_ref().try_into().ok()?;
        Some(Self { id: device_id(&key), key, pair })
    }

    fn read(file: &DeviceFile) -> Result<Self, &'static str> {
        let seed =
            pem::read_private(file.private_key_pem.expose()).ok_or("its private key is no Ed25519 key")?;
        let pair =
            Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(|_| "its private key is no Ed25519 key")?;
        let key: [u8; 32] =
            pair.public_key().as_ref().try_into().map_err(|_| "its key has another length")?;
        if pem::read_public(&file.public_key_pem) != Some(key) {
            return Err("its two keys do not belong together");
        }
        let id = device_id(&key);
        if id != file.device_id {
            return Err("its id is not that of its key");
        }
        Ok(Self { id, key, pair })
    }

    /// The device id: SHA-256 of the key, hexadecimal.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The `device` member of a handshake: the second version of the signed text, over this socket's nonce.
    #[must_use]
    pub fn proof(&self, profile: &Profile, token: &str, nonce: &str, now_ms: u64) -> Value {
        let text = format!(
            "v2|{}|{}|{}|{}|{}|{now_ms}|{token}|{nonce}",
            self.id,
            profile.id.word(),
            profile.mode.word(),
            profile.role.word(),
            profile.scopes.join(","),
        );
        json!({
            "id": self.id,
            "publicKey": BASE64URL_NOPAD.encode(&self.key),
            "signature": BASE64URL_NOPAD.encode(self.pair.sign(text.as_bytes()).as_ref()),
            "signedAt": now_ms,
            "nonce": nonce,
        })
    }
}

/// A new identity; `None` without randomness.
fn make(now_ms: u64) -> Option<DeviceFile> {
    let mut seed = zeroize::Zeroizing::new([0u8; 32]);
    SystemRandom::new().fill(&mut *seed).ok()?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).ok()?;
    let key: [u8; 32] = pair.public_key().as_ref().try_into().ok()?;
    Some(DeviceFile {
        device_id: device_id(&key),
        public_key_pem: pem::write_public(&key),
        private_key_pem: pem::write_private(&seed),
        created_at_ms: now_ms,
    })
}
