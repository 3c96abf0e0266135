//! Which characters a text may hold at all, wherever they stand (exec-approval 5.2, points 3 and 4; SP-133).

use super::characters::is_blank;
use super::{MAX_BLANKS, MAX_BYTES};
use crate::{Reason, Unreadable};

/// Refuses what no place in a text makes harmless.
pub(super) fn check(text: &str) -> Result<(), Unreadable> {
    if let Some(at) = text.find('\0') {
        return Err(Unreadable { reason: Reason::Nul, at });
    }
    if text.trim().is_empty() {
        return Err(Unreadable { reason: Reason::Empty, at: 0 });
    }
    if text.len() > MAX_BYTES {
        return Err(Unreadable { reason: Reason::TooLong, at: MAX_BYTES });
    }
    let mut blanks = 0;
    for (at, c) in text.char_indices() {
        if let Some(reason) = refusal(c) {
            return Err(Unreadable { reason, at });
        }
        blanks = if is_blank(c) { blanks + 1 } else { 0 };
        if blanks > MAX_BLANKS {
            return Err(Unreadable { reason: Reason::TooLong, at });
        }
    }
    Ok(())
}

fn refusal(c: char) -> Option<Reason> {
    match c {
        ' ' | '\t' => None,
        '\n' | '\r' => Some(Reason::LineBreak),
        '!'..='~' => None,
        _ if c.is_control() || c.is_whitespace() || is_unseen(c) => Some(Reason::ControlChar),
        _ => None,
    }
}

/// Characters that a person does not see: the Unicode class Cf, and what Unicode says to draw as nothing. Variation selectors 15
/// and 16 stay allowed: names with emoji hold them.
fn is_unseen(c: char) -> bool {
    matches!(u32::from(c),
        0x00AD | 0x034F | 0x0600..=0x0605 | 0x061C | 0x06DD | 0x070F | 0x0890..=0x0891 | 0x08E2
        | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x2028..=0x202E
        | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0D | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
        | 0x110BD | 0x110CD | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A
        | 0xE0000..=0xE0FFF)
}
