//! Tokens of a `jq` filter.

use super::miss;
use crate::plan::Miss;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name that may be a function or a keyword.
    Function(&'a str),
    /// The name after `$`.
    Variable(&'a str),
    /// The name of an object's member.
    Key,
    Sign(char),
    /// A field, text, number or format.
    Other,
}

pub(super) struct Tokens<'a> {
    pub(super) list: Vec<Token<'a>>,
}

/// What is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Paren,
    Bracket,
    Brace,
    /// `\(` inside text.
    Insert,
}

struct Reader<'a> {
    rest: &'a str,
    list: Vec<Token<'a>>,
    open: Vec<Open>,
}

impl<'a> Tokens<'a> {
    pub(super) fn read(filter: &'a str) -> Result<Self, Miss> {
        let mut reader = Reader { rest: filter, list: Vec::new(), open: Vec::new() };
        while let Some(c) = reader.rest.chars().next() {
            reader.token(c)?;
        }
        if reader.open.is_empty() {
            Ok(Self { list: reader.list })
        } else {
            Err(miss("something is left open"))
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

impl<'a> Reader<'a> {
    fn skip(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn name(&mut self) -> &'a str {
        let length = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        self.skip(length)
    }

    fn token(&mut self, c: char) -> Result<(), Miss> {
        match c {
            ' ' | '\t' | '\n' => {
                self.skip(1);
            }
            '#' => {
                let length = self.rest.find('\n').unwrap_or(self.rest.len());
                if self.skip(length).ends_with('\\') {
                    return Err(miss("a comment that ends in a backslash"));
                }
            }
            '"' => {
                self.skip(1);
                self.text()?;
            }
            'a'..='z' | 'A'..='Z' | '_' => self.word()?,
            '.' => self.dot(),
            '0'..='9' => self.number(),
            '@' => {
                self.skip(1);
                self.name();
                self.list.push(Token::Other);
            }
            '(' | '[' | '{' => {
                self.open.push(match c {
                    '(' => Open::Paren,
                    '[' => Open::Bracket,
                    _ => Open::Brace,
                });
                self.sign(c);
            }
            ')' | ']' | '}' => self.close(c)?,
            '|' | ',' | ':' | ';' | '=' | '<' | '>' | '!' | '+' | '-' | '*' | '/' | '%' | '?' | '$' => {
                if self.rest.starts_with("::") {
                    return Err(miss("`::`, a name of a module"));
                }
                self.sign(c);
            }
            _ => return Err(miss(format!("`{c}`"))),
        }
        Ok(())
    }

    fn sign(&mut self, c: char) {
        self.skip(c.len_utf8());
        self.list.push(Token::Sign(c));
    }

    fn close(&mut self, c: char) -> Result<(), Miss> {
        match (self.open.pop(), c) {
            (Some(Open::Paren), ')') | (Some(Open::Bracket), ']') | (Some(Open::Brace), '}') => self.sign(c),
            (Some(Open::Insert), ')') => {
                self.sign(c);
                self.text()?;
            }
            _ => return Err(miss(format!("`{c}` closes nothing"))),
        }
        Ok(())
    }

    /// A field when a name follows at once; a number when a digit does; else the input itself, or `..`.
    fn dot(&mut self) {
        self.skip(1);
        let twice = self.rest.starts_with('.');
        if twice {
            self.skip(1);
        } else if self.rest.starts_with(is_name) {
            self.name();
        }
        self.list.push(Token::Other);
    }

    fn number(&mut self) {
        let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let whole = digits(self.rest);
        self.skip(whole);
        if let Some(rest) = self.rest.strip_prefix('.') {
            let fraction = digits(rest);
            self.skip(1 + fraction);
        }
        if let Some(rest) = self.rest.strip_prefix(['e', 'E']) {
            let unsigned = rest.strip_prefix(['+', '-']).unwrap_or(rest);
            if digits(unsigned) > 0 {
                self.skip(1 + rest.len() - unsigned.len() + digits(unsigned));
            }
        }
        self.list.push(Token::Other);
    }

    fn word(&mut self) -> Result<(), Miss> {
        let is_variable = self.list.last() == Some(&Token::Sign('$'));
        let starts_member = matches!(self.list.last(), Some(Token::Sign('{' | ',')));
        let is_key = starts_member && self.open.last() == Some(&Open::Brace);
        let name = self.name();
        if self.rest.starts_with("::") {
            return Err(miss("`::`, a name of a module"));
        }
        self.list.push(match (is_variable, is_key) {
            (true, _) => Token::Variable(name),
            (false, true) => Token::Key,
            (false, false) => Token::Function(name),
        });
        Ok(())
    }

    /// Up to the closing quote or the next `\(`.
    fn text(&mut self) -> Result<(), Miss> {
        let mut characters = self.rest.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '"' => {
                    self.skip(at + 1);
                    self.list.push(Token::Other);
                    return Ok(());
                }
                '\\' => match characters.next() {
                    Some((at, '(')) => {
                        self.skip(at + 1);
                        self.list.push(Token::Sign('('));
                        self.open.push(Open::Insert);
                        return Ok(());
                    }
                    Some(_) => {}
                    None => break,
                },
                _ => {}
            }
        }
        Err(miss("text without its closing quote"))
    }
}
