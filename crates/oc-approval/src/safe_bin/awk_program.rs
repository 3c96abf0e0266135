//! Which `awk` programs only compute and print (exec-approval 7.3).
//!
//! Read token by token, by positive list, and only where `mawk`, `gawk`, `busybox awk` and the one true awk find the same tokens: the
//! one hard question of the language, whether `/` divides or opens an expression, is answered where all of them agree and is a miss
//! elsewhere (they differ after `x++`, after `length` and after `if (..)`).

#[cfg(test)]
mod tests;
mod token;

use std::collections::HashSet;

use crate::plan::Miss;
use token::{Token, Tokens};

/// Statements and patterns, without `switch`, `case`, `default` and `func`, which only some implementations know.
const KEYWORDS: [&str; 18] = [
    "BEGIN", "END", "break", "continue", "delete", "do", "else", "exit", "for", "function", "if", "in",
    "next", "nextfile", "print", "printf", "return", "while",
];

/// Functions that only compute.
const FUNCTIONS: [&str; 42] = [
    "and", "asort", "asorti", "atan2", "ceil", "chr", "compl", "cos", "exp", "floor", "gensub", "gsub",
    "index", "int", "isarray", "length", "log", "lshift", "ltrim", "match", "mkbool", "mktime", "or", "ord",
    "patsplit", "rand", "rshift", "rtrim", "sin", "split", "sprintf", "sqrt", "srand", "strftime",
    "strtonum", "sub", "substr", "systime", "tolower", "toupper", "typeof", "xor",
];

/// What reaches programs, files, the environment or the list of input files; and what changes how the program is read.
const REFUSED: [&str; 18] = [
    "ARGC",
    "ARGV",
    "ENVIRON",
    "FUNCTAB",
    "PROCINFO",
    "SYMTAB",
    "adump",
    "bindtextdomain",
    "close",
    "dcgettext",
    "dcngettext",
    "extension",
    "fflush",
    "func",
    "getline",
    "stopme",
    "switch",
    "system",
];

fn is_keyword(word: &str) -> bool {
    KEYWORDS.binary_search(&word).is_ok()
}

fn is_function(word: &str) -> bool {
    FUNCTIONS.binary_search(&word).is_ok()
}

/// Judges a program.
///
/// # Errors
/// `operand`: what in the program is not known to be free of side effects.
pub fn check(program: &str) -> Result<(), Miss> {
    let tokens = Tokens::read(program)?;
    let functions = tokens.functions();
    let mut walk = Walk { functions: &functions, parens: 0, braces: 0, brackets: 0, printing: false };
    for (i, token) in tokens.list.iter().enumerate() {
        walk.step(token, tokens.list.get(i + 1), i.checked_sub(1).and_then(|p| tokens.list.get(p)))?;
    }
    if walk.parens + walk.braces + walk.brackets > 0 { Err(miss("something is left open")) } else { Ok(()) }
}

fn miss(detail: impl Into<String>) -> Miss {
    Miss::new("operand", format!("awk program: {}", detail.into()))
}

/// Where in the program a token stands.
struct Walk<'a> {
    /// Defined by the program itself.
    functions: &'a HashSet<&'a str>,
    parens: usize,
    braces: usize,
    brackets: usize,
    /// In a `print` or `printf`, where `>` outside of parentheses names a file.
    printing: bool,
}

impl Walk<'_> {
    fn step(
        &mut self,
        token: &Token<'_>,
        next: Option<&Token<'_>>,
        before: Option<&Token<'_>>,
    ) -> Result<(), Miss> {
        match token {
            Token::Word(word) => self.word(word, next, before),
            Token::Number | Token::Text | Token::Expression => Ok(()),
            Token::Break => {
                // A statement goes on after these.
                let goes_on = matches!(before, Some(Token::Sign("," | "&&" | "||")));
                self.printing &= self.parens > 0 || goes_on;
                Ok(())
            }
            Token::Sign(sign) => self.sign(sign),
        }
    }

    fn word(&mut self, word: &str, next: Option<&Token<'_>>, before: Option<&Token<'_>>) -> Result<(), Miss> {
        if REFUSED.binary_search(&word).is_ok() {
            return Err(miss(format!("`{word}`")));
        }
        let is_called = next == Some(&Token::Sign("("));
        let known = || is_keyword(word) || is_function(word) || self.functions.contains(word);
        if is_called && !known() && before != Some(&Token::Word("in")) {
            return Err(miss(format!("`{word}(`, which is no function known to only compute")));
        }
        if matches!(word, "print" | "printf") {
            if self.parens > 0 || self.brackets > 0 || self.braces == 0 {
                return Err(miss(format!("`{word}` where no statement is expected")));
            }
            self.printing = true;
        }
        Ok(())
    }

    fn sign(&mut self, sign: &str) -> Result<(), Miss> {
        let less =
            |count: usize| count.checked_sub(1).ok_or_else(|| miss(format!("`{sign}` closes nothing")));
        match sign {
            "(" => self.parens += 1,
            ")" => self.parens = less(self.parens)?,
            "[" => self.brackets += 1,
            "]" => self.brackets = less(self.brackets)?,
            "{" | "}" if self.parens > 0 || self.brackets > 0 => {
                return Err(miss(format!("`{sign}` inside of an expression")));
            }
            "{" => {
                self.braces += 1;
                self.printing = false;
            }
            "}" => {
                self.braces = less(self.braces)?;
                self.printing = false;
            }
            ";" => self.printing &= self.parens > 0,
            ">" if self.printing && self.parens == 0 => {
                return Err(miss("`>` after `print`, which writes a file"));
            }
            _ => {}
        }
        Ok(())
    }
}
