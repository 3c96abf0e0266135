//! Tokens of an `awk` program.

use std::collections::HashSet;

use super::super::delimited;
use super::{is_function, is_keyword, miss};
use crate::plan::Miss;

/// The signs that start with a character, longest first. No `|`, `>>`, `|&`, `@`, `::` and no backslash outside of quotes: they are
/// misses.
fn signs(first: char) -> &'static [&'static str] {
    match first {
        '*' => &["**=", "**", "*=", "*"],
        '^' => &["^=", "^"],
        '+' => &["+=", "++", "+"],
        '-' => &["-=", "--", "-"],
        '/' => &["/=", "/"],
        '%' => &["%=", "%"],
        '&' => &["&&"],
        '|' => &["||"],
        '=' => &["==", "="],
        '<' => &["<=", "<"],
        '>' => &[">=", ">"],
        '!' => &["!=", "!~", "!"],
        '{' => &["{"],
        '}' => &["}"],
        '(' => &["("],
        ')' => &[")"],
        '[' => &["["],
        ']' => &["]"],
        ';' => &[";"],
        ',' => &[","],
        '?' => &["?"],
        ':' => &[":"],
        '~' => &["~"],
        '$' => &["$"],
        ' ' => &[" "],
        '\t' => &["\t"],
        _ => &[],
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    Number,
    /// `"..."`
    Text,
    /// `/.../`
    Expression,
    /// A line break.
    Break,
    Sign(&'static str),
}

pub(super) struct Tokens<'a> {
    pub(super) list: Vec<Token<'a>>,
}

/// What `/` means at a place.
enum Slash {
    Divides,
    Opens,
    /// Implementations differ, or nobody writes it.
    Unclear,
}

impl<'a> Tokens<'a> {
    pub(super) fn read(program: &'a str) -> Result<Self, Miss> {
        let mut reader = Reader { rest: program, list: Vec::new(), parens: Vec::new() };
        while let Some(c) = reader.rest.chars().next() {
            reader.token(c)?;
        }
        Ok(Self { list: reader.list })
    }

    /// Names that the program defines.
    pub(super) fn functions(&self) -> HashSet<&'a str> {
        let pairs = self.list.iter().zip(self.list.iter().skip(1));
        pairs
            .filter_map(|pair| match pair {
                (Token::Word("function"), Token::Word(name)) => Some(*name),
                _ => None,
            })
            .collect()
    }
}

struct Reader<'a> {
    rest: &'a str,
    list: Vec<Token<'a>>,
    /// For each open parenthesis, whether it belongs to `if`, `while` or `for`.
    parens: Vec<Paren>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Paren {
    Control,
    Other,
    /// Closed again: the last token closed a control parenthesis.
    ControlClosed,
}

impl<'a> Reader<'a> {
    fn skip(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn token(&mut self, c: char) -> Result<(), Miss> {
        match c {
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = self
                    .rest
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(self.rest.len());
                let word = self.skip(length);
                self.list.push(Token::Word(word));
            }
            '0'..='9' | '.' => self.number()?,
            '"' => self.text()?,
            '#' => {
                let length = self.rest.find('\n').unwrap_or(self.rest.len());
                if self.skip(length).ends_with('\\') {
                    return Err(miss("a comment that ends in a backslash"));
                }
                return Ok(());
            }
            '\n' => {
                self.skip(1);
                self.list.push(Token::Break);
            }
            '/' => match self.slash() {
                Slash::Divides => self.sign()?,
                Slash::Opens => {
                    self.skip(1);
                    let inside = delimited::read(self.rest, '/');
                    let length =
                        inside.ok_or_else(|| miss("an expression `/../` without a certain end"))?.len();
                    self.skip(length + 1);
                    self.list.push(Token::Expression);
                }
                Slash::Unclear => return Err(miss("a `/` that may divide or open an expression")),
            },
            _ => self.sign()?,
        }
        if self.list.last() != Some(&Token::Sign(")")) && self.parens.last() == Some(&Paren::ControlClosed) {
            self.parens.pop();
        }
        Ok(())
    }

    fn sign(&mut self) -> Result<(), Miss> {
        let first = self.rest.chars().next().unwrap_or(' ');
        let sign = signs(first).iter().copied().find(|s| self.rest.starts_with(s));
        let sign = sign.ok_or_else(|| miss(format!("`{first}`")))?;
        if self.rest.starts_with(">>") {
            return Err(miss("`>>`, which writes a file"));
        }
        if self.rest.starts_with("::") || self.rest.starts_with("||&") {
            return Err(miss("a sign that only some implementations know"));
        }
        if matches!(sign, " " | "\t") {
            self.skip(1);
            return Ok(());
        }
        match sign {
            "(" => {
                let control = matches!(self.list.last(), Some(Token::Word("if" | "while" | "for")));
                self.parens.push(if control { Paren::Control } else { Paren::Other });
            }
            ")" => {
                if self.parens.last() == Some(&Paren::ControlClosed) {
                    self.parens.pop();
                }
                if self.parens.pop() == Some(Paren::Control) {
                    self.parens.push(Paren::ControlClosed);
                }
            }
            _ => {}
        }
        self.skip(sign.len());
        self.list.push(Token::Sign(sign));
        Ok(())
    }

    /// Decimal, with nothing glued to it that some implementation could take for a part of it.
    fn number(&mut self) -> Result<(), Miss> {
        let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let whole = digits(self.rest);
        self.skip(whole);
        let mut fraction = 0;
        if self.rest.starts_with('.') {
            self.skip(1);
            fraction = digits(self.rest);
            self.skip(fraction);
        }
        if whole + fraction == 0 {
            return Err(miss("`.` without a digit"));
        }
        if let Some(exponent) = self.rest.strip_prefix(['e', 'E']) {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            let length = digits(unsigned);
            if length > 0 {
                self.skip(1 + exponent.len() - unsigned.len() + length);
            }
        }
        if self.rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')) {
            return Err(miss("a number with something glued to it"));
        }
        self.list.push(Token::Number);
        Ok(())
    }

    fn text(&mut self) -> Result<(), Miss> {
        let mut escaped = true;
        for (at, c) in self.rest.char_indices() {
            match c {
                '\n' => break,
                '"' if !escaped => {
                    self.skip(at + 1);
                    self.list.push(Token::Text);
                    return Ok(());
                }
                // The opening quote counts as escaped.
                _ => escaped = c == '\\' && !escaped,
            }
        }
        Err(miss("text without its closing quote"))
    }

    fn slash(&self) -> Slash {
        match self.list.last() {
            None | Some(Token::Break) => Slash::Opens,
            Some(Token::Sign(";" | "{" | "}" | "(" | "," | "!" | "~" | "!~" | "&&" | "||" | "?" | ":")) => {
                Slash::Opens
            }
            Some(Token::Sign(")")) if self.parens.last() == Some(&Paren::ControlClosed) => Slash::Unclear,
            Some(Token::Sign(")" | "]") | Token::Number | Token::Text) => Slash::Divides,
            Some(Token::Word("print" | "return")) => Slash::Opens,
            Some(Token::Word(word)) if !is_keyword(word) && !is_function(word) => Slash::Divides,
            Some(Token::Word(_) | Token::Sign(_) | Token::Expression) => Slash::Unclear,
        }
    }
}
