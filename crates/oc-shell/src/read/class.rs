//! Bracket expressions of wildcards.

/// Reads `[...]` at the start of a text: the text between the brackets, or nothing where shells may differ.
///
/// Only the plain form: an optional `!`, then letters, digits and `_.,@%+` that stand for themselves, and ranges within the small
/// letters, the capital letters or the digits. `[^..]`, named classes, `]` and `-` as members, an open bracket: not read.
pub(super) fn read(rest: &str) -> Option<&str> {
    let inside = rest.strip_prefix('[')?.split_once(']')?.0;
    let members = inside.strip_prefix('!').unwrap_or(inside);
    let mut left = members.bytes();
    let mut before = None;
    while let Some(byte) = left.next() {
        let is_member =
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b',' | b'@' | b'%' | b'+');
        before = match (byte, before) {
            (b'-', Some(from)) => {
                ranges(from, left.next()?).then_some(())?;
                None
            }
            _ if is_member => Some(byte),
            _ => return None,
        };
    }
    (!members.is_empty()).then_some(inside)
}

fn ranges(from: u8, to: u8) -> bool {
    let is = |kind: fn(&u8) -> bool| kind(&from) && kind(&to);
    from <= to && (is(u8::is_ascii_lowercase) || is(u8::is_ascii_uppercase) || is(u8::is_ascii_digit))
}
