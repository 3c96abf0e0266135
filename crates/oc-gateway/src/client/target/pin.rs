//! The fingerprint of one certificate.

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

/// SHA-256 of a certificate. It is public: comparing it needs no care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pin([u8; 32]);

impl Pin {
    /// Reads 64 hexadecimal digits; case, colons, and `sha256:` before them do not matter.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let digits: String =
            text.strip_prefix("sha256:").unwrap_or(&text).chars().filter(|c| *c != ':').collect();
        HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok().map(Self)
    }

    /// The fingerprint of a certificate (DER).
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        let mut out = [0; 32];
        out.copy_from_slice(digest(&SHA256, certificate).as_ref());
        Self(out)
    }
}

impl std::fmt::Display for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}
