//! Does the caller hold the key of the device it names? (gateway 4, SP-345)
//!
//! Invariant: verification is strict: one encoding per key and signature, no key of small order.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use ring::{digest, signature};
use serde::Serialize;

#[cfg(test)]
mod tests;

/// How far a device's clock may be off, in milliseconds.
pub const MAX_SKEW_MS: u64 = 600_000;

/// The device part of a handshake, as received.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    /// `device.id`: SHA-256 of the key, lower-case hexadecimal.
    pub id: &'a str,
    /// `device.publicKey`: base64url without padding, 32 bytes.
    pub public_key: &'a str,
    /// `device.signature`: base64url without padding, 64 bytes.
    pub signature: &'a str,
    /// `device.signedAt`, in milliseconds since 1970.
    pub signed_at_ms: u64,
    /// `device.nonce`.
    pub nonce: Option<&'a str>,
}

/// What the signature covers beside the device.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// `client.id`.
    pub client_id: &'a str,
    /// `client.mode`.
    pub client_mode: &'a str,
    /// `role`, as granted by the handshake (`operator` when none was sent).
    pub role: &'a str,
    /// `scopes` exactly as sent.
    pub scopes: &'a [String],
    /// `auth.token` exactly as sent, or empty.
    pub token: &'a str,
    /// `client.platform`.
    pub platform: &'a str,
    /// `client.deviceFamily`, or empty.
    pub device_family: &'a str,
}

/// Whether a proof without a nonce is taken: only older clients on this machine itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceRule {
    /// It must be this socket's challenge.
    Required,
    /// It may be missing; a wrong one is still refused.
    MayBeMissing,
}

/// Why a proof was refused; the log's cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refused {
    /// The key is malformed or the id is not its digest.
    DeviceIdMismatch,
    /// Signed too long ago, or in the future.
    DeviceSignatureStale,
    /// No nonce where one is needed.
    DeviceNonceMissing,
    /// Another socket's nonce.
    DeviceNonceMismatch,
    /// The signature is not the key's over this handshake.
    DeviceSignature,
}

impl Refused {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::DeviceIdMismatch => "device-id-mismatch",
            Self::DeviceSignatureStale => "device-signature-stale",
            Self::DeviceNonceMissing => "device-nonce-missing",
            Self::DeviceNonceMismatch => "device-nonce-mismatch",
            Self::DeviceSignature => "device-signature",
        }
    }
}

/// A device that proved itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Device {
    /// Its id.
    pub id: String,
    /// Its key, base64url without padding.
    pub public_key: String,
}

/// Checks a proof, in the order of the handshake table.
///
/// # Errors
/// The first check that fails.
pub fn verify(
    proof: &Proof<'_>,
    signed: &Signed<'_>,
    challenge: &str,
    nonce_rule: NonceRule,
    now_ms: u64,
) -> Result<Device, Refused> {
    let key = public_key(proof.public_key).ok_or(Refused::DeviceIdMismatch)?;
    if device_id(&key) != proof.id {
        return Err(Refused::DeviceIdMismatch);
    }
    if now_ms.abs_diff(proof.signed_at_ms) > MAX_SKEW_MS {
        return Err(Refused::DeviceSignatureStale);
    }
    match (proof.nonce, nonce_rule) {
        (None, NonceRule::Required) => return Err(Refused::DeviceNonceMissing),
        (Some(nonce), _) if nonce != challenge => return Err(Refused::DeviceNonceMismatch),
        _ => {}
    }
    let bytes = BASE64URL_NOPAD.decode(proof.signature.as_bytes()).map_err(|_| Refused::DeviceSignature)?;
    let verifier = signature::UnparsedPublicKey::new(&signature::ED25519, key);
    let good = payloads(proof, signed).iter().any(|text| verifier.verify(text.as_bytes(), &bytes).is_ok());
    if !good {
        return Err(Refused::DeviceSignature);
    }
    Ok(Device { id: proof.id.to_owned(), public_key: proof.public_key.to_owned() })
}

/// The texts that a signature may cover: without a nonce the first version, with one the second or the third.
fn payloads(proof: &Proof<'_>, signed: &Signed<'_>) -> Vec<String> {
    let scopes = signed.scopes.join(",");
    let base = |version: &str| {
        let at = proof.signed_at_ms;
        let Signed { client_id, client_mode, role, token, .. } = signed;
        format!("{version}|{}|{client_id}|{client_mode}|{role}|{scopes}|{at}|{token}", proof.id)
    };
    let Some(nonce) = proof.nonce else { return vec![base("v1")] };
    let plain = |text: &str| text.trim().to_ascii_lowercase();
    let (platform, family) = (plain(signed.platform), plain(signed.device_family));
    vec![format!("{}|{nonce}", base("v2")), format!("{}|{nonce}|{platform}|{family}", base("v3"))]
}

/// The id of a key: SHA-256 of its 32 bytes, lower-case hexadecimal.
#[must_use]
pub fn device_id(key: &[u8; 32]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, key).as_ref())
}

/// Reads a public key: 32 bytes in base64url without padding, in the one canonical encoding, not of small order.
#[must_use]
pub fn public_key(text: &str) -> Option<[u8; 32]> {
    let bytes: [u8; 32] = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok()?;
    let mut y = bytes;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    (below_field_order(&y) && !SMALL_ORDER.contains(&y)).then_some(bytes)
}

/// Whether a little-endian number is below 2^255 - 19.
fn below_field_order(y: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = y;
    *last < 0x7f || *first < 0xed || middle.iter().any(|b| *b != 0xff)
}

/// The y coordinates of the points of small order, little-endian (0, 1, p - 1 and the two of order eight).
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    {
        let mut minus_one = [0xff; 32];
        minus_one[0] = 0xec;
        minus_one[31] = 0x7f;
        minus_one
    },
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];
