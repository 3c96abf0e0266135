//! A running MCP server: its tools, one call, typed failures. The module that the agent's runtime and the proxy use a server through.
//!
//! Invariant: what is not in the last list of [`McpServer::tools`], or changed since it was seen first, is not called.
//! Invariant: the server and everything it started end with this value.

mod process;
mod sieve;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value as Json};
use thiserror::Error;
use tokio::sync::watch;

use crate::limits;
use crate::names::ServerName;
use crate::offer::{Ask, Kinds, Reply};
use crate::pins::Pins;
use crate::sdk::{Connection, Failure};
use crate::spec::ServerSpec;

pub use process::Says;
pub use sieve::{Listed, Withheld};

use process::{LastWords, Process};

/// Why a server brought nothing.
#[derive(Debug, Error)]
pub enum ServerFailure {
    /// Its program could not be started.
    #[error("the MCP server `{server}` could not be started: {command}: {cause}")]
    NotStarted {
        /// Its name.
        server: ServerName,
        /// Its program.
        command: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// It has no such tool, or none that may be called.
    #[error("the MCP server `{server}` has no tool `{tool}`")]
    NoSuchTool {
        /// Its name.
        server: ServerName,
        /// The tool.
        tool: String,
    },
    /// The tool is not what it was.
    #[error(
        "the tool `{tool}` of the MCP server `{server}` changed after it was seen first; it is withheld until the server is started again"
    )]
    Changed {
        /// Its name.
        server: ServerName,
        /// The tool.
        tool: String,
    },
    /// It failed.
    #[error("the MCP server `{server}`: {failure}{}", last(.last_words))]
    Failed {
        /// Its name.
        server: ServerName,
        /// How.
        failure: Failure,
        /// The last line that it wrote to its standard error, made printable; empty for none.
        last_words: String,
    },
}

fn last(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!("; its last words: {words}") }
}

/// A running server.
pub struct McpServer {
    name: ServerName,
    connection: Connection,
    process: Mutex<Option<Process>>,
    last_words: LastWords,
    call_timeout: Duration,
    changes: watch::Receiver<u64>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    pins: Pins,
    names: BTreeSet<String>,
}

impl fmt::Debug for McpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpServer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl McpServer {
    /// Starts a server and waits until it has said who it is. `says` hears each line of its standard error, made printable.
    ///
    /// # Errors
    /// See [`ServerFailure`]. What was started has ended then.
    pub async fn start(spec: &ServerSpec, says: Says) -> Result<Self, ServerFailure> {
        let (process, output, input) =
            Process::start(spec, says).map_err(|cause| ServerFailure::NotStarted {
                server: spec.name.clone(),
                command: oc_text::visible(&spec.command, 200),
                cause,
            })?;
        match Connection::begin(output, input).await {
            Ok(connection) => {
                let changes = connection.tools_changed();
                let name = spec.name.clone();
                let call_timeout = spec.call_timeout;
                let last_words = process.last_words();
                let process = Mutex::new(Some(process));
                Ok(Self {
                    name,
                    connection,
                    process,
                    last_words,
                    call_timeout,
                    changes,
                    known: Mutex::default(),
                })
            }
            Err(failure) => Err(ServerFailure::Failed {
                server: spec.name.clone(),
                failure,
                last_words: process.last_words().get(),
            }),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &ServerName {
        &self.name
    }

    /// What it offers besides tools.
    #[must_use]
    pub fn kinds(&self) -> Kinds {
        self.connection.kinds()
    }

    /// Changes each time that the server says its tools changed.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    /// Its tools as they are now, those that changed or cannot be offered left out and named.
    ///
    /// # Errors
    /// See [`ServerFailure`].
    pub async fn tools(&self) -> Result<Listed, ServerFailure> {
        let tools = self.connection.tools().await.map_err(|f| self.failed(f))?;
        let mut known = self.known();
        let listed = sieve::sift(tools, &mut known.pins);
        known.names = listed.tools.iter().map(|t| t.name.clone()).collect();
        Ok(listed)
    }

    /// Calls a tool of the last list. The reply is cut to the limits; nothing in it is masked yet. Dropping the future tells the server that
    /// nobody wants the answer.
    ///
    /// # Errors
    /// See [`ServerFailure`].
    pub async fn call(&self, tool: &str, arguments: Map<String, Json>) -> Result<Reply, ServerFailure> {
        {
            let known = self.known();
            if known.pins.has_changed(tool) {
                return Err(ServerFailure::Changed {
                    server: self.name.clone(),
                    tool: oc_text::visible(tool, 130),
                });
            }
            if !known.names.contains(tool) {
                let tool = oc_text::visible(tool, 130);
                return Err(ServerFailure::NoSuchTool { server: self.name.clone(), tool });
            }
        }
        let reply = self.connection.call(tool, arguments, self.call_timeout).await;
        reply.map(sieve::cut).map_err(|f| self.failed(f))
    }

    /// Asks about resources and prompts, in the protocol's own members.
    ///
    /// # Errors
    /// See [`ServerFailure`].
    pub async fn ask(&self, ask: Ask, parameters: Map<String, Json>) -> Result<Json, ServerFailure> {
        let within = match ask {
            Ask::Resources | Ask::ResourceTemplates | Ask::Prompts => limits::LIST,
            Ask::ReadResource | Ask::GetPrompt => self.call_timeout,
        };
        self.connection.ask(ask, parameters, within).await.map_err(|f| self.failed(f))
    }

    /// Whether its process or its connection has ended: every call fails from now on.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.connection.is_gone()
    }

    /// What was seen of its tools, for the one that is started in its place.
    #[must_use]
    pub fn pins(&self) -> Pins {
        self.known().pins.clone()
    }

    /// With what was seen of the tools of the one before: a server does not change its tools by ending.
    #[must_use]
    pub fn seen_before(self, pins: Pins) -> Self {
        self.known().pins = pins;
        self
    }

    /// Ends the server: its standard input is closed, and what does not go by itself is ended.
    pub async fn stop(&self) {
        self.connection.end();
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(process) = process {
            process.stop().await;
        }
    }

    fn failed(&self, failure: Failure) -> ServerFailure {
        // Whatever the library calls it: without its process there is nobody to answer.
        let failure =
            if matches!(failure, Failure::Refused { .. } | Failure::TooLarge) || !self.connection.is_gone() {
                failure
            } else {
                Failure::Gone
            };
        let last_words = match &failure {
            Failure::Gone | Failure::NoHandshake(_) => self.last_words.get(),
            Failure::TimedOut(_) | Failure::TooLarge | Failure::Refused { .. } | Failure::Unreadable => {
                String::new()
            }
        };
        ServerFailure::Failed { server: self.name.clone(), failure, last_words }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
