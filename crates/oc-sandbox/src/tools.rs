//! The core tools: `exec`, `process`, `read`, `write`, `edit`, `apply_patch`, with the argument shapes of upstream (agent-runtime 3).
//!
//! Arguments become a typed [`Request`] before anything is decided. Files are reached through the place's runner only, which opens them
//! beneath its root step by step; the same code serves host, container and native sandbox.

pub mod argument;
mod edit;
mod exec;
mod limit;
mod patch;
mod patch_apply;
pub mod path;
mod read;
mod request;
#[cfg(test)]
mod tests;
mod write;

pub use argument::ArgumentError;
pub use edit::{EditError, replace_once};
pub use exec::{ExecOrder, ExecRequest};
pub use limit::{READ_BYTES, READ_LINES, image_type};
pub use patch::{Change, Hunk, Patch, PatchError};
pub use patch_apply::{ApplyError, updated};
pub use path::{View, ViewPath};
pub use request::{CoreTool, ProcessRequest, Request};

use oc_runner::protocol::{FileOperation, FileRequest};

use crate::executor::{Executor, ExecutorError, FileAnswer};
use crate::gate::{AuthorizedCall, Outcome, ToolResult};

/// Where a tool acts: its executor, the proof that it may, and how paths are meant there.
#[derive(Debug)]
pub(crate) struct Site<'a> {
    pub executor: &'a dyn Executor,
    pub call: &'a AuthorizedCall,
    pub view: &'a View,
}

/// Why a tool brought no result of its own making.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// A failure that the model is told as the tool's result.
    Failed(String),
    /// The place.
    Place(ExecutorError),
}

impl From<ExecutorError> for Stopped {
    fn from(error: ExecutorError) -> Self {
        match error {
            ExecutorError::Failed { message, .. } => Self::Failed(message),
            other => Self::Place(other),
        }
    }
}

impl From<path::PathError> for Stopped {
    fn from(error: path::PathError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Site<'_> {
    /// One file operation at a path of this place.
    async fn file(
        &self,
        at: &ViewPath,
        operation: FileOperation,
        content: Vec<u8>,
    ) -> Result<FileAnswer, ExecutorError> {
        let request = FileRequest { root: at.root.clone(), operation };
        self.executor.file(self.call, request, content).await
    }
}

/// Carries out a file tool.
pub(crate) async fn run_file_tool(site: &Site<'_>, request: &Request) -> Result<ToolResult, ExecutorError> {
    let done = match request {
        Request::Read(r) => read::run(site, r).await,
        Request::Write(r) => write::run(site, r).await,
        Request::Edit(r) => edit::run(site, r).await,
        Request::ApplyPatch(p) => patch_apply::run(site, p).await,
        Request::Exec(_) | Request::Process(_) => Err(Stopped::Failed("not a file tool".to_owned())),
    };
    match done {
        Ok(result) => Ok(result),
        Err(Stopped::Failed(why)) => Ok(ToolResult::text(Outcome::Failed, why)),
        Err(Stopped::Place(error)) => Err(error),
    }
}

pub(crate) use exec::{Ran, Started, collect, ended, start};
pub(crate) use limit::OUTPUT_BYTES;
