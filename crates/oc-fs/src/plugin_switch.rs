//! A plugin on, off, or away. It is looked over before it is named in the configuration: what speaks against it has to be accepted by name.

use std::fs;
use std::path::Path;

use oc_config::LoadRequest;
use oc_config::edit::Change;
use oc_config::schema::plugins::BUNDLED;
use oc_extensions::plugin::PluginId;
use oc_extensions::plugin::standing::{self, named};
use oc_types::{KeyPath, Node};
use serde_json::Value;
use thiserror::Error;

use crate::config_store::{self, Force, WriteRefused, Writer};
use crate::plugin_install::{InstallRefused, Staging, all, configuration, extensions};
use crate::plugin_review::{self, Blocker, NotAPlugin, Review};
use crate::plugins::trusted_folder;

#[cfg(test)]
mod tests;

/// Why nothing was switched.
#[derive(Debug, Error)]
pub enum SwitchRefused {
    /// There is no such plugin.
    #[error("no plugin {0} is installed in {1}")]
    NotThere(PluginId, String),
    /// Its folder is not what was installed.
    #[error("plugin {id}: {why}")]
    Broken {
        /// The plugin.
        id: PluginId,
        /// What is wrong.
        why: String,
    },
    /// It is no plugin any more.
    #[error("plugin {id}: {source}")]
    NotAPlugin {
        /// The plugin.
        id: PluginId,
        /// Why.
        source: NotAPlugin,
    },
    /// Something speaks against it.
    #[error("plugin {id} is not enabled: {}{}", all(.blockers), how(.blockers))]
    Dangerous {
        /// The plugin.
        id: PluginId,
        /// What speaks against it and was not accepted.
        blockers: Vec<Blocker>,
    },
    /// `--accept` names something that was not found: the operator looked at another plugin.
    #[error("--accept {0}: the scan found nothing of that name; nothing was enabled")]
    NothingToAccept(String),
    /// A list of the configuration forbids it.
    #[error("plugin {0} is named in plugins.deny; remove it there first")]
    Denied(PluginId),
    /// As when installing.
    #[error(transparent)]
    Install(#[from] InstallRefused),
    /// The configuration was not written.
    #[error(transparent)]
    Write(#[from] WriteRefused),
}

/// How the acceptable ones are accepted.
fn how(blockers: &[Blocker]) -> String {
    if blockers.iter().any(|b| !b.acceptable) {
        return String::new();
    }
    let flags: Vec<String> = blockers.iter().map(|b| format!("--accept {}", b.key())).collect();
    format!(". If you have read that code and want it: {}", flags.join(" "))
}

/// What was enabled.
#[derive(Clone, Debug)]
pub struct Enabled {
    /// What a look at it found.
    pub review: Review,
    /// Whether `plugins.allow` did not exist before.
    pub list_made: bool,
    /// Whether `plugins.enabled: false` keeps it from being loaded all the same.
    pub all_off: bool,
}

fn writer(name: &str) -> Writer<'_> {
    Writer { name, force: Force::No, expected: None }
}

fn entry(id: &PluginId) -> KeyPath {
    KeyPath::keys(["plugins", "entries"]).key(id.as_str())
}

/// Looks a plugin over and names it in `plugins.allow`. `accepted`: what the operator accepts, each as `rule:file`.
///
/// # Errors
/// See [`SwitchRefused`]; the configuration is as it was.
pub fn enable(load: &LoadRequest, id: &PluginId, accepted: &[String]) -> Result<Enabled, SwitchRefused> {
    let loaded = configuration(load)?;
    let tree = &loaded.tree;
    let (root, _lock) = extensions(&loaded.locations.state_dir)?;
    let folder = root.join(id.as_str());
    let review = checked(&root, &folder, id)?;
    let known: Vec<String> = review.blockers.iter().filter(|b| b.acceptable).map(Blocker::key).collect();
    if let Some(odd) = accepted.iter().find(|a| !known.contains(a)) {
        return Err(SwitchRefused::NothingToAccept(oc_text::visible(odd, 200)));
    }
    let blockers: Vec<Blocker> =
        review.blockers.iter().filter(|b| !b.acceptable || !accepted.contains(&b.key())).cloned().collect();
    if !blockers.is_empty() {
        return Err(SwitchRefused::Dangerous { id: id.clone(), blockers });
    }
    if named(tree, "deny", id.as_str()).is_some() {
        return Err(SwitchRefused::Denied(id.clone()));
    }
    let mut changes = Vec::new();
    let list = KeyPath::keys(["plugins", "allow"]);
    let has_list = tree.path(&["plugins", "allow"]).and_then(Node::as_array).is_some();
    if !has_list {
        let mut ids: Vec<Value> =
            in_use(tree).into_iter().filter(|i| i != id.as_str()).map(Value::from).collect();
        ids.push(id.as_str().into());
        changes.push(Change::Set { path: list, value: Value::Array(ids) });
    } else if named(tree, "allow", id.as_str()).is_none() {
        changes.push(Change::Append { path: list, value: id.as_str().into() });
    }
    changes.push(Change::Set { path: entry(id).key("enabled"), value: Value::Bool(true) });
    config_store::edit(load, &changes, writer("openclaw plugins enable"))?;
    let all_off = standing::of(tree, id.as_str()) == standing::Standing::AllOff;
    Ok(Enabled { review, list_made: !has_list, all_off })
}

/// A review of an installed plugin, in a folder that nobody else may have written.
fn checked(root: &Path, folder: &Path, id: &PluginId) -> Result<Review, SwitchRefused> {
    if folder.symlink_metadata().is_err() {
        return Err(SwitchRefused::NotThere(id.clone(), root.display().to_string()));
    }
    if let Err(why) = trusted_folder(folder) {
        return Err(SwitchRefused::Broken { id: id.clone(), why });
    }
    let review = plugin_review::review(folder)
        .map_err(|source| SwitchRefused::NotAPlugin { id: id.clone(), source })?;
    if review.manifest.id != *id {
        let why = format!("its manifest has the id {}", review.manifest.id);
        return Err(SwitchRefused::Broken { id: id.clone(), why });
    }
    Ok(review)
}

/// The plugins that a new list must name so that nothing goes off by it: those that are switched on, and the channels that are set up.
fn in_use(tree: &Node) -> Vec<String> {
    let on = |node: &Node| node.get("enabled").and_then(Node::as_bool);
    let mut out: Vec<String> = Vec::new();
    for (id, node) in tree.path(&["plugins", "entries"]).and_then(Node::as_object).into_iter().flatten() {
        if on(node) == Some(true) {
            out.push(id.clone());
        }
    }
    for (id, node) in tree.get("channels").and_then(Node::as_object).into_iter().flatten() {
        let is_plugin = BUNDLED.iter().any(|b| b.id == id);
        if is_plugin && on(node) != Some(false) && !out.contains(id) {
            out.push(id.clone());
        }
    }
    out
}

/// Takes a plugin out of `plugins.allow` and switches its entry off. It need not be there any more.
///
/// # Errors
/// See [`SwitchRefused`].
pub fn disable(load: &LoadRequest, id: &PluginId) -> Result<(), SwitchRefused> {
    let loaded = configuration(load)?;
    let (root, _lock) = extensions(&loaded.locations.state_dir)?;
    let has_entry = loaded.tree.path(&["plugins", "entries", id.as_str()]).is_some();
    let there = root.join(id.as_str()).symlink_metadata().is_ok();
    if !there && !has_entry && named(&loaded.tree, "allow", id.as_str()).is_none() {
        return Err(SwitchRefused::NotThere(id.clone(), root.display().to_string()));
    }
    let mut changes = unlisted(&loaded.tree, "allow", id);
    if there {
        changes.push(Change::Set { path: entry(id).key("enabled"), value: Value::Bool(false) });
    }
    config_store::edit(load, &changes, writer("openclaw plugins disable"))?;
    Ok(())
}

/// The change that takes an id out of a list; none when it is not in it.
fn unlisted(tree: &Node, list: &str, id: &PluginId) -> Vec<Change> {
    let Some(entries) = tree.path(&["plugins", list]).and_then(Node::as_array) else { return Vec::new() };
    let is_it = |n: &Node| n.as_str().is_some_and(|e| e.trim() == id.as_str());
    // From the end, so that no removal moves the next one.
    let at = entries.iter().enumerate().rev().filter(|(_, n)| is_it(n)).map(|(at, _)| at);
    at.map(|at| Change::Unset { path: KeyPath::keys(["plugins", list]).index(at) }).collect()
}

/// Removes a plugin: its folder, its record, its entry and its names in the lists. True: there was a folder.
///
/// # Errors
/// See [`SwitchRefused`]; everything is as it was.
pub fn remove(load: &LoadRequest, id: &PluginId) -> Result<bool, SwitchRefused> {
    let loaded = configuration(load)?;
    let tree = &loaded.tree;
    let (root, _lock) = extensions(&loaded.locations.state_dir)?;
    let folder = root.join(id.as_str());
    let there = folder.symlink_metadata().is_ok();
    let mut changes = unlisted(tree, "allow", id);
    changes.extend(unlisted(tree, "deny", id));
    for area in ["entries", "installs"] {
        if tree.path(&["plugins", area, id.as_str()]).is_some() {
            changes.push(Change::Unset { path: KeyPath::keys(["plugins", area]).key(id.as_str()) });
        }
    }
    if !there && changes.is_empty() {
        return Err(SwitchRefused::NotThere(id.clone(), root.display().to_string()));
    }
    let staging = Staging::new(&loaded.locations.state_dir)?;
    let away = staging.path("removed");
    if there {
        fs::rename(&folder, &away)
            .map_err(|source| InstallRefused::System { path: folder.clone(), source })?;
    }
    if !changes.is_empty()
        && let Err(e) = config_store::edit(load, &changes, writer("openclaw plugins remove"))
    {
        if there {
            let _ = fs::rename(&away, &folder);
        }
        return Err(e.into());
    }
    Ok(there)
}
