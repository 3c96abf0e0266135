//! What does this shell text run, exactly - or can that not be said?
//!
//! A positive-list grammar (exec-approval 5.2): what every POSIX shell reads the same way is read, and everything else is
//! [`Unreadable`] with its reason. There is no second reader of command text in the product (SP-139).
//!
//! Pure and linear in the length of the text. It expands nothing: tilde and wildcards stay marked pieces of a [`Word`], which the
//! command analysis expands with the file system's facts.
//!
//! Invariant: for every text that is read, `bash -c` and `dash -c` run the same argument vectors (SP-130).

mod line;
mod read;
mod unreadable;

pub use line::{Assignment, Command, Connector, Line, Piece, Pipeline, Redirection, Step, Word};
pub use read::{MAX_BLANKS, MAX_BYTES, MAX_COMMANDS, MAX_WORDS, read};
pub use unreadable::{Reason, Unreadable};
