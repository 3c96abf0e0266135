//! Where does a value come from, and who overrides it?

use oc_config::explain::{Asked, explain as explain_value};
use oc_config::load::Loaded;
use oc_types::{AccountId, AgentId, Explanation, KeyPath};
use serde::Deserialize;

use super::Unanswerable;

/// The question.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Question {
    /// The key path: dots, `[0]` for list elements, `["-1001"]` for other keys.
    pub key: String,
    /// The value that is in force for this agent.
    #[serde(default)]
    pub agent: Option<String>,
    /// The value that is in force for this account of the channel.
    #[serde(default)]
    pub account: Option<String>,
}

/// Answers.
///
/// # Errors
/// A key path that cannot be read.
pub fn explain(loaded: &Loaded, question: &Question) -> Result<Explanation, Unanswerable> {
    let key = KeyPath::parse(&question.key)
        .map_err(|e| Unanswerable::new(format_args!("cannot read the key path: {e}")))?;
    let agent = question.agent.as_deref().map(AgentId::normalized);
    let account = question.account.as_deref().map(AccountId::normalized);
    Ok(explain_value(loaded, &Asked { key: &key, agent: agent.as_ref(), account: account.as_ref() }))
}
