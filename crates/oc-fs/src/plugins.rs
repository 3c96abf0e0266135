//! Which plugins lie on the disk: their ids and channels, read from their manifests. Nothing of them is run.

use std::path::{Path, PathBuf};

use oc_config::Reading;
use oc_config::validate::{Plugin, Plugins};
use oc_types::Node;
use serde_json::Value;

use crate::bounded_read;
use crate::code_walk::plugin_folders;

#[cfg(test)]
mod tests;

/// Largest manifest, in bytes.
const MAX_MANIFEST_BYTES: u64 = 1024 * 1024;
/// Name of a plugin's manifest.
const MANIFEST: &str = "openclaw.plugin.json";
/// Files that make a folder a plugin without a package manifest.
const ENTRIES: &[&str] = &["index.ts", "index.js", "index.mjs", "index.cjs"];

/// The plugins below `<state>/extensions` and in `plugins.load.paths`. A folder that holds no plugin is passed over.
///
/// A plugin without a usable manifest has a [`Plugin::problem`] in the era reading, where it makes the configuration
/// invalid. In the product's reading it is as if it were not there: it is not loaded, and naming it is the error.
#[must_use]
pub fn find(state_dir: &Path, tree: &Node, reading: Reading) -> Plugins {
    let mut folders: Vec<PathBuf> = Vec::new();
    let mut add = |root: &Path| {
        folders.extend(plugin_folders(root, true).unwrap_or_default().into_iter().map(|(_, path)| path));
    };
    add(&state_dir.join("extensions"));
    let listed = tree.path(&["plugins", "load", "paths"]).and_then(Node::entries).unwrap_or_default();
    let mut named: Vec<PathBuf> = Vec::new();
    for path in listed.iter().map(PathBuf::from).filter(|p| p.is_absolute()) {
        if is_plugin(&path) || !path.is_dir() {
            named.push(path);
        } else {
            add(&path);
        }
    }
    let mut found = Vec::new();
    for folder in named.iter().chain(&folders) {
        let folder = if folder.is_file() { folder.parent().unwrap_or(folder) } else { folder };
        if !named.contains(&folder.to_path_buf()) && !is_plugin(folder) && !folder.join(MANIFEST).is_file() {
            continue;
        }
        let plugin = read(folder);
        let is_candidate = is_plugin(folder);
        match plugin.problem {
            None if is_candidate || reading == Reading::Product => found.push(plugin),
            Some(_) if is_candidate && reading == Reading::Era => found.push(plugin),
            None | Some(_) => {}
        }
    }
    Plugins { found }
}

/// Whether a folder has something to load: entries in its package manifest, or an index file.
fn is_plugin(folder: &Path) -> bool {
    let package = bounded_read::text(&folder.join("package.json"), MAX_MANIFEST_BYTES)
        .ok()
        .and_then(|t| serde_json::from_str::<Value>(&t).ok());
    let listed = package
        .as_ref()
        .and_then(|p| p.pointer("/openclaw/extensions"))
        .and_then(Value::as_array)
        .is_some_and(|e| !e.is_empty());
    listed || ENTRIES.iter().any(|name| folder.join(name).is_file())
}

fn read(folder: &Path) -> Plugin {
    let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let broken = |problem: &str| Plugin {
        id: name.clone(),
        channels: Vec::new(),
        problem: Some(format!("{problem} ({})", folder.join(MANIFEST).display())),
    };
    let Ok(text) = bounded_read::text(&folder.join(MANIFEST), MAX_MANIFEST_BYTES) else {
        return broken("its manifest is missing or cannot be read");
    };
    let Ok(manifest) = serde_json::from_str::<Value>(&text) else {
        return broken("its manifest is no JSON");
    };
    let Some(id) = manifest.get("id").and_then(Value::as_str).map(str::trim).filter(|id| !id.is_empty())
    else {
        return broken("its manifest has no id");
    };
    if manifest.get("configSchema").and_then(Value::as_object).is_none() {
        return broken("its manifest has no configSchema");
    }
    let channels = manifest.get("channels").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let channels = channels.iter().filter_map(Value::as_str).map(|c| c.trim().to_owned()).collect();
    Plugin { id: id.to_owned(), channels, problem: None }
}

/// A tool that a plugin declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredTool {
    /// Its name.
    pub name: String,
    /// The plugin's id.
    pub plugin: String,
    /// Whether it is offered only where a list names it.
    pub optional: bool,
}

/// The tools that installed and enabled plugins declare in their manifest: `tools: ["name", {name, optional}]`.
#[must_use]
pub fn declared_tools(state_dir: &Path, tree: &Node) -> Vec<DeclaredTool> {
    let mut out = Vec::new();
    for (folder, path) in plugin_folders(&state_dir.join("extensions"), false).unwrap_or_default() {
        let Ok(text) = bounded_read::text(&path.join(MANIFEST), MAX_MANIFEST_BYTES) else { continue };
        let Ok(manifest) = serde_json::from_str::<Value>(&text) else { continue };
        let id = manifest.get("id").and_then(Value::as_str).unwrap_or(&folder).to_owned();
        if !is_enabled(tree, &id) {
            continue;
        }
        for tool in manifest.get("tools").and_then(Value::as_array).into_iter().flatten() {
            let name = tool.as_str().or_else(|| tool.get("name").and_then(Value::as_str));
            let optional = tool.get("optional").and_then(Value::as_bool).unwrap_or(false);
            let declared = |n: &str| DeclaredTool { name: n.to_owned(), plugin: id.clone(), optional };
            out.extend(name.map(declared));
        }
    }
    out
}

fn is_enabled(tree: &Node, id: &str) -> bool {
    let off = |path: &[&str]| tree.path(path).and_then(Node::as_bool) == Some(false);
    let listed = |name: &str| {
        let list = tree.path(&["plugins", name]).and_then(Node::entries);
        list.map(|l| l.iter().any(|e| e == id))
    };
    !off(&["plugins", "enabled"])
        && !off(&["plugins", "entries", id, "enabled"])
        && listed("deny") != Some(true)
        && listed("allow") != Some(false)
}
