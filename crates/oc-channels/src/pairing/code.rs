//! Pairing codes: short, unambiguous, every one equally likely (SP-013).

use thiserror::Error;

/// The 32 symbols of a code: no `0`, `O`, `1`, `I`.
pub const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Symbols in a code.
pub const CODE_LENGTH: usize = 8;
/// Most attempts to find a code that is not in use.
const ATTEMPTS: usize = 500;

/// Fills a buffer with bytes from a cryptographic generator.
pub type Random<'r> = dyn FnMut(&mut [u8; CODE_LENGTH]) + 'r;

/// No free code was found: the generator repeats itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no free pairing code after {ATTEMPTS} attempts; the random source repeats itself")]
pub struct CodeExhausted;

/// A code that is not in use.
///
/// # Errors
/// [`CodeExhausted`].
pub fn new_code(random: &mut Random<'_>, in_use: impl Fn(&str) -> bool) -> Result<String, CodeExhausted> {
    let mut bytes = [0; CODE_LENGTH];
    for _ in 0..ATTEMPTS {
        random(&mut bytes);
        // 32 divides 256: the remainder favours no symbol.
        let code: String =
            bytes.iter().filter_map(|b| ALPHABET.get(usize::from(b % 32))).map(|b| char::from(*b)).collect();
        if !in_use(&code) {
            return Ok(code);
        }
    }
    Err(CodeExhausted)
}
