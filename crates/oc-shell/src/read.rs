//! From text to [`Line`].

use crate::{Line, Reason, Unreadable};

/// Longest text that is read, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;
/// Most words in a text.
pub const MAX_WORDS: usize = 256;
/// Most simple commands in a text.
pub const MAX_COMMANDS: usize = 32;
/// Longest run of blanks; a longer one hides what follows from a person.
pub const MAX_BLANKS: usize = 64;

/// Reads a command text.
///
/// # Errors
/// [`Unreadable`]: the text may run something that this grammar does not describe.
pub fn read(text: &str) -> Result<Line, Unreadable> {
    if text.len() > MAX_BYTES {
        return Err(Unreadable { reason: Reason::TooLong, at: MAX_BYTES });
    }
    Err(Unreadable { reason: Reason::Parse, at: 0 })
}
