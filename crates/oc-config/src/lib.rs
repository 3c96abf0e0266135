//! From text to one typed configuration, and back without losing a comment.
//!
//! Question it answers: *what does the operator's configuration say, where does each value come from, and what would an
//! edit change?* Text, environment and file contents come in as values or through the [`Source`] trait; nothing here
//! touches the disk, the process environment, a clock or a random source.
//!
//! * [`environment`]: process variables, `.env` files, their precedence and deny rules (SP-057).
//! * [`location`]: which state directory and which file (audit spec 4.1).
//! * [`source`]: how file contents come in.
//! * [`issue`]: what is wrong, at which key, in which line, and the nearest valid key.
//!
//! Invariant: every value of a loaded tree has its origin (file, include, variable, default).
//! Invariant: absent, `null` and empty stay three different things (SP-060).
//! Invariant: a write keeps `${VAR}`, includes, comments and key order (SP-054).
//! Golden data: `fixtures/config`, `fixtures/seeds`.

pub mod environment;
pub mod issue;
pub mod location;
pub mod source;

pub use environment::Environment;
pub use issue::Issue;
pub use location::Locations;
pub use source::{ReadFailure, Source, SourceFile};
