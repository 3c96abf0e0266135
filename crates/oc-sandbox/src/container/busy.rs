//! Whether a command runs in a container: asked of the engine, so that commands of other processes count, too.

use bollard::query_parameters::TopOptionsBuilder;

use super::engine::Engine;
use super::error::EngineError;
use super::found::Found;
use super::resident::PROGRAM;

/// The spare process that a runner keeps ready for its next command. A command shows as a child of it, under its own name.
const LEADER: &str = "/proc/self/exe leader";

impl Engine {
    /// Whether the engine knows of a command in a container. Runners wait and are no commands; what they run shows as a process.
    ///
    /// # Errors
    /// [`EngineError`].
    pub(super) async fn is_busy(&self, found: &Found) -> Result<bool, EngineError> {
        if !found.running {
            return Ok(false);
        }
        let mut runners = found.runner_first;
        for id in &found.commands {
            match self.api().inspect_exec(id).await {
                Ok(state) if state.running == Some(true) => {
                    let program = state.process_config.and_then(|p| p.entrypoint);
                    if program.as_deref() != Some(PROGRAM) {
                        return Ok(true);
                    }
                    runners = true;
                }
                Ok(_) => {}
                Err(e) => match EngineError::from_api("look at a command", &e) {
                    EngineError::NotFound(_) => {}
                    other => return Err(other),
                },
            }
        }
        Ok(runners && self.runs_more_than_runners(found).await)
    }

    /// Whether a process is in the container that is no runner. An engine whose machine cannot list processes says nothing.
    async fn runs_more_than_runners(&self, found: &Found) -> bool {
        let options = TopOptionsBuilder::new().ps_args("-eo pid,args").build();
        let Ok(list) = self.api().top_processes(&found.id, Some(options)).await else { return false };
        let processes = list.processes.unwrap_or_default();
        processes.iter().filter_map(|row| row.last()).any(|line| !line.starts_with(PROGRAM) && line != LEADER)
    }
}
