//! Byte offsets -> lines and columns.

use oc_types::Position;

/// The line starts of a text. Lines end at `\n`, `\r\n`, `\r`, and (as JSON5 has it) U+2028 and U+2029.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// How many characters begin before each multiple of [`BLOCK`] bytes: a file may be one long line, and counting from its start
    /// for every value would take quadratic time (SP-016).
    before: Vec<usize>,
}

const BLOCK: usize = 256;

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut starts = vec![0];
        let mut before = Vec::with_capacity(text.len() / BLOCK + 1);
        let mut count = 0;
        let mut after_return = false;
        for (at, c) in text.char_indices() {
            while before.len() * BLOCK <= at {
                before.push(count);
            }
            count += 1;
            if after_return && c == '\n' {
                starts.pop();
            }
            after_return = c == '\r';
            if ends_line(c) {
                starts.push(at + c.len_utf8());
            }
        }
        while before.len() * BLOCK <= text.len() {
            before.push(count);
        }
        Self { text, starts, before }
    }

    /// The position of a byte offset; offsets past the end or inside a character are moved back to the nearest character.
    pub(super) fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|s| *s <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let column = self.characters(offset).saturating_sub(self.characters(start)) + 1;
        Position::new(number(line), number(column))
    }

    /// How many characters begin before a byte offset.
    fn characters(&self, offset: usize) -> usize {
        let block = offset / BLOCK;
        let bytes = self.text.as_bytes().get(block * BLOCK..offset).unwrap_or_default();
        let begun = bytes.iter().filter(|b| (**b & 0xC0) != 0x80).count();
        self.before.get(block).copied().unwrap_or(0) + begun
    }
}

/// Whether a character ends a line.
pub(super) fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// A count as the 32-bit number of a position; texts are far below that limit.
pub(super) fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts from the start of the text, character by character.
    fn naive(text: &str, offset: usize) -> Position {
        let before = text.get(..offset).unwrap();
        let joined = before.replace("\r\n", "\n");
        let inside = before.ends_with('\r') && text.get(offset..).unwrap().starts_with('\n');
        let line_text = joined.rsplit(ends_line).next().unwrap();
        if inside {
            // Between the two halves of one line end: still on the line it ends.
            let line = before.trim_end_matches('\r');
            let mut p = naive(text, line.len());
            p.column += 1;
            return p;
        }
        Position::new(
            number(joined.chars().filter(|c| ends_line(*c)).count() + 1),
            number(line_text.chars().count() + 1),
        )
    }

    #[test]
    fn agrees_with_counting_from_the_start() {
        let long = format!("{}\n{}", "あa".repeat(300), "b\r".repeat(300));
        for text in ["", "a", "a\nb", "a\r\nb\rc\u{2028}d", "\r\n\r\n", "日本\n語", "\n\r", long.as_str()]
        {
            let lines = Lines::new(text);
            for offset in (0..=text.len()).filter(|o| text.is_char_boundary(*o)) {
                assert_eq!(lines.position(offset), naive(text, offset), "{text:?} {offset}");
            }
        }
    }
}
