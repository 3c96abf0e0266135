//! How much of anything: before it is held in memory, and before it is waited for.

use std::time::Duration;

/// Largest message of a client or a server, in bytes. Pictures of 5 MiB fit in base64.
pub const MESSAGE_BYTES: usize = 8 * 1024 * 1024;
/// Most tools of one server; the others are left out, and that is said.
pub const TOOLS: usize = 256;
/// Longest name of a tool, in bytes.
pub const NAME_BYTES: usize = 128;
/// Longest description of a tool, in characters; the rest is cut.
pub const DESCRIPTION_CHARS: usize = 4_000;
/// Largest schema of a tool, in bytes of JSON; a tool with a larger one is left out.
pub const SCHEMA_BYTES: usize = 64 * 1024;
/// Most characters of text in one result.
pub const RESULT_CHARS: usize = 400_000;
/// Most pieces of one result.
pub const RESULT_PIECES: usize = 64;
/// Most pages of one list.
pub const PAGES: usize = 32;
/// How long a server may take to say who it is.
pub const START: Duration = Duration::from_secs(30);
/// How long a server may take for a list.
pub const LIST: Duration = Duration::from_secs(30);
/// How long a server may take for one call, unless told otherwise.
pub const CALL: Duration = Duration::from_secs(120);
/// How long a server that is told to go may take.
pub const STOP: Duration = Duration::from_secs(3);
/// Most sessions over HTTP at one time.
pub const SESSIONS: usize = 32;
/// Most connections over HTTP at one time.
pub const CONNECTIONS: usize = 128;
/// How long a head of an HTTP request may take.
pub const HEAD: Duration = Duration::from_secs(10);
/// A call that takes longer than this says that it still goes on, again and again.
pub const PROGRESS: Duration = Duration::from_secs(5);
/// How long a listener rests that the system gave no connection to.
pub const PAUSE: Duration = Duration::from_millis(100);
