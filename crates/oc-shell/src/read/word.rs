//! Words: quotes, wildcards, tilde (exec-approval 5.2, points 5 and 6).

use std::ops::Range;

use super::characters::{ends_word, is_blank};
use super::{MAX_WORDS, Reader, class};
use crate::{Piece, Reason, Unreadable, Word};

/// A word and what its place in the command needs to know about how it was written.
pub(super) struct Written {
    pub(super) word: Word,
    /// Length of `NAME` when it was written `NAME=...` without quotes up to the `=`.
    pub(super) name: Option<usize>,
    /// Whether an unquoted `{` or `}` is in it.
    pub(super) braces: Braces,
}

/// Unquoted braces of a word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Braces {
    None,
    Some,
}

/// Collects the pieces of a word.
struct Builder {
    pieces: Vec<Piece>,
    /// Nothing before was quoted, escaped, a wildcard or a tilde.
    plain: bool,
    name: Option<usize>,
    open_brace: bool,
    braces: Braces,
}

impl Builder {
    fn push(&mut self, c: char) {
        match self.pieces.last_mut() {
            Some(Piece::Literal(text)) => text.push(c),
            _ => self.pieces.push(Piece::Literal(c.to_string())),
        }
    }

    fn push_str(&mut self, more: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Literal(text)) => text.push_str(more),
            _ => self.pieces.push(Piece::Literal(more.to_owned())),
        }
    }

    fn wildcard(&mut self, piece: Piece) {
        self.plain = false;
        self.pieces.push(piece);
    }

    fn last(&self) -> Option<char> {
        match self.pieces.last() {
            Some(Piece::Literal(text)) => text.chars().next_back(),
            _ => None,
        }
    }

    /// `NAME` before an unquoted `=`.
    fn equals(&mut self) {
        if let (true, None, [Piece::Literal(text)]) = (self.plain, self.name, self.pieces.as_slice())
            && is_name(text)
        {
            self.name = Some(text.len());
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether an unquoted byte may mean more than itself, or end a word. Every other character is a part of its word.
fn is_special(byte: u8) -> bool {
    matches!(
        byte,
        b'\''
            | b'"'
            | b'\\'
            | b'$'
            | b'`'
            | b'*'
            | b'?'
            | b'['
            | b'~'
            | b'{'
            | b'}'
            | b'='
            | b' '
            | b'\t'
            | b'|'
            | b'&'
            | b';'
            | b'('
            | b')'
            | b'<'
            | b'>'
    )
}

impl Reader<'_> {
    /// Reads the word that begins here.
    pub(super) fn word(&mut self) -> Result<Written, Unreadable> {
        let start = self.characters.at();
        self.words += 1;
        if self.words > MAX_WORDS {
            return Err(self.stop(Reason::TooLong));
        }
        let mut b =
            Builder { pieces: Vec::new(), plain: true, name: None, open_brace: false, braces: Braces::None };
        loop {
            let plain = self.characters.until(is_special);
            if !plain.is_empty() {
                b.push_str(plain);
            }
            match self.characters.peek() {
                Some(c) if !ends_word(c) => self.unquoted(&mut b, c)?,
                _ => break,
            }
        }
        let span = start..self.characters.at();
        self.finish(b, span)
    }

    fn unquoted(&mut self, b: &mut Builder, c: char) -> Result<(), Unreadable> {
        match c {
            '\'' => return self.single_quoted(b),
            '"' => return self.double_quoted(b),
            '\\' => {
                let at = self.characters.at();
                self.characters.bump();
                let next = self.characters.peek().ok_or_else(|| self.stop_at(Reason::Parse, at))?;
                b.plain = false;
                b.push(next);
            }
            // A lone `$` means itself; nothing may follow that could make it more.
            '$' => match self.characters.peek_second() {
                None => b.push('$'),
                Some(next) if is_blank(next) => b.push('$'),
                next => return Err(self.dollar(next)),
            },
            '`' => return Err(self.stop(Reason::Substitution)),
            '*' => b.wildcard(Piece::AnyRun),
            '?' => b.wildcard(Piece::AnyOne),
            '[' => {
                let inside = class::read(self.characters.rest()).ok_or_else(|| self.stop(Reason::Glob))?;
                b.wildcard(Piece::Class(inside.to_owned()));
                self.characters.skip(inside.len() + 2);
                return Ok(());
            }
            '~' => self.tilde(b)?,
            '{' | '}' => {
                b.open_brace |= c == '{';
                b.braces = Braces::Some;
                b.push(c);
            }
            '=' => {
                b.equals();
                b.push(c);
            }
            _ => b.push(c),
        }
        self.characters.bump();
        Ok(())
    }

    /// Alone or before `/` at the start of a word: the home directory. Elsewhere it means itself, except after `=` and `:`, where
    /// shells differ.
    fn tilde(&self, b: &mut Builder) -> Result<(), Unreadable> {
        if b.pieces.is_empty() {
            if self.characters.peek_second().is_some_and(|c| c != '/' && !ends_word(c)) {
                return Err(self.stop(Reason::Expansion));
            }
            b.wildcard(Piece::Home);
        } else if matches!(b.last(), Some('=' | ':')) {
            return Err(self.stop(Reason::Expansion));
        } else {
            b.push('~');
        }
        Ok(())
    }

    fn single_quoted(&mut self, b: &mut Builder) -> Result<(), Unreadable> {
        let open = self.characters.at();
        self.characters.bump();
        let (inside, _) =
            self.characters.rest().split_once('\'').ok_or_else(|| self.stop_at(Reason::Parse, open))?;
        b.plain = false;
        b.push_str(inside);
        self.characters.skip(inside.len() + 1);
        Ok(())
    }

    fn double_quoted(&mut self, b: &mut Builder) -> Result<(), Unreadable> {
        let open = self.characters.at();
        self.characters.bump();
        b.plain = false;
        loop {
            b.push_str(self.characters.until(|byte| matches!(byte, b'"' | b'`' | b'$' | b'\\')));
            match (self.characters.peek(), self.characters.peek_second()) {
                (None, _) => return Err(self.stop_at(Reason::Parse, open)),
                (Some('"'), _) => {
                    self.characters.bump();
                    return Ok(());
                }
                (Some('`'), _) => return Err(self.stop(Reason::Substitution)),
                // As in the end of an expression: what follows cannot name anything.
                (Some('$'), Some('"' | ' ' | '/' | '|' | ')' | ',')) => b.push('$'),
                (Some('$'), next) => return Err(self.dollar(next)),
                (Some('\\'), Some(next @ ('$' | '`' | '"' | '\\'))) => {
                    b.push(next);
                    self.characters.bump();
                }
                (Some(c), _) => b.push(c),
            }
            self.characters.bump();
        }
    }

    fn dollar(&self, next: Option<char>) -> Unreadable {
        self.stop(if next == Some('(') { Reason::Substitution } else { Reason::Expansion })
    }

    fn finish(&self, b: Builder, span: Range<usize>) -> Result<Written, Unreadable> {
        let word = Word { pieces: b.pieces, span };
        if b.open_brace && has_list(&word) {
            return Err(self.stop_at(Reason::Brace, word.span.start));
        }
        if word.is_pattern() && !is_same_everywhere(&word) {
            return Err(self.stop_at(Reason::Glob, word.span.start));
        }
        Ok(Written { word, name: b.name, braces: b.braces })
    }
}

/// Whether something in the word could make an open brace a brace expansion; quoted or not, to be on the safe side.
fn has_list(word: &Word) -> bool {
    let mut before = ' ';
    for piece in &word.pieces {
        let Piece::Literal(text) = piece else { continue };
        for c in text.chars() {
            if c == ',' || (c == '.' && before == '.') {
                return true;
            }
            before = c;
        }
    }
    false
}

/// Whether shells agree on what a pattern matches: no component that could match `.` or `..` (`.*`: some shells list both),
/// no `//` (some shells list it as `/`), no literal backslash beside a wildcard.
fn is_same_everywhere(word: &Word) -> bool {
    let mut component = Component::default();
    let mut before = ' ';
    for piece in &word.pieces {
        match piece {
            Piece::Literal(text) => {
                for c in text.chars() {
                    match c {
                        '\\' => return false,
                        '/' if component.could_be_dots() || before == '/' => return false,
                        '/' => component = Component::default(),
                        '.' => component.dots = true,
                        _ => component.others = true,
                    }
                    before = c;
                }
            }
            Piece::Home => component.others = true,
            Piece::AnyRun | Piece::AnyOne | Piece::Class(_) => {
                component.wild = true;
                before = '*';
            }
        }
    }
    !component.could_be_dots()
}

/// What a part of a path between slashes holds.
#[derive(Default)]
struct Component {
    dots: bool,
    others: bool,
    wild: bool,
}

impl Component {
    fn could_be_dots(&self) -> bool {
        self.wild && self.dots && !self.others
    }
}
