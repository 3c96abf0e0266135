//! The text, one character at a time.

/// Whether words are parted by it.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Whether an unquoted one ends a word.
pub(super) fn ends_word(c: char) -> bool {
    is_blank(c) || matches!(c, '|' | '&' | ';' | '(' | ')' | '<' | '>')
}

/// A place in a text.
pub(super) struct Characters<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Characters<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// In bytes from the start.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What is still to be read.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// What was read from a place on.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn peek_second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Takes all that follows up to a byte, which is ASCII, that the given function stops at.
    pub(super) fn until(&mut self, stops: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(stops).unwrap_or(rest.len());
        let taken = rest.get(..length).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    /// Passes over a number of bytes; only whole characters that were seen in [`Characters::rest`].
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes).min(self.text.len());
    }

    pub(super) fn blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.bump();
        }
    }
}
