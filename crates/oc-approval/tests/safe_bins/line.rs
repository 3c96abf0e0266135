//! Lines judged without a host: one command a line, a read rule that goes by spelling.

use oc_approval::plan::Miss;
use oc_approval::safe_bin::catalogue::Catalogue;
use oc_approval::safe_bin::judge;
use oc_approval::safe_bin::reads::{ReadRule, Walk};
use oc_approval::safe_bin::usage::{Argument, Input, MadeBy, Terminal, Usage};
use oc_shell::Piece;

/// A read rule over a few spellings; the home is `/home/u`.
#[derive(Debug)]
pub struct Spelling;

impl ReadRule for Spelling {
    fn read(&self, operand: &str) -> Result<(), Miss> {
        let protected = ["/etc/shadow", "id_rsa", ".env", ".ssh", "/environ", "/dev/"];
        if protected.iter().any(|name| operand.contains(name)) {
            return Err(Miss::new("protected-path", operand));
        }
        Ok(())
    }

    fn list(&self, operand: &str) -> Result<(), Miss> {
        self.read(operand)
    }

    fn walk(&self, operand: &str, _what: Walk) -> Result<(), Miss> {
        if ["/", "/home", "/root", "/home/u", ".."].contains(&operand.trim_end_matches('/')) || operand == "/"
        {
            return Err(Miss::new("protected-path", operand));
        }
        self.read(operand)
    }
}

/// The words of a line that is one command; wildcards stay as they are written.
pub fn words(line: &str) -> Vec<Argument> {
    let read = oc_shell::read(line).unwrap_or_else(|e| panic!("{line}: {e:?}"));
    let commands: Vec<_> = read.steps.iter().flat_map(|s| &s.pipeline.commands).collect();
    assert_eq!(commands.len(), 1, "{line}");
    commands[0].words.iter().map(|word| argument(&word.pieces)).collect()
}

fn argument(pieces: &[Piece]) -> Argument {
    let mut made_by = MadeBy::Text;
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(part) => text.push_str(part),
            Piece::Home => {
                made_by = MadeBy::Home;
                text.push_str("/home/u");
            }
            other => panic!("{other:?} needs a disk"),
        }
    }
    Argument { text, made_by }
}

pub fn judged(words: &[Argument], catalogue: &Catalogue, terminal: Terminal) -> Result<(), Miss> {
    let (name, arguments) = words.split_first().unwrap();
    judge(&Usage { name: &name.text, arguments, input: Input::Empty, terminal }, catalogue, &Spelling)
}

pub fn verdict(line: &str) -> Result<(), Miss> {
    judged(&words(line), &Catalogue::default(), Terminal::Absent)
}

/// Arguments as they are; a text that starts with `*` stands for a file name that a wildcard found.
pub fn plain(words: &[&str]) -> Vec<Argument> {
    let one = |word: &&str| match word.strip_prefix('*') {
        Some(name) => Argument { text: name.to_owned(), made_by: MadeBy::Wildcard },
        None => Argument { text: (*word).to_owned(), made_by: MadeBy::Text },
    };
    words.iter().map(one).collect()
}
