//! What every place of execution can do. It takes an [`AuthorizedCall`], which the gate alone can make, so there is no second path.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use oc_runner::protocol::{Exit, FileRequest, RunRequest};
use serde::Serialize;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::gate::AuthorizedCall;

/// Where a call acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// A container of the engine.
    Container,
    /// The sandbox that needs no engine.
    Native,
    /// The gateway host.
    Host,
    /// A paired node.
    Node,
    /// The gateway's own process: tools that start nothing and reach no file of a session.
    Gateway,
}

impl Place {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Native => "native",
            Self::Host => "host",
            Self::Node => "node",
            Self::Gateway => "gateway",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A future that an executor returns.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, ExecutorError>> + Send + 'a>>;

/// A place of execution.
pub trait Executor: fmt::Debug + Send + Sync {
    /// Which place this is.
    fn place(&self) -> Place;
    /// Starts a command. Everything that must exist before (container, sandbox) is made first.
    fn start<'a>(&'a self, call: &'a AuthorizedCall, run: RunRequest) -> Pending<'a, Running>;
    /// One file operation in the place's own view of the files. `content` is what a write stores.
    fn file<'a>(
        &'a self,
        call: &'a AuthorizedCall,
        request: FileRequest,
        content: Vec<u8>,
    ) -> Pending<'a, FileAnswer>;
}

/// A command that runs. Dropping it ends the command's whole process tree.
#[derive(Debug)]
pub struct Running {
    /// Output as it comes; the channel is bounded, so a slow reader slows the command down.
    pub output: mpsc::Receiver<Output>,
    /// Input and orders.
    pub orders: mpsc::Sender<Order>,
    /// How it ended, once the whole tree has.
    pub exit: oneshot::Receiver<Result<Exit, ExecutorError>>,
}

/// A piece of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Of standard output (or the terminal).
    Out(Vec<u8>),
    /// Of standard error.
    Err(Vec<u8>),
}

/// What can be asked of a running command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Bytes for its standard input.
    Input(Vec<u8>),
    /// No more input.
    EndInput,
    /// A new terminal size: columns, rows.
    Resize(u16, u16),
    /// End it.
    Kill,
}

/// What a file operation brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileAnswer {
    /// The bytes that were read.
    pub content: Vec<u8>,
    /// Size of the whole file.
    pub size: u64,
    /// SHA-256 of the content afterwards, hexadecimal.
    pub sha256: String,
    /// Entries of a listing: name, and one of `file`, `directory`, `link`, `other`.
    pub entries: Vec<(String, String)>,
}

/// Why a call could not be carried out. It never falls back to another place (SP-239).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExecutorError {
    /// The place cannot be had.
    #[error("no {place}: {cause}")]
    Unavailable {
        /// Which place.
        place: Place,
        /// Why, and what to do.
        cause: String,
    },
    /// It was there and went away while the call ran.
    #[error("the {place} went away while the call ran: {cause}")]
    Lost {
        /// Which place.
        place: Place,
        /// What was seen.
        cause: String,
    },
    /// The runner refused or failed; `code` is a stable word of the protocol.
    #[error("{message}")]
    Failed {
        /// Stable word (`not-found`, `escapes`, `spawn-failed` ...).
        code: String,
        /// One sentence.
        message: String,
    },
}
