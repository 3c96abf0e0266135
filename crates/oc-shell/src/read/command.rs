//! Simple commands: assignments, words, redirections (exec-approval 5.2, 5.4, 8.2).

use super::word::{Braces, Written};
use super::{MAX_COMMANDS, Reader};
use crate::{Assignment, Command, Piece, Reason, Redirection, Unreadable, Word};

/// Words that a shell reserves, in any shell that this product knows.
const RESERVED: [&str; 26] = [
    "!",
    "{",
    "}",
    "[[",
    "]]",
    "case",
    "coproc",
    "do",
    "done",
    "elif",
    "else",
    "end",
    "esac",
    "fi",
    "for",
    "foreach",
    "function",
    "if",
    "in",
    "repeat",
    "select",
    "then",
    "time",
    "until",
    "while",
    "nocorrect",
];

impl Reader<'_> {
    pub(super) fn command(&mut self) -> Result<Command, Unreadable> {
        self.commands += 1;
        if self.commands > MAX_COMMANDS {
            return Err(self.stop(Reason::TooLong));
        }
        self.characters.blanks();
        let start = self.characters.at();
        let mut command = Command {
            assignments: Vec::new(),
            words: Vec::new(),
            redirections: Vec::new(),
            span: start..start,
        };
        loop {
            self.characters.blanks();
            match self.characters.peek() {
                None | Some('#' | ';' | '|' | '&') => break,
                Some('(' | ')') => return Err(self.stop(Reason::Compound)),
                Some(_) => self.part(&mut command)?,
            }
            command.span.end = self.characters.at();
        }
        if command.words.is_empty() {
            return Err(self.stop(match (self.characters.peek(), command.redirections.is_empty()) {
                (_, false) => Reason::Redirection,
                _ if !command.assignments.is_empty() => Reason::Assignment,
                _ => Reason::Parse,
            }));
        }
        Ok(command)
    }

    fn part(&mut self, command: &mut Command) -> Result<(), Unreadable> {
        if let Some(redirection) = self.redirection()? {
            command.redirections.push(redirection);
            return Ok(());
        }
        let written = self.word()?;
        self.is_parted(&written)?;
        if !command.words.is_empty() {
            command.words.push(written.word);
        } else if let Some(name) = written.name {
            command.assignments.push(self.assignment(&written.word, name)?);
        } else {
            self.is_command_word(&written)?;
            command.words.push(written.word);
        }
        Ok(())
    }

    fn assignment(&self, word: &Word, name: usize) -> Result<Assignment, Unreadable> {
        let literal = word.literal();
        let parts = literal.as_deref().and_then(|text| text.split_at_checked(name));
        let parts = parts.and_then(|(name, rest)| Some((name, rest.strip_prefix('=')?)));
        let (name, value) = parts.ok_or_else(|| self.stop_at(Reason::Assignment, word.span.start))?;
        Ok(Assignment { name: name.to_owned(), value: value.to_owned() })
    }

    /// A command word means one program whatever files there are, and is no word of the shell's own grammar.
    fn is_command_word(&self, written: &Written) -> Result<(), Unreadable> {
        let word = &written.word;
        if let [Piece::Literal(text)] = word.pieces.as_slice()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b'+'))
            && !text.is_empty()
            && !RESERVED.contains(&text.as_str())
        {
            return Ok(());
        }
        let text = || {
            word.pieces.iter().filter_map(|p| match p {
                Piece::Literal(text) => Some(text.as_str()),
                _ => None,
            })
        };
        let starts = |c: &[char]| {
            word.pieces.first().is_some_and(|p| matches!(p, Piece::Literal(t) if t.starts_with(c)))
        };
        let reason = if word.is_pattern() {
            Reason::Glob
        } else if !text().all(str::is_ascii) {
            Reason::NonAsciiCommand
        } else if written.braces == Braces::Some
            || word.literal().is_some_and(|t| RESERVED.contains(&t.as_str()))
        {
            Reason::Compound
        } else if starts(&['!', '^', '%']) {
            Reason::Expansion
        } else if text().any(|t| t.contains('=')) {
            Reason::Assignment
        } else if word.literal().is_some_and(|t| t.is_empty()) {
            Reason::Parse
        } else {
            return Ok(());
        };
        Err(self.stop_at(reason, word.span.start))
    }

    /// A redirection when one begins here.
    fn redirection(&mut self) -> Result<Option<Redirection>, Unreadable> {
        let rest = self.characters.rest();
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let Some(digits) = rest.strip_suffix(after) else { return Ok(None) };
        if !after.starts_with(['<', '>']) {
            return Ok(None);
        }
        let start = self.characters.at();
        let refuse = |reader: &Self| Err(reader.stop_at(Reason::Redirection, start));
        let form = if after.starts_with("<(") || after.starts_with(">(") {
            return Err(self.stop_at(Reason::Substitution, start));
        } else if after.starts_with(">>") {
            ">>"
        } else if after.starts_with(">&") {
            ">&"
        } else if after.starts_with('>') {
            ">"
        } else {
            "<"
        };
        self.characters.skip(digits.len() + form.len());
        self.characters.blanks();
        // Also `<<`, `<>`, `<&`, `>|`, a second redirection, the end of the text or a comment instead of a target.
        if self.characters.peek().is_none_or(|c| c == '#' || super::characters::ends_word(c)) {
            return refuse(self);
        }
        let target_at = self.characters.at();
        let target = self.word()?;
        self.is_parted(&target)?;
        let as_written = |text: &str| self.characters.since(target_at) == text;
        let literal = target.word.literal();
        let to_null = literal.as_deref() == Some("/dev/null");
        Ok(Some(match (digits, form) {
            ("" | "1", ">" | ">>") if to_null => Redirection::OutToNull,
            ("2", ">" | ">>") if to_null => Redirection::ErrToNull,
            ("2", ">&") if as_written("1") => Redirection::ErrToOut,
            ("1", ">&") if as_written("2") => Redirection::OutToErr,
            // An empty name is an error to the shells: they do not run the command.
            ("", "<") if !target.word.is_pattern() && literal.as_deref() != Some("") => {
                Redirection::From(target.word)
            }
            _ => return refuse(self),
        }))
    }

    /// A redirection right after a word is one only if nothing in the word can be taken for a descriptor: `22>`, `'2'>`, `{fd}>`.
    fn is_parted(&self, written: &Written) -> Result<(), Unreadable> {
        if !matches!(self.characters.peek(), Some('<' | '>')) {
            return Ok(());
        }
        let digits = written.word.literal().is_some_and(|t| t.bytes().all(|b| b.is_ascii_digit()));
        if digits || written.braces == Braces::Some {
            return Err(self.stop(Reason::Redirection));
        }
        Ok(())
    }
}
