//! Has this session this tool, and which layer says so?

use oc_config::load::Loaded;
use oc_policy::explain_tool::{Question as Asked, explain as explain_tool};
use oc_policy::inventory::{Inventory, Tool};
use oc_policy::owner_only::Ownership;
use oc_policy::sandbox::Subject;
use oc_policy::sender::Sender;
use oc_policy::tool_policy::{Context, IdsFrom};
use oc_types::Explanation;
use serde::Deserialize;

use super::Unanswerable;

/// For whom a question is asked or a call is made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Caller {
    /// The agent; default: the one in the session key, else the default agent.
    pub agent: Option<String>,
    /// The session key; default: the agent's main session.
    pub session: Option<String>,
    /// The channel the message came through.
    pub channel: Option<String>,
    /// The channel account that received it.
    pub account: Option<String>,
    /// The sender's id; on phone channels the number with `+`.
    pub sender: Option<String>,
    /// The sender's user name.
    pub username: Option<String>,
    /// The sender's display name.
    pub sender_name: Option<String>,
    /// The session that spawned this one.
    pub spawned_by: Option<String>,
    /// The model in use, `PROVIDER/MODEL`.
    pub model: Option<String>,
    /// The sender is known to be the owner.
    pub owner: bool,
}

impl Caller {
    /// The agent and session that are meant.
    ///
    /// # Errors
    /// A malformed session key, or two agents.
    pub fn subject(&self, loaded: &Loaded) -> Result<Subject, Unanswerable> {
        let subject = Subject::read(&loaded.tree, self.agent.as_deref(), self.session.as_deref())
            .map_err(Unanswerable::new)?;
        if let Some(own) = subject.session.agent().filter(|own| **own != subject.agent) {
            return Err(Unanswerable::new(format_args!(
                "--agent {} and --session {} name two agents; the tools of a session are those of {own}",
                subject.agent, subject.session
            )));
        }
        Ok(subject)
    }

    /// Provider and model.
    ///
    /// # Errors
    /// A model without its provider.
    pub fn model(&self) -> Result<Option<(&str, &str)>, Unanswerable> {
        match self.model.as_deref().map(|m| m.split_once('/')) {
            None => Ok(None),
            Some(Some((provider, model))) if !provider.is_empty() && !model.is_empty() => {
                Ok(Some((provider, model)))
            }
            Some(_) => Err(Unanswerable::new("--model takes PROVIDER/MODEL, for example openai/gpt-5.2")),
        }
    }
}

/// The question.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Question {
    /// The tool, in any spelling.
    pub tool: String,
    /// For whom.
    #[serde(default)]
    pub who: Caller,
}

/// Answers.
///
/// # Errors
/// A malformed session key, an agent that is not the one in the key, settings that have no answer.
pub fn explain(loaded: &Loaded, question: &Question) -> Result<Explanation, Unanswerable> {
    let who = &question.who;
    let subject = who.subject(loaded)?;
    let (provider, model) = who.model()?.unzip();
    let sender = who.sender.as_deref();
    // Which tools an MCP server has is known only while it runs; what the rules say about one is known by its name.
    let inventory =
        Inventory::with_plugins(plugin_tools(loaded).into_iter().chain(Tool::of_mcp(&question.tool)));
    let asked = Asked {
        config: &loaded.tree,
        inventory: &inventory,
        context: Context {
            session_key: Some(subject.session.as_str()),
            spawned_by: who.spawned_by.as_deref(),
            provider,
            model,
            channel: who.channel.as_deref(),
            account_id: who.account.as_deref(),
            sender: Sender {
                id: sender,
                e164: sender.filter(|s| s.starts_with('+')),
                username: who.username.as_deref(),
                name: who.sender_name.as_deref(),
            },
            owner: if who.owner { Ownership::Proven } else { Ownership::NotProven },
            ids_from: IdsFrom::Adapter,
            ..Context::default()
        },
        tool: &question.tool,
        model_sees_images: None,
    };
    explain_tool(&asked).map_err(Unanswerable::new)
}

/// The tools that installed and enabled plugins declare in their manifest.
#[must_use]
pub fn plugin_tools(loaded: &Loaded) -> Vec<Tool> {
    let declared = oc_fs::plugins::declared_tools(&loaded.locations.state_dir, &loaded.tree);
    let tool = |d: oc_fs::plugins::DeclaredTool| {
        let tool = Tool::plugin(&d.name, d.plugin.as_str());
        if d.optional { tool.optional() } else { tool }
    };
    declared.into_iter().map(tool).collect()
}
