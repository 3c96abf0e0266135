//! Randomness from the operating system (SP-013).

use oc_types::Secret;
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;

/// The operating system gave no randomness. Nothing that grants authority may be made then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the operating system's random source failed; no token was made")]
pub struct NoRandomness;

/// A token of `bytes` random bytes as lower-case hexadecimal. At least 16 bytes (128 bits) are taken.
///
/// # Errors
/// When the random source fails.
pub fn token_hex(bytes: usize) -> Result<Secret, NoRandomness> {
    let mut raw = vec![0u8; bytes.max(16)];
    SystemRandom::new().fill(&mut raw).map_err(|_| NoRandomness)?;
    Ok(Secret::new(raw.iter().map(|b| format!("{b:02x}")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sp_013_tokens_are_long_hexadecimal_and_differ() {
        let a = token_hex(32).unwrap();
        let b = token_hex(1).unwrap();
        assert_eq!(a.expose().len(), 64);
        assert_eq!(b.expose().len(), 32, "never less than 128 bits");
        assert!(a.expose().chars().all(|c| c.is_ascii_hexdigit()));
        assert_ne!(a.expose(), token_hex(32).unwrap().expose());
    }
}
