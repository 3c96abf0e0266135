//! A text that was read completely.

use std::ops::Range;

/// The whole text: pipelines in order, each with what joins it to the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// At least one.
    pub steps: Vec<Step>,
}

/// One pipeline and when it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What stands before it.
    pub connector: Connector,
    /// The pipeline.
    pub pipeline: Pipeline,
}

/// When a pipeline runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connector {
    /// It is the first, or stands after `;`.
    Then,
    /// After `&&`: when the one before succeeded.
    And,
    /// After `||`: when the one before failed.
    Or,
}

/// Commands joined by `|`, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// In order.
    pub commands: Vec<Command>,
}

/// One simple command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// `NAME=value` before the command word, values literal.
    pub assignments: Vec<Assignment>,
    /// The command word and its operands, at least one.
    pub words: Vec<Word>,
    /// In the order written.
    pub redirections: Vec<Redirection>,
    /// Where it stands in the text, in bytes.
    pub span: Range<usize>,
}

/// `NAME=value` before a command word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The name.
    pub name: String,
    /// The value after quote removal.
    pub value: String,
}

/// A word before expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// In order; an empty quoted word has one empty literal.
    pub pieces: Vec<Piece>,
    /// Where it stands in the text, in bytes.
    pub span: Range<usize>,
}

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Characters that mean themselves, quotes removed.
    Literal(String),
    /// An unquoted `~` at the start of the word, alone or before `/`: the home directory.
    Home,
    /// `*`
    AnyRun,
    /// `?`
    AnyOne,
    /// `[...]`: the text between the brackets as the shell sees it.
    Class(String),
}

/// An allowed redirection (exec-approval 5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirection {
    /// `>/dev/null`, `1>/dev/null` and the appending forms.
    OutToNull,
    /// `2>/dev/null` and the appending form.
    ErrToNull,
    /// `2>&1`
    ErrToOut,
    /// `1>&2`
    OutToErr,
    /// `< file`: a word without wildcards.
    From(Word),
}

impl Word {
    /// The word's text when it needs no expansion.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        self.pieces
            .iter()
            .map(|p| match p {
                Piece::Literal(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Whether it holds a wildcard.
    #[must_use]
    pub fn is_pattern(&self) -> bool {
        self.pieces.iter().any(|p| matches!(p, Piece::AnyRun | Piece::AnyOne | Piece::Class(_)))
    }
}
