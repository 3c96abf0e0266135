//! Why a call failed, as it goes over the wire.

use std::fmt;
use std::io;

use rustix::io::Errno;

use crate::protocol::Reply;

/// A stable word and one sentence, with paths in the runner's view only (SP-245).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    code: &'static str,
    message: String,
}

impl Refusal {
    /// A refusal with a word of [`Reply::Failed`].
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// What the system said about `what`.
    #[must_use]
    pub fn system(what: &str, error: &io::Error, otherwise: &'static str) -> Self {
        let code = match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOENT) => "not-found",
            Some(Errno::ACCESS | Errno::PERM) => "denied",
            Some(Errno::ROFS) => "read-only",
            Some(Errno::NOSPC | Errno::DQUOT | Errno::FBIG) => "no-space",
            Some(Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE) => "busy",
            _ => otherwise,
        };
        Self::new(code, format!("{what}: {error}"))
    }

    /// The reply.
    #[must_use]
    pub fn reply(self) -> Reply {
        Reply::Failed { code: self.code.to_owned(), message: self.message }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
