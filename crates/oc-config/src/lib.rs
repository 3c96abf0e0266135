//! From text to one typed configuration, and back without losing a comment.
//!
//! Question it answers: *what does the operator's configuration say, where does each value come from, and what would an
//! edit change?* Text, environment and file contents come in as values or through the [`Source`] trait; nothing here
//! touches the disk, the process environment, a clock or a random source.
//!
//! * [`mod@load`]: the whole way: locations, `.env`, text, includes, variables, migrations, validation.
//! * [`location`]: which state directory and which file (audit spec 4.1).
//! * [`environment`], [`dotenv`]: process variables, `.env` files, their precedence and deny rules (SP-057).
//! * [`source`]: how file contents come in.
//! * [`span`]: time spans such as `1h30m`.
//! * [`document`]: JSON5 and TOML text to a tree with positions; YAML answered with its JSON5 form.
//! * [`mod@include`]: other files as parts of this one (SP-051).
//! * [`substitute`]: `${VAR}` in string values (SP-053).
//! * [`home_path`]: `~` in values that are paths (SP-069).
//! * [`edit`]: changes of the text that keep every other byte, and which file they go to (SP-054).
//! * [`explain`]: where a value comes from, what it shadows, who overrides it.
//! * [`what_if`]: edits in memory that are checked like a file.
//! * [`view`]: what may be shown, the same leaves hidden everywhere (SP-064).
//! * [`mod@write`], [`difference`], [`change_log`]: which writes are held back, what changed, and whether it widened access (SP-071).
//! * [`credential`]: a credential, and where it is kept (SP-066).
//! * [`issue`]: what is wrong, at which key, in which line, and the nearest valid key.
//! * [`schema`]: every key, what it may hold, and what it means for safety; [`setting`]: security settings as types.
//! * [`migrate`], [`moved`], [`validate`], [`defaults`]: older keys, the rules, what an absent key means (SP-050, SP-061, SP-068).
//! * [`json_schema`], [`mod@reference`]: the same tables for editors and for people.
//!
//! Invariant: every value of a loaded tree has its origin (file, include, variable, default).
//! Invariant: absent, `null` and empty stay three different things (SP-060).
//! Invariant: a write keeps `${VAR}`, includes, comments and key order (SP-054).
//! Golden data: `fixtures/config`, `fixtures/seeds`.

pub mod baseline;
pub mod change_log;
pub mod credential;
pub mod defaults;
pub mod difference;
pub mod document;
pub mod dotenv;
pub mod edit;
pub mod environment;
pub mod explain;
pub mod home_path;
pub mod include;
pub mod issue;
pub mod json_schema;
pub mod load;
pub mod location;
pub mod migrate;
pub mod moved;
pub mod reference;
pub mod schema;
pub mod setting;
pub mod source;
pub mod span;
pub mod substitute;
pub mod validate;
pub mod view;
pub mod what_if;
pub mod write;

pub use document::Format;
pub use environment::Environment;
pub use issue::Issue;
pub use load::{LoadRequest, Loaded, LoadedFile, Reading, load};
pub use location::{Locations, Overrides};
pub use source::{ReadFailure, Source, SourceFile};
pub use substitute::Reference;
