//! `openclaw explain sandbox`.

use anyhow::Result;
use oc_config::load::Loaded;
use oc_gateway::explain::sandbox::{self, Question};
use oc_types::Explanation;

pub use oc_gateway::explain::sandbox::place;

use super::Common;

/// Arguments of `openclaw explain sandbox`.
#[derive(Debug, clap::Args)]
pub struct SandboxArgs {
    /// The agent; default: the one in the session key, else the default agent.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// The session key; default: the agent's main session.
    #[arg(long, value_name = "KEY")]
    session: Option<String>,
    /// Flags of every subject.
    #[command(flatten)]
    pub common: Common,
}

/// Answers.
///
/// # Errors
/// A malformed session key, or settings that have no answer.
pub fn explain(loaded: &Loaded, args: &SandboxArgs) -> Result<Explanation> {
    let question = Question { agent: args.agent.clone(), session: args.session.clone() };
    Ok(sandbox::explain(loaded, &question)?)
}
