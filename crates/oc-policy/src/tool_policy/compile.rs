//! Reading a configuration into a policy that can be asked at once.

use oc_types::{KeyPath, Node, Object, Origin, Value};

use super::agents::{Agents, ByProvider};
use super::list::Place;
use super::reader::Reader;
use super::room::Rooms;
use super::rule::{Rule, ScopeRule};
use super::{Context, FilteredTools, Refusal, Stack, ToolDecision, Warning};
use crate::inventory::{Inventory, Tool};
use crate::session_key::SessionScope;
use crate::subagent;

/// A configuration's tool policy, read once: names resolved, patterns matched against the inventory.
///
/// Immutable; a changed configuration or inventory is compiled anew.
#[derive(Clone, Debug)]
pub struct CompiledPolicy {
    pub(super) inventory: Inventory,
    pub(super) exec: Option<usize>,
    pub(super) global: ScopeRule,
    pub(super) providers: ByProvider,
    pub(super) agents: Agents,
    pub(super) rooms: Rooms,
    pub(super) subagent: Rule,
    pub(super) session_scope: SessionScope,
}

impl CompiledPolicy {
    /// Compiles for the product's own tools ([`Inventory::standard`]).
    ///
    /// Never fails: what cannot be understood restricts, and is reported.
    ///
    /// ```
    /// use oc_policy::tool_policy::{CompiledPolicy, Context};
    /// use oc_types::{Node, Origin};
    ///
    /// let config = serde_json::json!({"tools": {"profile": "coding", "deny": ["group:runtime"]}});
    /// let (policy, warnings) = CompiledPolicy::compile(&Node::from_json(&config, &Origin::Default));
    /// assert!(warnings.is_empty());
    /// let context = Context::session("agent:main:main");
    /// assert!(policy.decide(&context, "read")?.is_allowed());
    /// assert!(!policy.decide(&context, "bash")?.is_allowed());
    /// # Ok::<(), oc_policy::tool_policy::Refusal>(())
    /// ```
    #[must_use]
    pub fn compile(config: &Node) -> (Self, Vec<Warning>) {
        Self::compile_with(config, Inventory::standard())
    }

    /// Compiles for a given inventory: what plugin ids, `group:plugins` and patterns mean depends on it.
    #[must_use]
    pub fn compile_with(config: &Node, inventory: Inventory) -> (Self, Vec<Warning>) {
        let reader = Reader::new(config, &inventory);
        Self::read(config, inventory.clone(), reader)
    }

    /// The same for callers that have no use for warnings: naming the nearest known word is the dearest part of compiling.
    pub(crate) fn compile_quietly(config: &Node, inventory: &Inventory) -> Self {
        Self::read(config, inventory.clone(), Reader::new(config, inventory).quiet()).0
    }

    fn read(config: &Node, inventory: Inventory, mut reader: Reader<'_>) -> (Self, Vec<Warning>) {
        let place = Place::root(KeyPath::keys(["tools"]));
        let tools = config.get("tools").filter(|t| !t.is_null());
        let nothing = Node::new(Value::Object(Object::new()), Origin::Default);
        let global = reader.scope(tools.unwrap_or(&nothing), place.clone());
        let providers = ByProvider::read(&mut reader, tools, &place);
        let agents = Agents::read(&mut reader, config);
        let rooms = Rooms::read(&mut reader, config);
        let subagent = subagent::read(&mut reader, config);
        let (exec, warnings) = (reader.exec, reader.into_warnings());
        let session_scope = SessionScope::from_config(config);
        (Self { inventory, exec, global, providers, agents, rooms, subagent, session_scope }, warnings)
    }

    /// The tools it was compiled for.
    #[must_use]
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// The layers that apply in a context. Ask the result for as many tools as needed.
    ///
    /// # Errors
    /// [`Refusal`]: a malformed session key, a room the session does not belong to, an unreadable sandbox setting.
    pub fn stack<'p>(&'p self, context: &Context<'_>) -> Result<Stack<'p>, Refusal> {
        Stack::new(self, context)
    }

    /// Decides about one tool, in any spelling.
    ///
    /// # Errors
    /// As [`CompiledPolicy::stack`].
    pub fn decide(&self, context: &Context<'_>, tool: &str) -> Result<ToolDecision, Refusal> {
        Ok(self.stack(context)?.decide(tool))
    }

    /// What is left of the candidates.
    ///
    /// # Errors
    /// As [`CompiledPolicy::stack`].
    pub fn filter(&self, context: &Context<'_>, candidates: &[Tool]) -> Result<FilteredTools, Refusal> {
        Ok(self.stack(context)?.filter(candidates))
    }
}
