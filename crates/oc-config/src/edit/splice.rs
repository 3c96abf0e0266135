//! Replacing parts of a text, and finding the way between them.

use std::ops::Range;

/// One replaced part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

impl Splice {
    pub(super) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { range: at..at, text: text.into() }
    }

    pub(super) fn remove(range: Range<usize>) -> Self {
        Self { range, text: String::new() }
    }

    pub(super) fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { range, text: text.into() }
    }
}

/// The text with its parts replaced. Parts are in order and do not overlap; two insertions at one place keep their order.
pub(super) fn spliced(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort_by_key(|s| (s.range.start, s.range.end));
    let mut out = String::with_capacity(text.len() + 64);
    let mut done = 0;
    for s in splices {
        out.push_str(text.get(done..s.range.start)?);
        out.push_str(&s.text);
        done = s.range.end;
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

/// Blanks of one line.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() && !is_break(c)
}

/// What ends a line in JSON5.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// The text from an offset on.
pub(super) fn rest(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

/// Past the blanks of this line.
pub(super) fn past_blanks(text: &str, at: usize) -> usize {
    at + rest(text, at).chars().take_while(|c| is_blank(*c)).map(char::len_utf8).sum::<usize>()
}

/// Past the line break at this place, if there is one.
pub(super) fn past_break(text: &str, at: usize) -> usize {
    let r = rest(text, at);
    if r.starts_with("\r\n") {
        return at + 2;
    }
    at + r.chars().next().filter(|c| is_break(*c)).map_or(0, char::len_utf8)
}

/// The end of the comment that starts at this place.
pub(super) fn past_comment(text: &str, at: usize) -> Option<usize> {
    let r = rest(text, at);
    if let Some(body) = r.strip_prefix("/*") {
        return body.find("*/").map(|i| at + 2 + i + 2);
    }
    r.starts_with("//").then(|| at + r.find(is_break).unwrap_or(r.len()))
}

/// Past blanks, line breaks and comments.
pub(super) fn past_trivia(text: &str, mut at: usize) -> usize {
    loop {
        let r = rest(text, at);
        let blanks: usize =
            r.chars().take_while(|c| c.is_whitespace() || *c == '\u{feff}').map(char::len_utf8).sum();
        at += blanks;
        match past_comment(text, at) {
            Some(end) => at = end,
            None => return at,
        }
    }
}

/// The comma after a member or element that ends at `at`, if one follows.
pub(super) fn comma_after(text: &str, at: usize) -> Option<usize> {
    let next = past_trivia(text, at);
    rest(text, next).starts_with(',').then_some(next)
}

/// The start of the line that holds an offset.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.char_indices().rev().find(|(_, c)| is_break(*c)).map_or(0, |(i, c)| i + c.len_utf8())
}

/// The blanks before an offset when nothing else stands before it on its line.
pub(super) fn indent_before(text: &str, at: usize) -> Option<&str> {
    let before = text.get(line_start(text, at)..at)?;
    before.chars().all(is_blank).then_some(before)
}

/// Whether a part of the text has a line break.
pub(super) fn has_break(text: &str, range: Range<usize>) -> bool {
    text.get(range).is_some_and(|t| t.contains(is_break))
}
