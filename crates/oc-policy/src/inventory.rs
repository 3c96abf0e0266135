//! The tools that exist, before any policy: the product's own and those of plugins.
//!
//! A policy is compiled against an inventory: plugin ids, `group:plugins` and patterns mean the tools that are there.

mod presence;

use std::collections::{BTreeMap, HashMap};

pub use presence::{Absence, Presence, ReadOnlyFiles, materialize};

use crate::tool_name::{CHANNELS, CORE, MEMORY, MEMORY_PLUGIN, WHATSAPP_LOGIN, canonical};

/// A tool that could be offered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tool {
    name: String,
    plugin: Option<String>,
    optional: bool,
}

impl Tool {
    /// A tool of the product itself.
    pub fn core(name: impl Into<String>) -> Self {
        Self { name: name.into(), plugin: None, optional: false }
    }

    /// A tool of a plugin.
    pub fn plugin(name: impl Into<String>, plugin: impl Into<String>) -> Self {
        Self { name: name.into(), plugin: Some(plugin.into()), optional: false }
    }

    /// The tool that a name of the form `mcp__SERVER__TOOL` stands for: one of the MCP server `SERVER`. `None` for other names.
    #[must_use]
    pub fn of_mcp(name: &str) -> Option<Self> {
        let name = canonical(name);
        let (server, tool) = name.strip_prefix("mcp__")?.split_once("__")?;
        (!server.is_empty() && !tool.is_empty()).then(|| Self::plugin(&*name, server))
    }

    /// Marks a plugin's tool as optional: some allow list has to name it, its plugin or `group:plugins` literally.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The name as registered; compared in canonical form only.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The owning plugin; `None` for the product's own tools.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.plugin.as_deref()
    }

    /// Whether the tool waits to be named in an allow list.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.optional
    }
}

/// The tools that exist, each canonical name once: the first registration of a name keeps it.
#[derive(Clone, Debug)]
pub struct Inventory {
    tools: Vec<Tool>,
    names: Vec<Box<str>>,
    ids: HashMap<Box<str>, usize>,
    plugins: BTreeMap<String, Vec<usize>>,
}

impl Inventory {
    /// The given tools and no others. A later tool with the same canonical name is left out: a plugin cannot take over a name.
    pub fn new(tools: impl IntoIterator<Item = Tool>) -> Self {
        let mut new =
            Self { tools: Vec::new(), names: Vec::new(), ids: HashMap::new(), plugins: BTreeMap::new() };
        for tool in tools {
            let name: Box<str> = canonical(&tool.name).into();
            if name.is_empty() || new.ids.contains_key(&name) {
                continue;
            }
            let id = new.tools.len();
            if let Some(plugin) = &tool.plugin {
                new.plugins.entry(plugin.trim().to_lowercase()).or_default().push(id);
            }
            new.ids.insert(name.clone(), id);
            new.names.push(name);
            new.tools.push(tool);
        }
        new
    }

    /// The product's own tools, the shipped memory plugin and the WhatsApp login tool.
    #[must_use]
    pub fn standard() -> Self {
        Self::with_plugins([])
    }

    /// [`Inventory::standard`] and the tools of further plugins.
    pub fn with_plugins(plugins: impl IntoIterator<Item = Tool>) -> Self {
        let own = CORE.iter().chain(&[WHATSAPP_LOGIN]).map(|n| Tool::core(*n));
        let memory = MEMORY.iter().map(|n| Tool::plugin(*n, MEMORY_PLUGIN));
        Self::new(own.chain(memory).chain(plugins))
    }

    /// The tools, in order of registration.
    #[must_use]
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tools.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// The tool of a name in any spelling.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tool> {
        self.tools.get(self.id(&canonical(name))?)
    }

    pub(crate) fn id(&self, canonical: &str) -> Option<usize> {
        self.ids.get(canonical).copied()
    }

    /// Canonical names in the order of the tools.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|n| &**n)
    }

    /// The tools of a plugin, by its id in canonical form; empty when there is no such plugin.
    pub(crate) fn of_plugin(&self, plugin: &str) -> &[usize] {
        self.plugins.get(plugin).map_or(&[], Vec::as_slice)
    }

    /// All tools of all plugins.
    pub(crate) fn plugin_tools(&self) -> impl Iterator<Item = usize> {
        self.plugins.values().flatten().copied()
    }

    pub(crate) fn owner_of(&self, id: usize) -> Option<&str> {
        self.tools.get(id)?.owner()
    }

    pub(crate) fn plugin_ids(&self) -> impl Iterator<Item = &str> {
        self.plugins.keys().map(String::as_str)
    }
}

/// Whether a canonical word is a channel id: a built-in one, or one that the configuration sets up.
pub(crate) fn is_channel(word: &str, configured: &[String]) -> bool {
    CHANNELS.contains(&word) || configured.iter().any(|c| c == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_an_mcp_server_says_whose_it_is() {
        let tool = Tool::of_mcp(" MCP__files__read__all ").unwrap();
        assert_eq!((tool.name(), tool.owner()), ("mcp__files__read__all", Some("files")));
        for other in ["read", "mcp__", "mcp__files", "mcp____x", "mcp__files__", "xmcp__a__b"] {
            assert_eq!(Tool::of_mcp(other), None, "{other}");
        }
    }

    #[test]
    fn a_plugin_cannot_take_over_a_name() {
        let inventory =
            Inventory::with_plugins([Tool::plugin(" Bash ", "evil"), Tool::plugin("new_tool", "Evil")]);
        assert_eq!(inventory.get("exec").and_then(Tool::owner), None);
        assert_eq!(inventory.of_plugin("evil").len(), 1);
        assert_eq!(inventory.get("NEW_TOOL").and_then(Tool::owner), Some("Evil"));
    }
}
