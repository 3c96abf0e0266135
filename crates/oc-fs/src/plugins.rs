//! Which plugins lie on the disk: their ids and channels, read from their manifests. Nothing of them is run.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use oc_config::Reading;
use oc_config::validate::{Plugin, Plugins};
use oc_extensions::plugin::{MANIFEST, Manifest, PluginTools, Standing, standing, tools_of};
use oc_types::Node;
use serde_json::Value;

use crate::bounded_read;
use crate::code_walk::plugin_folders;
use crate::plugin_review::{self, MAX_MANIFEST_BYTES};

#[cfg(test)]
mod tests;

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

/// The tools that loaded plugins declare in their manifest: `tools: ["name", {name, optional}]`.
#[must_use]
pub fn declared_tools(state_dir: &Path, tree: &Node) -> Vec<DeclaredTool> {
    let mut out = Vec::new();
    for plugin in installed(state_dir, tree) {
        let Some(manifest) = plugin.manifest.filter(|_| plugin.standing == Standing::Loaded) else {
            continue;
        };
        let id = manifest.id.to_string();
        let declared = |t: oc_extensions::plugin::DeclaredTool| DeclaredTool {
            name: t.name,
            plugin: id.clone(),
            optional: t.optional,
        };
        out.extend(manifest.tools.into_iter().map(declared));
    }
    out
}

/// The processes of loaded plugins, for whoever starts them. A plugin that nobody named, that is broken or that others can write to has none.
#[must_use]
pub fn processes(state_dir: &Path, tree: &Node) -> Vec<PluginTools> {
    let loaded = installed(state_dir, tree).into_iter().filter(|p| p.standing == Standing::Loaded);
    loaded.filter_map(|p| tools_of(p.manifest.as_ref()?, &p.folder.to_string_lossy(), tree)).collect()
}

/// The skills folders that loaded plugins bring.
#[must_use]
pub fn skill_folders(state_dir: &Path, tree: &Node) -> Vec<PathBuf> {
    let loaded = installed(state_dir, tree).into_iter().filter(|p| p.standing == Standing::Loaded);
    let folders = |p: Installed| {
        let skills = p.manifest.map(|m| m.skills).unwrap_or_default();
        skills.into_iter().map(move |s| p.folder.join(s)).collect::<Vec<_>>()
    };
    loaded.flat_map(folders).collect()
}

/// A folder below `<state>/extensions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its folder's name: the plugin's id, when it is whole.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// Its manifest, when it is usable.
    pub manifest: Option<Manifest>,
    /// Whether it is loaded, and why not.
    pub standing: Standing,
}

/// What lies below `<state>/extensions`, in the order of names, with how each stands.
#[must_use]
pub fn installed(state_dir: &Path, tree: &Node) -> Vec<Installed> {
    let folders = plugin_folders(&state_dir.join("extensions"), true).unwrap_or_default();
    let one = |(name, folder): (String, PathBuf)| {
        let (manifest, problem) = match (trusted_folder(&folder), plugin_review::manifest(&folder)) {
            (Err(why), _) => (None, Some(why)),
            (Ok(()), Err(e)) => (None, Some(e.to_string())),
            (Ok(()), Ok(m)) if m.id.as_str() != name => (
                None,
                Some(format!("its folder is called {}, its id is {}", oc_text::visible(&name, 80), m.id)),
            ),
            (Ok(()), Ok(m)) => (Some(m), None),
        };
        let standing = problem.map_or_else(|| standing::of(tree, &name), Standing::Broken);
        Installed { name, folder, manifest, standing }
    };
    folders.into_iter().map(one).collect()
}

/// Whether a plugin's folder and manifest are its owner's alone: a real folder, ours or the system's, that others cannot write to.
///
/// # Errors
/// Why not.
pub fn trusted_folder(folder: &Path) -> Result<(), String> {
    for path in [folder.to_owned(), folder.join(MANIFEST)] {
        let meta = match path.symlink_metadata() {
            Ok(meta) => meta,
            Err(_) if path != *folder => continue,
            Err(e) => return Err(e.to_string()),
        };
        let shown = path.file_name().map(|n| oc_text::visible(&n.to_string_lossy(), 80)).unwrap_or_default();
        if meta.is_symlink() {
            return Err(format!("{shown} is a link"));
        }
        if ![0, rustix::process::geteuid().as_raw()].contains(&meta.uid()) {
            return Err(format!("{shown} belongs to another user"));
        }
        if meta.mode() & 0o022 != 0 {
            return Err(format!("others can write to {shown}; check it, then `chmod go-w` it"));
        }
    }
    Ok(())
}
