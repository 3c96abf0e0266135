//! The container engine for a command: connected when it is needed, its absence an answer.

use std::future::Future;

use anyhow::{Context as _, Result};
use oc_config::load::Loaded;
use oc_sandbox::container::{Containers, Engine, EngineAddress, EngineError};

use crate::app::App;

/// Connects to the engine that the environment names.
///
/// # Errors
/// [`EngineError`]: none answers.
pub async fn connect(app: &App, loaded: &Loaded) -> Result<Engine, EngineError> {
    let get = |name: &str| app.process.get(name).map(str::to_owned);
    let address = EngineAddress::from_environment(get, Some(&loaded.locations.home))?;
    Engine::connect(&address).await
}

/// The containers of this state directory.
///
/// # Errors
/// [`EngineError`]: no engine answers.
pub async fn containers(app: &App, loaded: &Loaded) -> Result<Containers, EngineError> {
    // Nothing is run here, so no runner is needed.
    Ok(Containers::new(connect(app, loaded).await?, &loaded.locations.state_dir, None))
}

/// Runs a future to its end.
///
/// # Errors
/// Those of the future; the runtime cannot be made.
pub fn wait<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start the runtime")?.block_on(work)
}
