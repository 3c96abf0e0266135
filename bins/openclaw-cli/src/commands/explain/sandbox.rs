//! `openclaw explain sandbox`.

use anyhow::Result;
use oc_config::load::Loaded;
use oc_policy::sandbox::{self, Place, Subject};
use oc_types::Explanation;

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

/// Where things lie on this machine.
pub fn place(loaded: &Loaded) -> Place {
    Place {
        home: loaded.locations.home.to_string_lossy().into_owned(),
        state_dir: loaded.locations.state_dir.to_string_lossy().into_owned(),
    }
}

/// Answers.
///
/// # Errors
/// A malformed session key, or settings that have no answer.
pub fn explain(loaded: &Loaded, args: &SandboxArgs) -> Result<Explanation> {
    let subject = Subject::read(&loaded.tree, args.agent.as_deref(), args.session.as_deref())?;
    Ok(sandbox::explain(&loaded.tree, &subject, &place(loaded))?)
}
