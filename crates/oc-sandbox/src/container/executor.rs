//! The container as a place of execution.

use std::sync::Arc;

use oc_runner::protocol::{FileRequest, RunRequest};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::containers::Containers;
use super::exec;
use super::sandbox::Sandbox;
use super::traffic::Use;
use crate::connection::Connection;
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

    /// Has the container ready, and the way to its runner when there is one.
    async fn reach(&self) -> Result<Way, ExecutorError> {
        let containers = &self.containers;
        let context = &self.sandbox.context;
        containers.prune_when_due(self.sandbox.prune()).await;
        let slot = containers.slot(&context.container_name);
        let mut ready = slot.ready.lock().await;
        let told = containers.tell_use(&context.container_name, &mut ready.told_ms).await;
        told.map_err(|e| e.unavailable())?;
        // A live connection leads to the container that was looked at: one that is removed or stopped takes it along. After a pause the
        // engine is asked all the same, because a connection may be the last to hear of it.
        let pause = ready.seen.replace(Instant::now()).is_none_or(|seen| seen.elapsed() > PAUSE);
        if let Some(link) = &ready.link
            && link.digest == context.digest
            && !link.connection.is_lost()
            && (!pause || containers.still_runs(&link.container).await)
        {
            return Ok(Way::Runner(link.connection.clone(), Use::of(&slot.traffic)));
        }
        ready.link = None;
        let found = containers.ensure(&self.sandbox, &slot).await.map_err(|e| e.unavailable())?;
        if containers.resident().await.map_err(|e| e.unavailable())?.is_none() {
            return Ok(Way::Engine(found.id, Use::of(&slot.traffic)));
        }
        let roots: Vec<String> = context.mounts.iter().map(|m| m.target.clone()).collect();
        let link = containers.link(&found, &slot, &context.digest, &roots).await;
        let link = link.map_err(|e| e.unavailable())?;
        let connection = link.connection.clone();
        ready.link = Some(link);
        Ok(Way::Runner(connection, Use::of(&slot.traffic)))
    }

    async fn run(&self, mut run: RunRequest) -> Result<Running, ExecutorError> {
        run.environment = self.sandbox.environment(&run.environment);
        match self.reach().await? {
            Way::Runner(connection, in_use) => Ok(counted(connection.start(run)?, in_use)),
            Way::Engine(id, in_use) => exec::start(self.containers.engine(), &id, &run, in_use).await,
        }
    }

    async fn operate(&self, request: FileRequest, content: Vec<u8>) -> Result<FileAnswer, ExecutorError> {
        match self.reach().await? {
            Way::Runner(connection, in_use) => {
                let answer = connection.file(request, content).await;
                in_use.end();
                answer
            }
            Way::Engine(..) => Err(ExecutorError::Failed {
                code: "unsupported".to_owned(),
                message: "file operations in a container need the resident runner; \
                          put `openclaw-runner` beside `openclaw`"
                    .to_owned(),
            }),
        }
    }
}

/// The longest time between two calls that needs no look at the container.
const PAUSE: Duration = Duration::from_millis(50);

/// How a command gets into the container.
enum Way {
    /// Through the resident runner.
    Runner(Connection, Use),
    /// Through the engine's exec, in the container with this id.
    Engine(String, Use),
}

/// Keeps the container in use until the command has ended.
fn counted(running: Running, in_use: Use) -> Running {
    let Running { output, orders, exit } = running;
    let (mut tell, told) = oneshot::channel();
    tokio::spawn(async move {
        tokio::select! {
            ended = exit => {
                let lost = || ExecutorError::Lost {
                    place: Place::Container,
                    cause: "the call ended without a word".to_owned(),
                };
                // Counted down first: whoever hears of the end may look at the container at once.
                match &ended {
                    Ok(Ok(_) | Err(ExecutorError::Failed { .. })) => in_use.end(),
                    Ok(Err(_)) | Err(_) => drop(in_use),
                }
                let _ = tell.send(ended.unwrap_or_else(|_| Err(lost())));
            }
            // Nobody waits any more: dropping the other end here ends the command.
            () = tell.closed() => {}
        }
    });
    Running { output, orders, exit: told }
}

impl Executor for ContainerExecutor {
    fn place(&self) -> Place {
        Place::Container
    }

    fn start<'a>(&'a self, call: &'a AuthorizedCall, run: RunRequest) -> Pending<'a, Running> {
        Box::pin(async move {
            call.is_for(self.place())?;
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
            call.is_for(self.place())?;
            self.operate(request, content).await
        })
    }
}
