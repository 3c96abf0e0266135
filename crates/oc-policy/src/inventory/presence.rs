//! Which tools are present before any policy: the gates of the inventory (tool-policy 1.2).

use oc_types::{KeyPath, Node};

use super::{Inventory, Tool};
use crate::tool_name::canonical;

/// Whether the session's file tools may write: a sandbox with `workspaceAccess: "ro"` withdraws those that do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadOnlyFiles {
    /// The workspace is mounted read-only: `write`, `edit` and `apply_patch` are withdrawn.
    Yes,
    /// They stay.
    No,
}

/// What the gates ask about the session and its model.
#[derive(Clone, Copy, Debug)]
pub struct Presence<'a> {
    /// Provider of the model in use.
    pub provider: Option<&'a str>,
    /// The model in use.
    pub model: Option<&'a str>,
    /// Whether the model itself sees images.
    pub model_sees_images: Option<bool>,
    /// Whether file tools may write.
    pub read_only: ReadOnlyFiles,
}

/// Why a tool is not there, before any policy was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Absence {
    /// No part of the product and no loaded plugin offers a tool of that name.
    Unknown,
    /// An optional plugin tool that no allow list names literally.
    OptionalPluginTool,
    /// A writing file tool in a sandbox whose workspace is read-only.
    WorkspaceReadOnly,
    /// `apply_patch` is switched off, or the model is not one it is for.
    ApplyPatchGate,
    /// `tools.web.search.enabled` is false.
    WebSearchOff,
    /// `tools.web.fetch.enabled` is false.
    WebFetchOff,
    /// `browser.enabled` is false.
    BrowserOff,
    /// No image-capable model.
    NoImageModel,
    /// `plugins.slots.memory` is `none`.
    MemorySlotNone,
}

impl Absence {
    /// The stable word of the rule.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown-tool",
            Self::OptionalPluginTool => "optional-plugin-tool",
            Self::WorkspaceReadOnly => "workspace-read-only",
            Self::ApplyPatchGate => "apply-patch-gate",
            Self::WebSearchOff => "web-search-disabled",
            Self::WebFetchOff => "web-fetch-disabled",
            Self::BrowserOff => "browser-disabled",
            Self::NoImageModel => "no-image-model",
            Self::MemorySlotNone => "memory-slot-none",
        }
    }

    /// The key that decides, where it is the same for everyone.
    #[must_use]
    pub fn key(self) -> Option<KeyPath> {
        match self {
            Self::ApplyPatchGate => Some(KeyPath::dotted("tools.exec.applyPatch.enabled")),
            Self::WebSearchOff => Some(KeyPath::dotted("tools.web.search.enabled")),
            Self::WebFetchOff => Some(KeyPath::dotted("tools.web.fetch.enabled")),
            Self::BrowserOff => Some(KeyPath::dotted("browser.enabled")),
            Self::NoImageModel => Some(KeyPath::dotted("agents.defaults.imageModel.primary")),
            Self::MemorySlotNone => Some(KeyPath::dotted("plugins.slots.memory")),
            Self::Unknown | Self::OptionalPluginTool | Self::WorkspaceReadOnly => None,
        }
    }
}

impl Presence<'_> {
    /// Why a tool of the inventory is absent; `None` when it is there. Whether an optional tool is named is not asked here.
    #[must_use]
    pub fn absence(&self, config: &Node, tool: &Tool) -> Option<Absence> {
        let name = canonical(tool.name());
        let writes = matches!(&*name, "write" | "edit" | "apply_patch") && tool.owner().is_none();
        if writes && self.read_only == ReadOnlyFiles::Yes {
            return Some(Absence::WorkspaceReadOnly);
        }
        if tool.owner().is_some_and(|p| p.trim().eq_ignore_ascii_case(crate::tool_name::MEMORY_PLUGIN)) {
            let slot = config.path(&["plugins", "slots", "memory"]).and_then(Node::as_str);
            return (slot.map(str::trim) == Some("none")).then_some(Absence::MemorySlotNone);
        }
        if tool.owner().is_some() {
            return None;
        }
        let off = |path: &[&str]| config.path(path).is_some_and(|n| n.as_bool() != Some(true));
        match &*name {
            "apply_patch" => (!self.patches(config)).then_some(Absence::ApplyPatchGate),
            "web_search" => off(&["tools", "web", "search", "enabled"]).then_some(Absence::WebSearchOff),
            "web_fetch" => off(&["tools", "web", "fetch", "enabled"]).then_some(Absence::WebFetchOff),
            "browser" => off(&["browser", "enabled"]).then_some(Absence::BrowserOff),
            "image" => (!self.sees(config)).then_some(Absence::NoImageModel),
            _ => None,
        }
    }

    /// `apply_patch` is for OpenAI's models, when switched on, and only for the listed ones when a list is given.
    fn patches(&self, config: &Node) -> bool {
        let Some(gate) = config.path(&["tools", "exec", "applyPatch"]) else { return false };
        if gate.get("enabled").and_then(Node::as_bool) != Some(true) {
            return false;
        }
        let provider = self.provider.map(|p| p.trim().to_lowercase()).unwrap_or_default();
        if !matches!(provider.as_str(), "openai" | "openai-codex") {
            return false;
        }
        let Some(list) = gate.get("allowModels").filter(|n| !n.is_null()) else { return true };
        let Some(entries) = list.as_array() else { return false };
        if entries.is_empty() {
            return true;
        }
        let Some(model) = self.model.map(|m| m.trim().to_lowercase()).filter(|m| !m.is_empty()) else {
            return false;
        };
        let full = if model.contains('/') { model.clone() } else { format!("{provider}/{model}") };
        let wanted = |e: &Node| e.as_entry().map(|t| t.trim().to_lowercase()).filter(|t| !t.is_empty());
        entries.iter().filter_map(wanted).any(|e| e == model || e == full)
    }

    fn sees(&self, config: &Node) -> bool {
        let model = config.path(&["agents", "defaults", "imageModel"]);
        let primary = model.and_then(|m| m.as_str().or_else(|| m.get("primary").and_then(Node::as_str)));
        primary.is_some_and(|p| !p.trim().is_empty()) || self.model_sees_images == Some(true)
    }
}

/// The tools of an inventory that are present for a session, without the optional ones.
#[must_use]
pub fn materialize(config: &Node, inventory: &Inventory, presence: &Presence<'_>) -> Vec<Tool> {
    let there = |t: &&Tool| !t.is_optional() && presence.absence(config, t).is_none();
    inventory.tools().iter().filter(there).cloned().collect()
}
