//! Ed25519 keys as PEM, the way Node writes them: SPKI for the key, the first version of PKCS#8 for the private one (RFC 8410).

use data_encoding::BASE64;
use oc_types::Secret;
use zeroize::Zeroizing;

/// What stands before the 32 bytes of a key in SPKI.
const PUBLIC: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What stands before the 32 bytes of a private key in PKCS#8.
const PRIVATE: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The labels, without the dashes around them.
const PUBLIC_LABEL: &str = "PUBLIC KEY";
const PRIVATE_LABEL: &str = "PRIVATE KEY";

/// A public key as text.
pub(super) fn write_public(key: &[u8; 32]) -> String {
    armoured(PUBLIC_LABEL, &[PUBLIC.as_slice(), key].concat())
}

/// A private key as text.
pub(super) fn write_private(seed: &[u8; 32]) -> Secret {
    let der = Zeroizing::new([PRIVATE.as_slice(), seed].concat());
    Secret::new(armoured(PRIVATE_LABEL, &der))
}

/// Reads a public key.
pub(super) fn read_public(text: &str) -> Option<[u8; 32]> {
    body(text, PUBLIC_LABEL)?.strip_prefix(&PUBLIC)?.try_into().ok()
}

/// Reads a private key.
pub(super) fn read_private(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let der = body(text, PRIVATE_LABEL)?;
    Some(Zeroizing::new(der.strip_prefix(&PRIVATE)?.try_into().ok()?))
}

fn armoured(label: &str, der: &[u8]) -> String {
    let text = Zeroizing::new(BASE64.encode(der));
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

fn body(text: &str, label: &str) -> Option<Zeroizing<Vec<u8>>> {
    let inner = text
        .trim()
        .strip_prefix(&format!("-----BEGIN {label}-----"))?
        .strip_suffix(&format!("-----END {label}-----"))?;
    let joined: Zeroizing<String> = Zeroizing::new(inner.split_ascii_whitespace().collect());
    BASE64.decode(joined.as_bytes()).ok().map(Zeroizing::new)
}
