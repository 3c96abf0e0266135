//! The native sandbox as a place of execution.

use std::sync::Arc;

use oc_runner::protocol::{FileRequest, RunRequest};

use super::sandboxes::NativeSandboxes;
use crate::container::Sandbox;
use crate::executor::{Executor, FileAnswer, Pending, Place, Running};
use crate::gate::AuthorizedCall;

/// Runs the calls of one session in its native sandbox.
#[derive(Debug)]
pub struct NativeExecutor {
    sandboxes: Arc<NativeSandboxes>,
    sandbox: Sandbox,
}

impl NativeExecutor {
    /// An executor for a planned sandbox. Nothing is made before the first call.
    #[must_use]
    pub fn new(sandboxes: Arc<NativeSandboxes>, sandbox: Sandbox) -> Self {
        Self { sandboxes, sandbox }
    }

    /// The sandbox.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl Executor for NativeExecutor {
    fn place(&self) -> Place {
        Place::Native
    }

    fn start<'a>(&'a self, call: &'a AuthorizedCall, mut run: RunRequest) -> Pending<'a, Running> {
        Box::pin(async move {
            call.is_for(self.place())?;
            run.environment = self.sandbox.environment(&run.environment);
            // What the decision saw of the host means nothing in here.
            run.directory_identity = None;
            self.sandboxes.connection(&self.sandbox).await?.start(run)
        })
    }

    fn file<'a>(
        &'a self,
        call: &'a AuthorizedCall,
        request: FileRequest,
        content: Vec<u8>,
    ) -> Pending<'a, FileAnswer> {
        Box::pin(async move {
            call.is_for(self.place())?;
            self.sandboxes.connection(&self.sandbox).await?.file(request, content).await
        })
    }
}
