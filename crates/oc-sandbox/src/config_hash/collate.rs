//! The order of the reference release for keys and plain list values: a locale's, not that of code points.

use std::cmp::Ordering;

/// ASCII in locale order; a letter stands for both cases. Control characters that are not here are not looked at.
const ASCII: &str = "\t\n\u{b}\u{c}\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz";

/// The rank of a character without case; `None` when it does not count. Other scripts follow ASCII by code point: an approximation
/// that matters only for recognising containers of the reference release.
fn rank(c: char) -> Option<u32> {
    if c.is_ascii() {
        let c = c.to_ascii_lowercase();
        return ASCII.chars().position(|x| x == c).and_then(|i| u32::try_from(i).ok());
    }
    let folded = c.to_lowercase().next().unwrap_or(c);
    Some(u32::from(folded).saturating_add(128))
}

/// Compares two texts: first without case, then, at the first letter that differs in case, the small one comes first.
#[must_use]
pub fn collate(a: &str, b: &str) -> Ordering {
    let ranks = |s: &str| s.chars().filter_map(rank).collect::<Vec<_>>();
    let cases =
        |s: &str| s.chars().filter(|c| rank(*c).is_some()).map(char::is_uppercase).collect::<Vec<_>>();
    ranks(a).cmp(&ranks(b)).then_with(|| cases(a).cmp(&cases(b)))
}
