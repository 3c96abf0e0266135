//! Where do this session's tools run, and with which settings?

use oc_config::load::Loaded;
use oc_policy::sandbox::{self, Place, Subject};
use oc_types::Explanation;
use serde::Deserialize;

use super::Unanswerable;

/// The question.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Question {
    /// The agent; default: the one in the session key, else the default agent.
    pub agent: Option<String>,
    /// The session key; default: the agent's main session.
    pub session: Option<String>,
}

/// Where things lie on this machine.
#[must_use]
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
pub fn explain(loaded: &Loaded, question: &Question) -> Result<Explanation, Unanswerable> {
    let subject = Subject::read(&loaded.tree, question.agent.as_deref(), question.session.as_deref())
        .map_err(Unanswerable::new)?;
    sandbox::explain(&loaded.tree, &subject, &place(loaded)).map_err(Unanswerable::new)
}
