//! The container as a place of execution.

use std::sync::Arc;

use oc_runner::protocol::{FileRequest, RunRequest};

use super::containers::{Containers, Use};
use super::exec;
use super::sandbox::Sandbox;
use crate::executor::{Executor, ExecutorError, FileAnswer, Pending, Place, Running};
use crate::gate::AuthorizedCall;

/// Runs the calls of one session in its container.
#[derive(Debug)]
pub struct ContainerExecutor {
    containers: Arc<Containers>,
    sandbox: Sandbox,
}

impl ContainerExecutor {
    /// An executor for a planned sandbox. Nothing is made before the first call.
    #[must_use]
    pub fn new(containers: Arc<Containers>, sandbox: Sandbox) -> Self {
        Self { containers, sandbox }
    }

    /// The sandbox.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    async fn run(&self, mut run: RunRequest) -> Result<Running, ExecutorError> {
        let containers = &self.containers;
        let name = &self.sandbox.context.container_name;
        run.environment = self.sandbox.environment(&run.environment);
        containers.prune_when_due(self.sandbox.prune()).await;
        let slot = containers.slot(name);
        let mut ready = slot.ready.lock().await;
        let found = containers.ensure(&self.sandbox, &slot).await.map_err(|e| e.unavailable())?;
        let told = containers.tell_use(name, &mut ready.told_ms).await;
        told.map_err(|e| e.unavailable())?;
        let running = Use::of(&slot);
        drop(ready);
        exec::start(containers.engine(), &found.id, &run, running).await
    }
}

impl Executor for ContainerExecutor {
    fn place(&self) -> Place {
        Place::Container
    }

    fn start<'a>(&'a self, call: &'a AuthorizedCall, run: RunRequest) -> Pending<'a, Running> {
        Box::pin(async move {
            check(call)?;
            self.run(run).await
        })
    }

    fn file<'a>(
        &'a self,
        call: &'a AuthorizedCall,
        request: FileRequest,
        content: Vec<u8>,
    ) -> Pending<'a, FileAnswer> {
        Box::pin(async move {
            check(call)?;
            let _ = (request, content);
            Err(ExecutorError::Failed {
                code: "unsupported".to_owned(),
                message: "file operations in a container need the resident runner; \
                          put `openclaw-runner` beside `openclaw`"
                    .to_owned(),
            })
        })
    }
}

/// A call that was decided for another place never acts here.
fn check(call: &AuthorizedCall) -> Result<(), ExecutorError> {
    if call.place() == Place::Container {
        return Ok(());
    }
    Err(ExecutorError::Failed {
        code: "protocol".to_owned(),
        message: format!("the call was decided for {}, not for a container", call.place()),
    })
}
