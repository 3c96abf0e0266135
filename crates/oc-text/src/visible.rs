//! Terminal-safe text (SP-015): what cannot be seen is written out, what is too long is cut.

#[cfg(test)]
mod tests;

/// Cap for one line of untrusted text when the caller has no better one, in characters.
pub const LINE_CAP: usize = 400;

/// Untrusted text for one line of a terminal, log or prompt: line breaks, control characters, escape sequences, bidirectional
/// and zero-width characters and odd spaces are written as `\n`, `\t`, `\u{202e}`; after `cap` characters of the input comes `…`.
#[must_use]
pub fn visible(text: &str, cap: usize) -> String {
    shown(text, cap, false)
}

/// Like [`visible`], but line feeds stay (a carriage return before one goes).
#[must_use]
pub fn visible_lines(text: &str, cap: usize) -> String {
    shown(text, cap, true)
}

fn shown(text: &str, cap: usize, keep_lines: bool) -> String {
    if text.len() <= cap && text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len().min(cap.saturating_mul(4)));
    let mut chars = text.chars().peekable();
    let mut count = 0usize;
    while let Some(c) = chars.next() {
        if count >= cap {
            out.push('…');
            break;
        }
        count += 1;
        match c {
            '\n' if keep_lines => out.push('\n'),
            '\r' if keep_lines && chars.peek() == Some(&'\n') => {}
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_plain(c) => out.push(c),
            c => {
                out.push_str("\\u{");
                out.push_str(&format!("{:x}", u32::from(c)));
                out.push('}');
            }
        }
    }
    out
}

/// Whether a character shows as itself: no control, format, bidirectional, zero-width, private-use character and no odd space.
#[must_use]
pub fn is_plain(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // Cc, Cf, Zl, Zp, Zs (but U+3000, the ideographic space), default-ignorable, private use, noncharacters.
    !matches!(u32::from(c),
        0x80..=0xA0 | 0xAD | 0x34F | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x890..=0x891 | 0x8E2
        | 0x115F..=0x1160 | 0x1680 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x2000..=0x200F | 0x2028..=0x202F
        | 0x205F..=0x206F | 0x2800 | 0x3164 | 0xE000..=0xF8FF | 0xFDD0..=0xFDEF | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0
        | 0xFFF0..=0xFFFB | 0xFFFE..=0xFFFF | 0x110BD | 0x110CD | 0x13430..=0x1345F | 0x1BCA0..=0x1BCA3
        | 0x1D173..=0x1D17A | 0xE0000..=0x10FFFF)
        && u32::from(c) & 0xFFFE != 0xFFFE
}
