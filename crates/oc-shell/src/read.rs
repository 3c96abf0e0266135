//! From text to [`Line`].

mod alphabet;
mod characters;
mod class;
mod command;
#[cfg(test)]
mod tests;
mod word;

use crate::{Connector, Line, Pipeline, Reason, Step, Unreadable};
use characters::Characters;

/// Longest text that is read, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;
/// Most words in a text; assignments and the targets of redirections count.
pub const MAX_WORDS: usize = 256;
/// Most simple commands in a text.
pub const MAX_COMMANDS: usize = 32;
/// Longest run of blanks; a longer one hides what follows from a person.
pub const MAX_BLANKS: usize = 64;

/// Reads a command text (exec-approval 5.2).
///
/// Time and memory are linear in the length of the text; nothing recurses.
///
/// # Errors
/// [`Unreadable`]: the text may run something that this grammar does not describe, or shells read it differently.
pub fn read(text: &str) -> Result<Line, Unreadable> {
    alphabet::check(text)?;
    Reader { characters: Characters::new(text), words: 0, commands: 0 }.line()
}

/// Where reading stands.
struct Reader<'a> {
    characters: Characters<'a>,
    words: usize,
    commands: usize,
}

impl Reader<'_> {
    fn line(mut self) -> Result<Line, Unreadable> {
        let mut steps = Vec::new();
        let mut connector = Connector::Then;
        loop {
            self.characters.blanks();
            // A final `;` may end the text, `&&` and `||` may not.
            if self.at_end() && !steps.is_empty() && connector == Connector::Then {
                break;
            }
            steps.push(Step { connector, pipeline: self.pipeline()? });
            if self.at_end() {
                break;
            }
            connector = self.connector()?;
        }
        Ok(Line { steps })
    }

    fn connector(&mut self) -> Result<Connector, Unreadable> {
        let at = self.characters.at();
        match (self.characters.bump(), self.characters.peek()) {
            (Some(';'), Some(';')) => Err(self.stop_at(Reason::Parse, at)),
            (Some(';'), _) => Ok(Connector::Then),
            (Some('&'), Some('&')) => {
                self.characters.bump();
                Ok(Connector::And)
            }
            (Some('&'), Some('>')) => Err(self.stop_at(Reason::Redirection, at)),
            (Some('&'), _) => Err(self.stop_at(Reason::Background, at)),
            (Some('|'), Some('|')) => {
                self.characters.bump();
                Ok(Connector::Or)
            }
            _ => Err(self.stop_at(Reason::Parse, at)),
        }
    }

    fn pipeline(&mut self) -> Result<Pipeline, Unreadable> {
        let mut commands = vec![self.command()?];
        loop {
            self.characters.blanks();
            if self.characters.peek() != Some('|') || self.characters.peek_second() == Some('|') {
                return Ok(Pipeline { commands });
            }
            if self.characters.peek_second() == Some('&') {
                return Err(self.stop(Reason::Background));
            }
            self.characters.bump();
            commands.push(self.command()?);
        }
    }

    /// The end of the text, or a comment: where a word could begin, `#` begins a comment that nothing ends.
    fn at_end(&self) -> bool {
        matches!(self.characters.peek(), None | Some('#'))
    }

    fn stop(&self, reason: Reason) -> Unreadable {
        self.stop_at(reason, self.characters.at())
    }

    fn stop_at(&self, reason: Reason, at: usize) -> Unreadable {
        Unreadable { reason, at }
    }
}
