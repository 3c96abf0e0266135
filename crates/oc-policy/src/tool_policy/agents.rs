//! What the agents' entries say: their own policies, their sandbox.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use oc_types::{AgentId, KeyPath, Node, Segment};

use super::list::{List, Place, Standing};
use super::matcher::Side;
use super::reader::Reader;
use super::rule::{Rule, ScopeRule};
use super::warning::WarningKind;
use crate::layer::Layer;
use crate::sandbox::{
    ListSource, Mode, SandboxError, SourceLevel, default_agent, is_sandboxed_for, tool_lists,
};

/// `byProvider`: the entries by key, in canonical form. Several spellings of one key all apply.
#[derive(Clone, Debug, Default)]
pub(crate) struct ByProvider {
    entries: HashMap<String, Vec<ScopeRule>>,
}

impl ByProvider {
    pub fn read(reader: &mut Reader<'_>, owner: Option<&Node>, place: &Place) -> Self {
        let mut all = Self::default();
        let place = place.step("byProvider");
        let Some(map) = owner.and_then(|o| o.get("byProvider")).and_then(Node::as_object) else { return all };
        for (key, node) in map {
            let at = place.step(key);
            let id = provider_key(key);
            let found = all.entries.entry(id).or_default();
            if let Some(first) = found.first() {
                let message = format!("means the same as {}; both apply", first.rule.place.path());
                reader.warn(WarningKind::ConflictingSpellings, at.path(), &node.origin, message);
            }
            found.push(reader.scope(node, at));
        }
        all
    }

    /// The entry for a model: `provider/model` before `provider`; the first that is there counts alone.
    pub fn find(&self, model: Option<&ModelKey>) -> &[ScopeRule] {
        let Some(model) = model.filter(|_| !self.entries.is_empty()) else { return &[] };
        let full = model.full.as_ref().and_then(|k| self.entries.get(k));
        full.or_else(|| self.entries.get(&model.provider)).map_or(&[], Vec::as_slice)
    }
}

/// A model as `byProvider` keys name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelKey {
    provider: String,
    full: Option<String>,
}

impl ModelKey {
    /// `None` without a provider.
    pub fn new(provider: Option<&str>, model: Option<&str>) -> Option<Self> {
        let provider = provider.map(provider_key).filter(|p| !p.is_empty())?;
        let model = model.map(|m| m.trim().to_lowercase()).filter(|m| !m.is_empty());
        let full = model.map(|m| if m.contains('/') { provider_key(&m) } else { format!("{provider}/{m}") });
        Some(Self { provider, full })
    }
}

/// The keys of `byProvider` that a model is looked up under, in order.
pub(crate) fn model_keys(provider: Option<&str>, model: Option<&str>) -> Vec<String> {
    let key = ModelKey::new(provider, model);
    key.into_iter().flat_map(|k| k.full.into_iter().chain([k.provider])).collect()
}

/// Other names of providers (SP-106).
const PROVIDER_ALIASES: &[(&str, &str)] = &[
    ("z.ai", "zai"),
    ("z-ai", "zai"),
    ("opencode-zen", "opencode"),
    ("qwen", "qwen-portal"),
    ("kimi-code", "kimi-coding"),
];

/// A key in canonical form: trimmed, lower case, the provider's alias resolved.
fn provider_key(text: &str) -> String {
    let key = text.trim().to_lowercase();
    let (provider, rest) = match key.split_once('/') {
        Some((provider, rest)) => (provider.trim(), Some(rest)),
        None => (key.as_str(), None),
    };
    let Some((_, name)) = PROVIDER_ALIASES.iter().find(|(alias, _)| *alias == provider) else { return key };
    match rest {
        Some(rest) => format!("{name}/{rest}"),
        None => (*name).to_owned(),
    }
}

/// An agent's policies.
#[derive(Clone, Debug)]
pub(crate) struct AgentRules {
    pub id: AgentId,
    /// `agents.list[i].tools`, when it is there.
    pub scope: Option<ScopeRule>,
    pub by_provider: ByProvider,
    pub sandbox: Arc<SandboxLists>,
    /// What `readOnlyMode` denies, and the layer it acts in.
    pub read_only: Option<(Layer, Arc<Rule>)>,
    /// Which of its sessions are sandboxed.
    pub mode: Result<Mode, SandboxError>,
}

/// Layer 8 of an agent.
#[derive(Clone, Debug)]
pub(crate) struct SandboxLists {
    pub rule: Rule,
}

/// All agents.
#[derive(Clone, Debug)]
pub(crate) struct Agents {
    listed: HashMap<AgentId, AgentRules>,
    /// For agents that are not listed.
    other: AgentRules,
    pub default_id: AgentId,
}

impl Agents {
    pub fn read(reader: &mut Reader<'_>, config: &Node) -> Self {
        let list = config.path(&["agents", "list"]).and_then(Node::as_array).unwrap_or_default();
        let nobody = unlisted(list);
        let shared = Arc::new(sandbox(reader, config, &nobody));
        let mode = |id: &AgentId| is_sandboxed_for(config, id, None).map(|s| s.mode);
        let other = AgentRules {
            id: nobody.clone(),
            scope: None,
            by_provider: ByProvider::default(),
            sandbox: Arc::clone(&shared),
            read_only: read_only(reader, config, &nobody),
            mode: mode(&nobody),
        };
        let mut listed: HashMap<AgentId, AgentRules> = HashMap::new();
        for (index, entry) in list.iter().enumerate() {
            let place = Place::root(KeyPath::keys(["agents", "list"]).index(index));
            let Some(text) = entry.get("id").and_then(Node::as_str).filter(|t| !t.trim().is_empty()) else {
                let message = "an agent without id; its settings apply to nobody".to_owned();
                reader.warn(WarningKind::BlankAgentId, place.path(), &entry.origin, message);
                continue;
            };
            let id = AgentId::normalized(text);
            if let Some(first) = listed.get(&id) {
                let message = format!("agent {} is listed before; the first entry counts", first.id);
                reader.warn(WarningKind::ConflictingSpellings, place.path(), &entry.origin, message);
                continue;
            }
            let tools = entry.get("tools").filter(|t| !t.is_null());
            let at = place.step("tools");
            let own_sandbox = entry.path(&["sandbox", "tools"]).is_some()
                || entry.path(&["tools", "sandbox", "tools"]).is_some();
            let rules = AgentRules {
                scope: tools.map(|t| reader.scope(t, at.clone())),
                by_provider: ByProvider::read(reader, tools, &at),
                sandbox: if own_sandbox {
                    Arc::new(sandbox(reader, config, &id))
                } else {
                    Arc::clone(&shared)
                },
                read_only: match entry.get("readOnlyMode") {
                    Some(_) => read_only(reader, config, &id),
                    None => other.read_only.clone(),
                },
                mode: match entry.path(&["sandbox", "mode"]) {
                    Some(_) => mode(&id),
                    None => other.mode.clone(),
                },
                id: id.clone(),
            };
            listed.insert(id, rules);
        }
        Self { listed, other, default_id: default_agent(config) }
    }

    /// The policies of an agent; those of nobody in particular when it is not listed.
    pub fn get(&self, id: &AgentId) -> &AgentRules {
        self.listed.get(id).unwrap_or(&self.other)
    }
}

/// An id that no entry has, so that only the defaults are seen.
fn unlisted(list: &[Node]) -> AgentId {
    let ids: HashSet<AgentId> =
        list.iter().filter_map(|e| e.get("id")?.as_str()).map(AgentId::normalized).collect();
    let free =
        (0..=ids.len()).map(|n| AgentId::normalized(&format!("unlisted-{n}"))).find(|id| !ids.contains(id));
    free.unwrap_or_else(|| AgentId::normalized("unlisted"))
}

/// `readOnlyMode`: denies for the tools that write or run, in the layer of the place where the switch stands.
fn read_only(reader: &mut Reader<'_>, config: &Node, agent: &AgentId) -> Option<(Layer, Arc<Rule>)> {
    let switch = crate::read_only_mode::expand(config, agent)?;
    let place = Place::root(switch.key.clone());
    let deny = List::fixed(place.clone(), switch.origin.clone(), Standing::Set, switch.deny());
    let layer = if switch.of_agent { Layer::Agent } else { Layer::Global };
    Some((layer, Arc::new(Rule::new(reader, place, switch.origin, Vec::new(), vec![deny]))))
}

/// Layer 8: the lists in force in this agent's sandbox.
fn sandbox(reader: &mut Reader<'_>, config: &Node, agent: &AgentId) -> SandboxLists {
    let lists = tool_lists(config, agent);
    let allow = sandbox_list(&lists.allow, &lists.allow_source);
    let deny = sandbox_list(&lists.deny, &lists.deny_source);
    for warning in &lists.warnings {
        let source = &lists.allow_source;
        reader.warn(
            WarningKind::ConflictingSpellings,
            source.key_path.clone(),
            &source.origin,
            warning.clone(),
        );
    }
    for (source, side) in [(&lists.allow_source, Side::Allow), (&lists.deny_source, Side::Deny)] {
        let parent = source.key_path.parent().and_then(|p| Some((config.at(&p)?, p)));
        if let (Some((owner, at)), Some(Segment::Key(key))) = (parent, source.key_path.segments().last()) {
            reader.check(List::read(owner, key, &Place::root(at)).as_ref(), side);
        }
    }
    let place = allow.place.clone();
    let origin = allow.origin.clone();
    SandboxLists { rule: Rule::new(reader, place, origin, vec![allow], vec![deny]) }
}

fn sandbox_list(names: &[String], source: &ListSource) -> List {
    let standing = match source.level {
        SourceLevel::Agent | SourceLevel::Global => Standing::Set,
        SourceLevel::Default => Standing::Default,
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    List::fixed(Place::root(source.key_path.clone()), source.origin.clone(), standing, &names)
}
