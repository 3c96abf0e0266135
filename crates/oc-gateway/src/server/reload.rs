//! A changed configuration: read, judged, put in force, or refused with the old one still in force (gateway 1, SP-063, SP-067).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use notify::{EventKind, RecursiveMode, Watcher as _};
use oc_types::Node;
use tokio::sync::mpsc;

use super::snapshot::Snapshot;
use super::state::{Gateway, stopping};
use crate::settings::ReloadMode;

#[cfg(test)]
mod tests;

/// How often the files are looked at besides, for file systems that tell nothing.
const LOOK: Duration = Duration::from_secs(5);

/// What a change of the configuration needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Nothing changed.
    Nothing,
    /// The new snapshot is put in force.
    Swap,
    /// What listens has to be opened anew.
    Restart,
}

/// Keys below `gateway` that a swap puts in force: credentials and lists that are looked at for each decision.
const SWAPPED: [&str; 9] =
    ["auth", "controlUi", "trustedProxies", "nodes", "tools", "http", "reload", "remote", "mode"];

/// What the difference of two configurations needs. Pure.
#[must_use]
pub fn need(old: &Node, new: &Node) -> Need {
    let part = |tree: &Node, key: &str| tree.get(key).map(Node::to_json);
    let mut need = Need::Nothing;
    for key in keys(old, new) {
        if part(old, &key) == part(new, &key) {
            continue;
        }
        need = need.max(match key.as_str() {
            "gateway" => gateway(old, new),
            "discovery" | "plugins" | "canvasHost" => Need::Restart,
            _ => Need::Swap,
        });
    }
    need
}

fn gateway(old: &Node, new: &Node) -> Need {
    let empty = Node::empty();
    let (old, new) = (old.get("gateway").unwrap_or(&empty), new.get("gateway").unwrap_or(&empty));
    let changed = |key: &String| old.get(key).map(Node::to_json) != new.get(key).map(Node::to_json);
    let all: Vec<String> = keys(old, new).into_iter().filter(changed).collect();
    let swapped = |key: &String| SWAPPED.contains(&key.as_str());
    if all.iter().all(swapped) { Need::Swap } else { Need::Restart }
}

fn keys(old: &Node, new: &Node) -> Vec<String> {
    let of = |n: &Node| n.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let mut all = of(old);
    all.extend(of(new));
    all.sort_unstable();
    all.dedup();
    all
}

/// How a reload ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// Nothing changed.
    Same,
    /// The new snapshot is in force.
    Swapped {
        /// Its number.
        generation: u64,
    },
    /// The gateway starts anew.
    Restarting,
    /// The new configuration is wrong; the old one stays in force.
    Refused {
        /// Why.
        why: Vec<String>,
    },
    /// Reloading is switched off.
    Off,
}

/// Reads the configuration and puts it in force. Blocking. `restart`: whether a change that needs it may restart the gateway.
pub fn now(gateway: &Gateway) -> Reloaded {
    let _one = gateway.reloading.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let old = gateway.snapshot();
    let read = gateway.source.read(old.generation.saturating_add(1), &gateway.interfaces);
    let new: Snapshot = match read {
        Ok(new) => new,
        Err(why) => {
            let why: Vec<String> = why.iter().map(ToString::to_string).collect();
            for one in &why {
                tracing::warn!(
                    target: "gateway/reload",
                    why = %oc_text::visible(one, 400), generation = old.generation,
                    "the changed configuration is not valid; the gateway goes on with the one it has"
                );
            }
            return Reloaded::Refused { why };
        }
    };
    if let Some(log) = &gateway.log {
        log.reload(super::logging::settings(&new.loaded, gateway.source.flags.verbose));
    }
    let same_secret = old.settings.accepts.is_same(&new.settings.accepts);
    let need = match need(&old.loaded.tree, &new.loaded.tree) {
        Need::Nothing if !same_secret || old.loaded.files != new.loaded.files => Need::Swap,
        need => need,
    };
    let mode = old.settings.reload.mode;
    let generation = new.generation;
    match (need, mode) {
        (Need::Nothing, _) => Reloaded::Same,
        // A credential that is no longer one is refused from now on, whatever the mode says (SP-350).
        (_, ReloadMode::Off) if same_secret => Reloaded::Off,
        (Need::Restart, ReloadMode::Hybrid | ReloadMode::Restart) | (Need::Swap, ReloadMode::Restart) => {
            gateway.swap(new);
            tracing::info!(target: "gateway/reload", generation, "the configuration changed; starting anew");
            gateway.stop("configuration changed", Some(1500));
            Reloaded::Restarting
        }
        (Need::Swap | Need::Restart, _) => {
            gateway.swap(new);
            tracing::info!(target: "gateway/reload", generation, "configuration in force");
            if need == Need::Restart {
                tracing::warn!(target: "gateway/reload", "some changes take effect after `openclaw gateway restart`");
            }
            Reloaded::Swapped { generation }
        }
    }
}

/// Watches the configuration's files until the gateway ends.
pub async fn watch(gateway: Arc<Gateway>) {
    let (tell, mut told) = mpsc::channel::<()>(1);
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let relevant = event.is_ok_and(|e| !matches!(e.kind, EventKind::Access(_)));
        if relevant {
            let _ = tell.try_send(());
        }
    });
    let mut watcher = match watcher {
        Ok(watcher) => Some(watcher),
        Err(e) => {
            tracing::warn!(target: "gateway/reload", error = %e, "changes are looked for every few seconds instead");
            None
        }
    };
    let mut watched: Vec<std::path::PathBuf> = Vec::new();
    let mut phase = gateway.phase();
    let mut seen = stamp(&gateway);
    loop {
        if let Some(watcher) = &mut watcher {
            for folder in folders(&gateway).into_iter().filter(|f| !watched.contains(f)).collect::<Vec<_>>() {
                // The folder, not the file: a replaced file is another inode.
                if watcher.watch(&folder, RecursiveMode::NonRecursive).is_ok() {
                    watched.push(folder);
                }
            }
        }
        tokio::select! {
            _ = told.recv(), if watcher.is_some() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = stopping(&mut phase) => return,
        }
        let found = stamp(&gateway);
        if found == seen {
            continue;
        }
        let debounce = gateway.snapshot().settings.reload.debounce_ms;
        tokio::time::sleep(Duration::from_millis(debounce)).await;
        while told.try_recv().is_ok() {}
        seen = stamp(&gateway);
        let gateway = Arc::clone(&gateway);
        let _ = tokio::task::spawn_blocking(move || now(&gateway)).await;
    }
}

/// The folders of the configuration's files.
fn folders(gateway: &Gateway) -> Vec<std::path::PathBuf> {
    let snapshot = gateway.snapshot();
    let loaded = &snapshot.loaded;
    let files = loaded.files.iter().map(|f| f.path.as_path()).chain([loaded.locations.config.as_path()]);
    let mut out: Vec<_> = files.filter_map(Path::parent).map(Path::to_owned).collect();
    out.push(loaded.locations.state_dir.clone());
    out.sort();
    out.dedup();
    out
}

/// What changes when one of the configuration's files does: size, time, inode.
fn stamp(gateway: &Gateway) -> Vec<Option<(u64, u64, std::time::SystemTime)>> {
    use std::os::unix::fs::MetadataExt as _;
    let snapshot = gateway.snapshot();
    let loaded = &snapshot.loaded;
    let dotenv = loaded.locations.state_dir.join(".env");
    let files =
        loaded.files.iter().map(|f| f.path.as_path()).chain([loaded.locations.config.as_path(), &dotenv]);
    files
        .map(|path| {
            let meta = path.symlink_metadata().ok()?;
            Some((meta.len(), meta.ino(), meta.modified().ok()?))
        })
        .collect()
}
