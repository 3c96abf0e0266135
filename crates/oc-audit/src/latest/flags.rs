//! Switches whose names say that they are dangerous (SP-287).

use oc_config::schema;
use oc_types::{KeyPath, Node, Severity, Value};

use super::reach::Scope;
use crate::{AuditContext, Findings};

/// Keys of this kind that have a finding of their own.
const OWN_FINDING: [&str; 2] = ["dangerouslyDisableDeviceAuth", "dangerouslyAllowNameMatching"];

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let mut found: Vec<(KeyPath, &str)> = Vec::new();
    let truth = |keys: &str| ctx.config.at(&KeyPath::dotted(keys)).and_then(Node::as_bool);
    let external = "content from outside goes to the model unmarked";
    for (keys, bad, why) in [
        ("hooks.gmail.allowUnsafeExternalContent", true, external),
        ("hooks.allowRequestSessionKey", true, "callers of hooks name the session"),
        ("tools.fs.workspaceOnly", false, "file tools reach the whole disk"),
        ("tools.exec.applyPatch.workspaceOnly", false, "patches reach the whole disk"),
    ] {
        if truth(keys) == Some(bad) {
            found.push((KeyPath::dotted(keys), why));
        }
    }
    let mappings = ctx.get(&["hooks", "mappings"]).and_then(Node::as_array).unwrap_or_default();
    for (i, mapping) in mappings.iter().enumerate() {
        if mapping.get("allowUnsafeExternalContent").and_then(Node::as_bool) == Some(true) {
            found.push((
                KeyPath::dotted("hooks.mappings").index(i).key("allowUnsafeExternalContent"),
                external,
            ));
        }
    }
    // The vocabulary is gone through only when a plugin is configured at all.
    let plugin_flags = match ctx.get(&["plugins", "entries"]) {
        Some(_) => {
            schema::dangerous_keys().into_iter().filter(|k| k.pattern.starts_with("plugins.")).collect()
        }
        None => Vec::new(),
    };
    let mut dangerous = Vec::new();
    let is_plugin_flag =
        |path: &KeyPath, node: &Node| plugin_flags.iter().any(|k| k.is_at(path) && k.lowered_by(node));
    walk(ctx.config, &KeyPath::root(), &is_plugin_flag, &mut dangerous);
    found.extend(dangerous.into_iter().map(|path| (path, "a guard is switched off")));
    if ctx.get(&["security", "audit", "suppressions"]).and_then(Node::as_array).is_some_and(|s| !s.is_empty())
    {
        found.push((KeyPath::dotted("security.audit.suppressions"), "findings are held back"));
    }
    for (path, why) in found {
        let value = ctx.config.at(&path).and_then(Node::as_bool);
        let set = value.map_or_else(|| "set".to_owned(), |v| v.to_string());
        out.report("config.insecure_or_dangerous_flags", Severity::Warn)
            .detail(format!("`{path}` is {set}: {why}"))
            .key(ctx.key_at(&path));
    }
    for scope in Scope::agents(ctx) {
        for keys in [&["tools", "fs", "workspaceOnly"][..], &["tools", "exec", "applyPatch", "workspaceOnly"]]
        {
            if let Some((_, path)) = scope.own(keys).filter(|(n, _)| n.as_bool() == Some(false)) {
                out.report("tools.workspace_only_off_for_agent", Severity::Warn)
                    .detail(format!(
                        "`{path}` is false: files outside the workspace are in reach of {}",
                        scope.name()
                    ))
                    .key(ctx.key_at(&path));
            }
        }
    }
}

/// Every `dangerously...` switch that is on, wherever it stands.
fn walk(node: &Node, path: &KeyPath, more: &dyn Fn(&KeyPath, &Node) -> bool, out: &mut Vec<KeyPath>) {
    match &node.value {
        Value::Object(object) => {
            for (key, value) in object {
                let here = path.key(key.as_str());
                let by_name = key.starts_with("dangerously") && !OWN_FINDING.contains(&key.as_str());
                if (by_name && value.as_bool() == Some(true)) || more(&here, value) {
                    out.push(here);
                } else {
                    walk(value, &here, more, out);
                }
            }
        }
        Value::Array(items) => {
            for (i, value) in items.iter().enumerate() {
                walk(value, &path.index(i), more, out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
