//! The places of execution of this machine: its container engine, its kernel, itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use oc_policy::sandbox::Place as Where;
use tokio::sync::Mutex;

use crate::container::{ContainerExecutor, Containers, Engine, EngineAddress, EngineError, Sandbox};
use crate::executor::{Executor, ExecutorError, Pending, Place};
use crate::gate::{Executors, HostSession, SandboxSession};
use crate::host::{HostExecutor, Launch};
use crate::native::{NativeExecutor, NativeSandboxes};

/// What this machine offers. Nothing is connected or made before it is asked for.
#[derive(Debug)]
pub struct Machine {
    state_dir: PathBuf,
    place: Where,
    engine: Result<EngineAddress, EngineError>,
    connected: Mutex<Option<Arc<Containers>>>,
    native: Arc<NativeSandboxes>,
    host: Arc<HostExecutor>,
}

impl Machine {
    /// The places for a state directory. `engine` is where the container engine is, or why that cannot be read.
    #[must_use]
    pub fn new(state_dir: PathBuf, place: Where, engine: Result<EngineAddress, EngineError>) -> Self {
        // The very file that runs, whatever lies at its path by now.
        let native = Arc::new(NativeSandboxes::new(Path::new("/proc/self/exe")));
        let host = Arc::new(HostExecutor::new(Launch::this_program()));
        Self { state_dir, place, engine, connected: Mutex::default(), native, host }
    }

    async fn containers(&self) -> Result<Arc<Containers>, ExecutorError> {
        let unavailable =
            |e: &EngineError| ExecutorError::Unavailable { place: Place::Container, cause: e.to_string() };
        let mut connected = self.connected.lock().await;
        if let Some(containers) = connected.as_ref() {
            return Ok(Arc::clone(containers));
        }
        let address = self.engine.as_ref().map_err(unavailable)?;
        let engine = Engine::connect(address).await.map_err(|e| unavailable(&e))?;
        // Without the static program commands go through the engine's own exec, slower.
        let runner = crate::runner_file::runner_file().ok();
        let containers = Arc::new(Containers::new(engine, &self.state_dir, runner));
        *connected = Some(Arc::clone(&containers));
        Ok(containers)
    }
}

impl Executors for Machine {
    fn engine(&self) -> Pending<'_, ()> {
        Box::pin(async move { self.containers().await.map(drop) })
    }

    fn container<'a>(&'a self, session: &'a SandboxSession) -> Pending<'a, Arc<dyn Executor>> {
        Box::pin(async move {
            let unavailable = |cause: String| ExecutorError::Unavailable { place: Place::Container, cause };
            let containers = self.containers().await?;
            let (registry, _) = containers.registry().await.map_err(|e| unavailable(e.to_string()))?;
            let sandbox =
                Sandbox::new(session.plan.clone(), &session.agent_workspace, self.place.clone(), |name| {
                    registry.owner(name).map(str::to_owned)
                });
            let sandbox = sandbox.map_err(|e| unavailable(e.to_string()))?;
            let executor: Arc<dyn Executor> = Arc::new(ContainerExecutor::new(containers, sandbox));
            Ok(executor)
        })
    }

    fn native<'a>(&'a self, session: &'a SandboxSession) -> Pending<'a, Arc<dyn Executor>> {
        Box::pin(async move {
            let unavailable = |cause: String| ExecutorError::Unavailable { place: Place::Native, cause };
            let plan = session.plan.clone();
            // A native sandbox has no name that another one could own.
            let sandbox = Sandbox::new(plan, &session.agent_workspace, self.place.clone(), |_| None)
                .map_err(|e| unavailable(e.to_string()))?;
            let executor: Arc<dyn Executor> =
                Arc::new(NativeExecutor::new(Arc::clone(&self.native), sandbox));
            Ok(executor)
        })
    }

    fn host<'a>(&'a self, _: &'a HostSession) -> Pending<'a, Arc<dyn Executor>> {
        Box::pin(async move {
            let executor: Arc<dyn Executor> = Arc::clone(&self.host) as Arc<dyn Executor>;
            Ok(executor)
        })
    }
}
