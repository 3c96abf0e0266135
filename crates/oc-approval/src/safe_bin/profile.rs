//! What a profile says about one program: its options, its operands, and why some are refused.

mod options;
mod parse;

#[cfg(test)]
mod tests;

pub(super) use options::Options;
pub use parse::BadProfile;

use super::reads::Walk;

/// The largest number of operands that a profile can speak of.
pub(super) const ANY_NUMBER: usize = usize::MAX;

/// How a program may be used without asking.
///
/// Read once a process; what is asked of it is found by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub(super) program: String,
    pub(super) also: Vec<String>,
    pub(super) kind: Kind,
    pub(super) says: String,
    pub(super) dialect: Dialect,
    pub(super) digits: Digits,
    pub(super) plus: Plus,
    pub(super) terminal: TerminalRule,
    pub(super) options: Options,
    pub(super) operands: Operands,
    pub(super) recursion: Option<Recursion>,
    pub(super) forms: Vec<Form>,
}

/// Whether operands may name files (SP-166).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Works on its input alone; no argument names a file (SP-163).
    Filter,
    /// Reads the files that its operands name, within the read rule.
    Reader,
}

/// How the program splits its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// GNU `getopt_long`: options among operands, clusters, abbreviated long names.
    Getopt,
    /// The same up to the first operand.
    GetoptStop,
    /// Whole words; single letters may be bundled; values follow as arguments of their own.
    Words,
    /// Every argument is an operand.
    Plain,
    /// Starting points, then an expression.
    Find,
    /// `getopt_long` after an old-style first word.
    Tar,
    /// Info-ZIP's `unzip`.
    Unzip,
    /// The pager `less`.
    Less,
}

/// Where a number may follow a single dash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digits {
    /// Nowhere.
    None,
    /// Anywhere, as one flag a digit (`grep -5`).
    Flags,
    /// As the first argument, with some letters (`head -5c`).
    First(&'static str),
    /// As an argument of its own (`more -20`).
    Whole,
    /// Behind an argument that starts with `+` (`sort +1 -2`).
    Key,
}

/// Whether `+5`, `+G` and `+/text` are options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plus {
    /// They are operands.
    Operand,
    /// They say where to start; anything else behind a plus is a command.
    Start,
}

/// Whether the program is harmless only without a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TerminalRule {
    /// It makes no difference.
    Any,
    /// It must have none.
    Absent,
}

/// One option under all its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OptionRule {
    pub(super) names: Vec<String>,
    pub(super) takes: Takes,
}

/// What an option takes, or why it is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing.
    Nothing,
    /// A value.
    Value(Meaning),
    /// Two values.
    Two,
    /// A value in the same argument, or none.
    Attached,
    /// It is refused: why, in words.
    Denied(String),
}

/// What a value or an operand means to the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Text that the program works with; never a file.
    Text,
    /// A number, or several.
    Number,
    /// One of these words.
    OneOf(Vec<String>),
    /// A file whose content is read.
    File,
    /// An archive: a file that is never on another host.
    Archive,
    /// A path of which names and dates are shown.
    Listed,
    /// Words that are shown; wildcards among them list names.
    Shown,
    /// A command name to look for.
    Command,
    /// `+FORMAT`.
    DateFormat,
    /// A date in words.
    DateText,
    /// A program for `awk`.
    AwkProgram,
    /// `name=value`.
    AwkAssignment,
    /// A file or `name=value`.
    AwkInput,
    /// A script for `sed`.
    SedScript,
    /// A filter for `jq`.
    JqFilter,
    /// Text that cannot be taken for a path, of a program that is only known from the configuration.
    Spelled,
}

/// What the operands are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Operands {
    /// One after the other; the last one is repeated.
    pub(super) mean: Vec<Meaning>,
    /// Options that stand for the first operand.
    pub(super) first_by: Vec<String>,
    pub(super) least: usize,
    pub(super) most: usize,
    /// What is looked at when there is no operand.
    pub(super) without: Option<String>,
}

/// When the program goes down into directories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recursion {
    /// Options that make it; empty: it always does.
    pub(super) options: Vec<String>,
    /// Options that make it follow links on the way.
    pub(super) follows: Vec<String>,
    pub(super) links: Links,
    pub(super) what: What,
}

/// What it does with links on the way when no option says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    /// They are passed by.
    Passed,
    /// They are followed.
    Followed,
}

/// What is looked at on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Names,
    Contents,
}

/// One way of using the program: these options, this many operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) needs: Vec<String>,
    pub(super) least: usize,
    pub(super) most: usize,
}

impl Profile {
    /// Reads a profile from its TOML text.
    ///
    /// # Errors
    /// A key that is not known, missing or of the wrong type, or an option named twice.
    pub fn parse(text: &str) -> Result<Self, BadProfile> {
        parse::profile(text)
    }

    /// The program's name, then the names of programs that are used the same way.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.program.as_str()).chain(self.also.iter().map(String::as_str))
    }

    /// Whether its operands may name files.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What the program does, in one sentence.
    #[must_use]
    pub fn says(&self) -> &str {
        &self.says
    }

    /// The refused options and why, in the order of the file.
    pub fn denied(&self) -> impl Iterator<Item = (&[String], &str)> {
        self.options.iter().filter_map(|rule| match &rule.takes {
            Takes::Denied(why) => Some((rule.names.as_slice(), why.as_str())),
            Takes::Nothing | Takes::Value(_) | Takes::Two | Takes::Attached => None,
        })
    }

    pub(super) fn needs_no_terminal(&self) -> bool {
        self.terminal == TerminalRule::Absent
    }

    /// The rule of an option by one of its names, exactly.
    pub(super) fn rule(&self, name: &str) -> Option<&OptionRule> {
        self.options.get(name)
    }
}

impl OptionRule {
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }

    pub(super) fn is_one_of(&self, names: &[String]) -> bool {
        names.iter().any(|name| self.has(name))
    }
}

impl Recursion {
    pub(super) fn walk(&self, follows: bool) -> Walk {
        match (self.what, follows || self.links == Links::Followed) {
            (What::Names, false) => Walk::Names,
            (What::Names, true) => Walk::NamesThroughLinks,
            (What::Contents, false) => Walk::Contents,
            (What::Contents, true) => Walk::ContentsThroughLinks,
        }
    }
}
