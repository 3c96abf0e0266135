//! Does what the caller shows open the door? (gateway 2, SP-012, SP-320, SP-344)

use oc_types::Secret;
use ring::digest;
use serde::Serialize;

#[cfg(test)]
mod tests;

/// What the gateway accepts, from `gateway.auth` after lookup (command line, configuration, environment).
#[derive(Clone, Debug)]
pub enum Accepts {
    /// Mode `token`.
    Token(Option<Key>),
    /// Mode `password`.
    Password(Option<Key>),
}

/// A configured secret, kept as a digest only.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// Keeps the digest of a secret. A blank one is no secret.
    #[must_use]
    pub fn new(secret: &Secret) -> Option<Self> {
        (!secret.is_blank()).then(|| Self(digest_of(secret.expose().trim())))
    }

    /// Whether a text is that secret. Both sides are digests, so neither content nor length shows in the time taken.
    #[must_use]
    pub fn opens(&self, shown: &str) -> bool {
        let shown = digest_of(shown);
        let different = self.0.iter().zip(shown).fold(0u8, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(different) == 0
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(not shown)")
    }
}

fn digest_of(text: &str) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    out
}

/// What the caller shows. Over HTTP the bearer value counts as token and as password; over WebSocket a token in the password field does
/// not count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    /// `auth.token`.
    pub token: Option<&'a str>,
    /// `auth.password`.
    pub password: Option<&'a str>,
}

/// Why a credential did not open the door: for the log and `error.details.reason`. It names the kind, never a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// Mode `token` without a configured token.
    TokenMissingConfig,
    /// None shown.
    TokenMissing,
    /// Another one shown.
    TokenMismatch,
    /// Mode `password` without a configured password.
    PasswordMissingConfig,
    /// None shown.
    PasswordMissing,
    /// Another one shown.
    PasswordMismatch,
}

impl Refused {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::TokenMissingConfig => "token_missing_config",
            Self::TokenMissing => "token_missing",
            Self::TokenMismatch => "token_mismatch",
            Self::PasswordMissingConfig => "password_missing_config",
            Self::PasswordMissing => "password_missing",
            Self::PasswordMismatch => "password_mismatch",
        }
    }

    /// Whether it counts against the caller's budget of wrong answers: only a wrong credential does, a missing one does not (SP-337).
    #[must_use]
    pub fn counts(self) -> bool {
        matches!(self, Self::TokenMismatch | Self::PasswordMismatch)
    }
}

impl Accepts {
    /// Whether a secret is configured. Without one the gateway does not start, and a running one refuses everybody.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        matches!(self, Self::Token(Some(_)) | Self::Password(Some(_)))
    }

    /// Whether both accept the same secret in the same mode. A missing secret is the same as no other.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Token(Some(a)), Self::Token(Some(b)))
            | (Self::Password(Some(a)), Self::Password(Some(b))) => a.0 == b.0,
            _ => false,
        }
    }

    /// Judges a shared credential.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn judge(&self, shown: Shown<'_>) -> Result<(), Refused> {
        match self {
            Self::Token(None) => Err(Refused::TokenMissingConfig),
            Self::Password(None) => Err(Refused::PasswordMissingConfig),
            Self::Token(Some(key)) => one(key, shown.token, Refused::TokenMissing, Refused::TokenMismatch),
            Self::Password(Some(key)) => {
                one(key, shown.password, Refused::PasswordMissing, Refused::PasswordMismatch)
            }
        }
    }
}

fn one(key: &Key, shown: Option<&str>, missing: Refused, mismatch: Refused) -> Result<(), Refused> {
    match shown {
        None | Some("") => Err(missing),
        Some(text) if key.opens(text) => Ok(()),
        Some(_) => Err(mismatch),
    }
}
