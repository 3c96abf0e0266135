//! Which `sed` scripts only transform text (exec-approval 7.3).
//!
//! A whole reader of the language, by positive list: `e`, `r`, `R`, `w`, `W`, `F`, `v`, the `s` flags `e` and `w`, and whatever is not
//! understood, ask. Where `sed` implementations read a script differently, it is not understood either.

#[cfg(test)]
mod tests;

use super::delimited;
use crate::plan::Miss;

/// Judges a script; the parts of several `-e` are joined by line breaks, as `sed` joins them.
///
/// # Errors
/// `operand`: what in the script is not known to be free of side effects.
pub fn check(program: &str) -> Result<(), Miss> {
    let mut script = Script { rest: program, open: 0 };
    loop {
        script.skip(|c| matches!(c, ' ' | '\t' | ';' | '\n'));
        if script.rest.is_empty() {
            break;
        }
        script.command()?;
    }
    if script.open > 0 { Err(miss("`{` without `}`")) } else { Ok(()) }
}

fn miss(detail: impl Into<String>) -> Miss {
    Miss::new("operand", format!("sed script: {}", detail.into()))
}

struct Script<'a> {
    rest: &'a str,
    /// Blocks not yet closed.
    open: usize,
}

impl Script<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let c = characters.next();
        self.rest = characters.as_str();
        c
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.bump();
        }
        found
    }

    fn skip(&mut self, which: impl Fn(char) -> bool) -> usize {
        let rest = self.rest.trim_start_matches(which);
        let skipped = self.rest.len() - rest.len();
        self.rest = rest;
        skipped
    }

    fn blanks(&mut self) {
        self.skip(|c| matches!(c, ' ' | '\t'));
    }

    fn number(&mut self) -> bool {
        self.skip(|c| c.is_ascii_digit()) > 0
    }

    fn command(&mut self) -> Result<(), Miss> {
        let addressed = self.addresses()?;
        if self.take('!') {
            self.blanks();
        }
        let name = self.bump().ok_or_else(|| miss("an address without a command"))?;
        match name {
            '#' if !addressed => {
                if self.line().ends_with('\\') {
                    return Err(miss("a comment that ends in a backslash"));
                }
                Ok(())
            }
            '{' => {
                self.open += 1;
                Ok(())
            }
            '}' if !addressed => {
                self.open = self.open.checked_sub(1).ok_or_else(|| miss("`}` without `{`"))?;
                self.end()
            }
            '=' | 'd' | 'D' | 'g' | 'G' | 'h' | 'H' | 'n' | 'N' | 'p' | 'P' | 'x' | 'z' => self.end(),
            'q' | 'Q' | 'l' => {
                self.blanks();
                self.number();
                self.end()
            }
            ':' if addressed => Err(miss("an address before `:`")),
            ':' | 'b' | 't' | 'T' => {
                self.blanks();
                let label = self.skip(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
                if name == ':' && label == 0 {
                    return Err(miss("`:` without a label"));
                }
                self.end()
            }
            'a' | 'i' | 'c' => self.text(name),
            's' => self.substitute(),
            'y' => {
                let delimiter = self.delimiter('y')?;
                self.part(delimiter)?;
                self.part(delimiter)?;
                self.end()
            }
            'e' | 'r' | 'R' | 'w' | 'W' | 'F' => Err(miss(format!("command `{name}`"))),
            _ => Err(miss(format!("`{name}` where a command is expected"))),
        }
    }

    /// No, one or two addresses; whether there was one.
    fn addresses(&mut self) -> Result<bool, Miss> {
        if !self.address()? {
            return Ok(false);
        }
        self.blanks();
        if self.take(',') {
            self.blanks();
            let relative = matches!(self.peek(), Some('+' | '~'));
            if relative {
                self.bump();
            }
            let found = if relative { self.number() } else { self.address()? };
            if !found {
                return Err(miss("`,` without a second address"));
            }
            self.blanks();
        }
        Ok(true)
    }

    fn address(&mut self) -> Result<bool, Miss> {
        let delimiter = match self.peek() {
            Some('0'..='9') => {
                self.number();
                if self.take('~') && !self.number() {
                    return Err(miss("`~` without a step"));
                }
                return Ok(true);
            }
            Some('$') => {
                self.bump();
                return Ok(true);
            }
            Some('/') => {
                self.bump();
                '/'
            }
            Some('\\') => {
                self.bump();
                self.delimiter('\\')?
            }
            _ => return Ok(false),
        };
        self.part(delimiter)?;
        self.skip(|c| matches!(c, 'I' | 'M'));
        Ok(true)
    }

    fn substitute(&mut self) -> Result<(), Miss> {
        let delimiter = self.delimiter('s')?;
        self.part(delimiter)?;
        self.part(delimiter)?;
        self.skip(|c| matches!(c, 'g' | 'p' | 'i' | 'I' | 'm' | 'M' | '0'..='9'));
        match self.peek() {
            Some(flag @ ('e' | 'w')) => Err(miss(format!("flag `{flag}` of `s`"))),
            _ => self.end(),
        }
    }

    fn delimiter(&mut self, command: char) -> Result<char, Miss> {
        let found = self
            .bump()
            .filter(|c| c.is_ascii_punctuation() && !matches!(c, '\\' | '[' | ']' | ';' | '{' | '}'));
        found.ok_or_else(|| miss(format!("an unusual delimiter after `{command}`")))
    }

    fn part(&mut self, delimiter: char) -> Result<(), Miss> {
        let inside = delimited::read(self.rest, delimiter);
        let inside = inside.ok_or_else(|| miss(format!("no certain end `{delimiter}` of an expression")))?;
        self.rest = self.rest.get(inside.len() + 1..).unwrap_or_default();
        Ok(())
    }

    /// The text of `a`, `i` and `c` on the same line; `}` and `;` belong to it.
    fn text(&mut self, command: char) -> Result<(), Miss> {
        let line = self.line();
        if line.trim_matches([' ', '\t', '\\']).is_empty() {
            return Err(miss(format!("`{command}` without text on its line")));
        }
        if line.ends_with('\\') {
            return Err(miss(format!("text of `{command}` that goes on after its line")));
        }
        Ok(())
    }

    /// The rest of the line.
    fn line(&mut self) -> String {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        line.to_owned()
    }

    /// Nothing but what ends a command may follow.
    fn end(&mut self) -> Result<(), Miss> {
        self.blanks();
        match self.peek() {
            None | Some('}' | '#') => Ok(()),
            Some(';' | '\n') => {
                self.bump();
                Ok(())
            }
            Some(c) => Err(miss(format!("`{c}` after a command"))),
        }
    }
}
