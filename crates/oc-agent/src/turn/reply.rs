//! Answers that are not sent.

use super::said::Said;

/// An answer that says nothing.
pub const NO_REPLY: &str = "NO_REPLY";
/// An answer to a heartbeat that found nothing.
pub const HEARTBEAT_OK: &str = "HEARTBEAT_OK";

/// Whether an answer is exactly a silent word, or nothing at all.
#[must_use]
pub fn is_silent(text: &str, said: &Said) -> bool {
    let text = text.trim();
    text.is_empty() || text == NO_REPLY || (said.is_heartbeat() && text == HEARTBEAT_OK)
}

/// Hands pieces of an answer on once it can be no silent reply any more.
#[derive(Debug, Default)]
pub(super) struct HeldBack {
    held: String,
    open: bool,
}

impl HeldBack {
    /// One more piece; what may be shown now.
    pub(super) fn take(&mut self, piece: &str) -> Option<String> {
        if self.open {
            return Some(piece.to_owned());
        }
        self.held.push_str(piece);
        let so_far = self.held.trim();
        if [NO_REPLY, HEARTBEAT_OK].iter().any(|word| word.starts_with(so_far)) {
            return None;
        }
        self.open = true;
        Some(std::mem::take(&mut self.held))
    }
}
