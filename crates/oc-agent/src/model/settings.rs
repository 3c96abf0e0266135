//! Which providers and models there are, and which one an agent asks: `models`, `auth`, `agents.defaults.model` and the agents' own.
//!
//! Pure: the configuration tree comes in, [`ModelSettings`] comes out. What cannot be used is an issue of the provider or model concerned,
//! named when it is asked for, and never another provider in its place.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use oc_types::{AgentId, Node};
use thiserror::Error;

use super::catalogue::{self, canonical};
use super::wire::{Api, NotSpoken, Target};
use super::{About, DEFAULT_CONTEXT_WINDOW};
use crate::auth_profile::cooldown::Cooldowns;

mod provider;
#[cfg(test)]
mod tests;

pub use provider::{Key, Provider};

/// A window below this is too small to work with.
pub const SMALLEST_WINDOW: u64 = 16_000;
/// A window below this is worth a warning.
pub const SMALL_WINDOW: u64 = 32_000;

/// `provider/model`, the provider in its one form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelRef {
    /// Id of the provider.
    pub provider: String,
    /// Id of the model at the provider; may hold slashes.
    pub model: String,
}

impl ModelRef {
    /// Reads `provider/model`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (provider, model) = text.trim().split_once('/')?;
        let (provider, model) = (canonical(provider), model.trim());
        (!provider.is_empty() && !model.is_empty()).then(|| Self { provider, model: model.to_owned() })
    }
}

impl std::fmt::Display for ModelRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

/// Why a model cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ModelIssue {
    /// No model is named.
    #[error("no model is set; set `agents.defaults.model.primary` to `provider/model`")]
    NoModel,
    /// A name that is neither a reference nor an alias.
    #[error(
        "`{0}` names no model; write `provider/model`, or give it as an alias in `agents.defaults.models`"
    )]
    NotAReference(String),
    /// No such provider.
    #[error("there is no provider `{0}`; add it to `models.providers`")]
    NoProvider(String),
    /// The provider does not list it.
    #[error("`models.providers.{provider}.models` does not list `{model}`")]
    NotListed {
        /// The provider.
        provider: String,
        /// The model.
        model: String,
    },
    /// Its wire format.
    #[error("{key}: {why}")]
    Api {
        /// The key.
        key: String,
        /// What is wrong.
        why: NotSpoken,
    },
    /// Something else in its configuration.
    #[error("{key}: {why}")]
    Invalid {
        /// The key.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// It can read too little.
    #[error(
        "the context window of {window} tokens is too small, {SMALLEST_WINDOW} is the least; see `contextWindow` and `agents.defaults.contextTokens`"
    )]
    SmallWindow {
        /// Tokens.
        window: u64,
    },
}

/// A model and what is asked when it does not answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// As the configuration writes it.
    pub primary: Option<String>,
    /// In order.
    pub fallbacks: Vec<String>,
}

/// A model that can be asked.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Its name.
    pub reference: ModelRef,
    /// For the encoders.
    pub target: Target,
    /// Tokens that it can read and write in one request, `agents.defaults.contextTokens` counted.
    pub context_window: u64,
    /// Where requests go.
    pub endpoint: super::endpoint::Endpoint,
    /// Headers of the configuration.
    pub headers: reqwest::header::HeaderMap,
    /// How a key is shown.
    pub key_header: super::client::KeyHeader,
}

impl Resolved {
    /// What a turn needs to know.
    #[must_use]
    pub fn about(&self) -> About {
        About {
            provider: self.target.provider.clone(),
            model: self.target.model.clone(),
            context_window: self.context_window,
            max_tokens: self.target.max_tokens,
            images: self.target.images,
            reasoning: self.target.reasoning,
        }
    }
}

/// What one agent says.
#[derive(Clone, Debug, Default)]
struct AgentModels {
    primary: Option<String>,
    fallbacks: Option<Vec<String>>,
    subagents: Option<Choice>,
    directory: Option<PathBuf>,
}

/// `agents.defaults.models.*`.
#[derive(Clone, Debug, Default)]
struct Preset {
    temperature: Option<f64>,
    max_tokens: Option<u32>,
}

/// The settings of a snapshot.
#[derive(Clone, Debug)]
pub struct ModelSettings {
    providers: IndexMap<String, Result<Provider, ModelIssue>>,
    defaults: Choice,
    subagents: Option<Choice>,
    agents: HashMap<AgentId, AgentModels>,
    aliases: BTreeMap<String, String>,
    presets: HashMap<ModelRef, Preset>,
    context_tokens: Option<u64>,
    order: BTreeMap<String, Vec<String>>,
    cooldowns: Cooldowns,
    /// What is odd and accepted, in words.
    pub warnings: Vec<String>,
}

impl ModelSettings {
    /// Reads the configuration.
    #[must_use]
    pub fn read(config: &Node) -> Self {
        let replace = config.path(&["models", "mode"]).and_then(Node::as_str) == Some("replace");
        let mut providers: IndexMap<String, Result<Provider, ModelIssue>> = IndexMap::new();
        if !replace {
            for known in &catalogue::KNOWN {
                providers.insert(known.id.to_owned(), Provider::known(known));
            }
        }
        let mut warnings = Vec::new();
        for (written, node) in
            config.path(&["models", "providers"]).and_then(Node::as_object).into_iter().flatten()
        {
            let id = canonical(written);
            let read = Provider::read(&id, written, node, replace);
            for entry in read.iter().flat_map(|p| p.models()) {
                if let Some(window) = entry.1.context_window.filter(|w| *w < SMALL_WINDOW) {
                    warnings.push(format!(
                        "models.providers.{written}: `{}` can read {window} tokens; below {SMALL_WINDOW} answers suffer",
                        oc_text::visible(entry.0, 80)
                    ));
                }
            }
            providers.insert(id, read);
        }
        let defaults = config.path(&["agents", "defaults"]);
        let mut aliases = BTreeMap::new();
        let mut presets = HashMap::new();
        for (name, node) in
            defaults.and_then(|d| d.get("models")).and_then(Node::as_object).into_iter().flatten()
        {
            let Some(reference) = ModelRef::parse(name) else { continue };
            if let Some(alias) =
                node.get("alias").and_then(Node::as_str).map(str::trim).filter(|a| !a.is_empty())
            {
                aliases.insert(alias.to_lowercase(), reference.to_string());
            }
            let params = node.get("params");
            let preset = Preset {
                temperature: params.and_then(|p| p.get("temperature")).and_then(Node::as_number),
                max_tokens: params
                    .and_then(|p| p.get("maxTokens"))
                    .and_then(whole)
                    .and_then(|n| u32::try_from(n).ok()),
            };
            presets.insert(reference, preset);
        }
        Self {
            providers,
            defaults: choice(defaults.and_then(|d| d.get("model"))).unwrap_or_default(),
            subagents: choice(defaults.and_then(|d| d.get("subagents")).and_then(|s| s.get("model"))),
            agents: agents(config),
            aliases,
            presets,
            context_tokens: defaults.and_then(|d| d.get("contextTokens")).and_then(whole).filter(|n| *n > 0),
            order: order(config),
            cooldowns: cooldowns(config),
            warnings,
        }
    }

    /// The model of an agent: its own, else the default; its own list of fallbacks, also an empty one, in place of the default's.
    #[must_use]
    pub fn choice(&self, agent: &AgentId) -> Choice {
        let own = self.agents.get(agent);
        Choice {
            primary: own.and_then(|a| a.primary.clone()).or_else(|| self.defaults.primary.clone()),
            fallbacks: own
                .and_then(|a| a.fallbacks.clone())
                .unwrap_or_else(|| self.defaults.fallbacks.clone()),
        }
    }

    /// The model of an agent's sub-agents: the agent's word for them, the default's, else the agent's own model.
    #[must_use]
    pub fn subagent_choice(&self, agent: &AgentId) -> Choice {
        let own = self.agents.get(agent).and_then(|a| a.subagents.clone());
        own.or_else(|| self.subagents.clone()).unwrap_or_else(|| self.choice(agent))
    }

    /// The reference that a text means: `provider/model` or an alias.
    ///
    /// # Errors
    /// [`ModelIssue::NotAReference`].
    pub fn reference(&self, text: &str) -> Result<ModelRef, ModelIssue> {
        let text = text.trim();
        let meant = self.aliases.get(&text.to_lowercase()).map_or(text, String::as_str);
        ModelRef::parse(meant).ok_or_else(|| ModelIssue::NotAReference(oc_text::visible(text, 80)))
    }

    /// A model by its reference or alias.
    ///
    /// # Errors
    /// See [`ModelIssue`].
    pub fn resolve(&self, text: &str) -> Result<Resolved, ModelIssue> {
        let reference = self.reference(text)?;
        let provider = self.provider(&reference.provider)?;
        let mut resolved = provider.model(&reference)?;
        if let Some(preset) = self.presets.get(&reference) {
            resolved.target.temperature = preset.temperature;
            if let Some(max) = preset.max_tokens {
                resolved.target.max_tokens = max.max(1);
            }
        }
        if let Some(cap) = self.context_tokens {
            resolved.context_window = resolved.context_window.min(cap);
        }
        if resolved.context_window < SMALLEST_WINDOW {
            return Err(ModelIssue::SmallWindow { window: resolved.context_window });
        }
        Ok(resolved)
    }

    /// A provider.
    ///
    /// # Errors
    /// See [`ModelIssue`].
    pub fn provider(&self, id: &str) -> Result<&Provider, ModelIssue> {
        match self.providers.get(id) {
            Some(Ok(provider)) => Ok(provider),
            Some(Err(issue)) => Err(issue.clone()),
            None => Err(ModelIssue::NoProvider(oc_text::visible(id, 80))),
        }
    }

    /// The ids of the providers, in order, with what is wrong with them.
    pub fn providers(&self) -> impl Iterator<Item = (&str, Result<&Provider, &ModelIssue>)> {
        self.providers.iter().map(|(id, p)| (id.as_str(), p.as_ref()))
    }

    /// `auth.order` of a provider.
    #[must_use]
    pub fn profile_order(&self, provider: &str) -> Option<&[String]> {
        self.order.get(provider).map(Vec::as_slice)
    }

    /// `auth.cooldowns`.
    #[must_use]
    pub fn cooldowns(&self) -> &Cooldowns {
        &self.cooldowns
    }

    /// `agentDir` of an agent.
    #[must_use]
    pub fn agent_directory(&self, agent: &AgentId) -> Option<&std::path::Path> {
        self.agents.get(agent)?.directory.as_deref()
    }
}

fn whole(node: &Node) -> Option<u64> {
    oc_types::tree::number_text(node.as_number()?).parse().ok()
}

/// A text, or an object with `primary` and `fallbacks`.
fn choice(node: Option<&Node>) -> Option<Choice> {
    let node = node?;
    if let Some(text) = node.as_str() {
        return filled(text).map(|primary| Choice { primary: Some(primary), fallbacks: Vec::new() });
    }
    let primary = node.get("primary").and_then(Node::as_str).and_then(filled);
    let fallbacks = node.get("fallbacks").and_then(Node::entries).unwrap_or_default();
    let choice = Choice { primary, fallbacks };
    (choice != Choice::default()).then_some(choice)
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn agents(config: &Node) -> HashMap<AgentId, AgentModels> {
    let list = config.path(&["agents", "list"]).and_then(Node::as_array).unwrap_or_default();
    let read = |node: &Node| {
        let id = AgentId::strict(node.get("id")?.as_str()?).ok()?;
        let model = node.get("model");
        let own = choice(model);
        let models = AgentModels {
            primary: own.and_then(|c| c.primary),
            fallbacks: model.and_then(|m| m.get("fallbacks")).and_then(Node::entries),
            subagents: choice(node.get("subagents").and_then(|s| s.get("model"))),
            directory: node.get("agentDir").and_then(Node::as_str).and_then(filled).map(PathBuf::from),
        };
        Some((id, models))
    };
    list.iter().filter_map(read).collect()
}

fn order(config: &Node) -> BTreeMap<String, Vec<String>> {
    let order = config.path(&["auth", "order"]).and_then(Node::as_object).into_iter().flatten();
    order.filter_map(|(provider, list)| Some((canonical(provider), list.entries()?))).collect()
}

fn cooldowns(config: &Node) -> Cooldowns {
    let node = config.path(&["auth", "cooldowns"]);
    let hours = |n: Option<&Node>| {
        let hours = n.and_then(Node::as_number).filter(|h| *h > 0.0 && *h <= 24.0 * 366.0)?;
        Duration::try_from_secs_f64(hours * 3600.0).ok()
    };
    let named = |key: &str| hours(node.and_then(|n| n.get(key)));
    let defaults = Cooldowns::default();
    let by_provider = node.and_then(|n| n.get("billingBackoffHoursByProvider")).and_then(Node::as_object);
    Cooldowns {
        billing: named("billingBackoffHours").unwrap_or(defaults.billing),
        billing_longest: named("billingMaxHours").unwrap_or(defaults.billing_longest),
        window: named("failureWindowHours").unwrap_or(defaults.window),
        billing_by_provider: by_provider
            .into_iter()
            .flatten()
            .filter_map(|(p, n)| Some((canonical(p), hours(Some(n))?)))
            .collect(),
    }
}

/// The wire format that a key names.
fn api(key: &str, node: Option<&Node>) -> Result<Option<Api>, ModelIssue> {
    let Some(word) = node.and_then(Node::as_str) else { return Ok(None) };
    Api::parse(word).map(Some).map_err(|why| ModelIssue::Api { key: key.to_owned(), why })
}

/// Tokens of a window that nobody names.
fn default_window(known: Option<&catalogue::Known>) -> u64 {
    known.map_or(DEFAULT_CONTEXT_WINDOW, |k| k.context_window)
}
