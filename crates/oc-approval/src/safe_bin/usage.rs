//! One use of a safe program, as its profile judges it.

/// The command as the analysis expanded it.
#[derive(Clone, Debug)]
pub struct Usage<'a> {
    /// The profile's name: the base name of the program.
    pub name: &'a str,
    /// Everything after the command word.
    pub arguments: &'a [Argument],
    /// Where its standard input comes from.
    pub input: Input,
    /// Whether the request asks for a terminal.
    pub terminal: Terminal,
}

/// An argument after expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its text.
    pub text: String,
    /// Whether a wildcard or tilde made it.
    pub made_by: MadeBy,
}

/// Where an argument comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeBy {
    /// It was written so.
    Text,
    /// A wildcard's result.
    Wildcard,
    /// A tilde expansion.
    Home,
}

/// Where standard input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Nothing: it is empty.
    Empty,
    /// The command before it in the pipeline, or a file that was judged.
    Piped,
}

/// Whether there is a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// No.
    Absent,
    /// Yes: programs that page can be told to run others.
    Present,
}
