//! Which model a session uses, as far as the answers name it.

use oc_types::{AgentId, Node};
use serde_json::{Map, Value};

/// Provider of models without one.
const PROVIDER: &str = "anthropic";
/// Model of a configuration that names none.
const MODEL: &str = "claude-opus-4-6";
/// Context of models whose size is not known, in tokens.
pub(super) const CONTEXT_TOKENS: u64 = 200_000;

/// Provider and model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) provider: String,
    pub(super) model: String,
}

impl Model {
    /// Reads `provider/model`, or a model of the default provider.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (provider, model) = text.split_once('/').unwrap_or((PROVIDER, text));
        let (provider, model) = (provider.trim().to_lowercase(), model.trim().to_owned());
        (!provider.is_empty() && !model.is_empty()).then_some(Self { provider, model })
    }

    /// The model of an agent.
    pub(super) fn of(config: &Node, agent: &AgentId) -> Self {
        let own = oc_policy::sandbox::agent_entry(config, agent).and_then(|e| e.node.get("model"));
        let shared = config.path(&["agents", "defaults", "model"]);
        let named = [own, shared].into_iter().flatten().find_map(primary);
        let aliased = named.map(|n| alias(config, n).unwrap_or(n));
        aliased
            .and_then(Self::parse)
            .unwrap_or_else(|| Self { provider: PROVIDER.to_owned(), model: MODEL.to_owned() })
    }

    /// The model of a session: its own, else its agent's.
    pub(super) fn of_session(config: &Node, agent: &AgentId, entry: &Map<String, Value>) -> Self {
        let base = Self::of(config, agent);
        let text =
            |k: &str| entry.get(k).and_then(Value::as_str).filter(|s| !s.is_empty()).map(str::to_owned);
        match text("modelOverride") {
            Some(model) => Self { provider: text("providerOverride").unwrap_or(base.provider), model },
            None => base,
        }
    }

    /// A model that a caller names: one of `agents.defaults.models` or of its aliases, when there is such a list.
    pub(super) fn chosen(config: &Node, text: &str) -> Result<Self, String> {
        let text = text.trim();
        let name = alias(config, text).unwrap_or(text);
        let model = Self::parse(name).ok_or_else(|| format!("`{text}` is no model; use provider/model"))?;
        let listed = config.path(&["agents", "defaults", "models"]).and_then(Node::as_object);
        let allowed =
            listed.is_none_or(|l| l.is_empty() || l.keys().any(|k| Self::parse(k).as_ref() == Some(&model)));
        if allowed { Ok(model) } else { Err(format!("`{text}` is not in agents.defaults.models")) }
    }
}

fn primary(node: &Node) -> Option<&str> {
    node.as_str()
        .or_else(|| node.get("primary").and_then(Node::as_str))
        .map(str::trim)
        .filter(|s| !s.is_empty())
}

/// The model that an alias of `agents.defaults.models` stands for.
fn alias<'c>(config: &'c Node, name: &str) -> Option<&'c str> {
    let listed = config.path(&["agents", "defaults", "models"]).and_then(Node::as_object)?;
    let means =
        |n: &Node| n.get("alias").and_then(Node::as_str).is_some_and(|a| a.trim().eq_ignore_ascii_case(name));
    listed.iter().find(|(_, n)| means(n)).map(|(k, _)| k.as_str())
}

/// Context of the models, in tokens.
pub(super) fn context_tokens(config: &Node) -> u64 {
    let set = config.path(&["agents", "defaults", "contextTokens"]).and_then(Node::as_number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be positive; the cast saturates"
    )]
    set.filter(|n| *n >= 1.0).map_or(CONTEXT_TOKENS, |n| n as u64)
}

/// `provider/model` of a session.
pub(crate) fn of_session(config: &Node, agent: &AgentId, entry: &Map<String, Value>) -> String {
    let model = Model::of_session(config, agent, entry);
    format!("{}/{}", model.provider, model.model)
}
