//! The keys that `--fix` sets.

use oc_types::{KeyPath, Node};
use serde_json::{Value, json};

use super::ConfigChange;
use crate::channels::sender;
use crate::{AuditContext, Wanted};

/// Channels whose open group policy is made an allow list.
const CHANNELS: [&str; 7] = ["telegram", "whatsapp", "discord", "signal", "imessage", "slack", "msteams"];

/// The WhatsApp pairing store.
pub(super) fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    wanted.text(sender::store_path(ctx, "whatsapp"), Wanted::SMALL_FILE);
}

/// The changes, in order.
pub(super) fn changes(ctx: &AuditContext<'_>) -> Vec<ConfigChange> {
    let mut out = Vec::new();
    let redact = ["logging", "redactSensitive"];
    if ctx.text(&redact) == Some("off") {
        out.push(change(KeyPath::keys(redact), "off", json!("tools")));
    }
    for channel in CHANNELS {
        let Some(section) = ctx.get(&["channels", channel]) else { continue };
        let path = KeyPath::keys(["channels", channel]);
        level(ctx, channel, section, &path, &mut out);
        for (id, account) in section.get("accounts").and_then(Node::as_object).into_iter().flatten() {
            level(ctx, channel, account, &path.key("accounts").key(id), &mut out);
        }
    }
    out
}

/// One level of a channel: its section or an account.
fn level(ctx: &AuditContext<'_>, channel: &str, section: &Node, path: &KeyPath, out: &mut Vec<ConfigChange>) {
    if section.get("groupPolicy").and_then(Node::as_str) != Some("open") {
        return;
    }
    out.push(change(path.key("groupPolicy"), "open", json!("allowlist")));
    if channel != "whatsapp" {
        return;
    }
    // So that the people who are paired can still reach the assistant in groups.
    let listed = |key: &str| section.get(key).and_then(Node::as_array).is_some_and(|a| !a.is_empty());
    let paired = sender::store(ctx, channel);
    if !paired.is_empty() && !listed("allowFrom") && !listed("groupAllowFrom") {
        let key = path.key("groupAllowFrom");
        let note = format!("{key}: the {} paired sender(s)", paired.len());
        out.push(ConfigChange { path: key, value: json!(paired), note });
    }
}

fn change(path: KeyPath, from: &str, value: Value) -> ConfigChange {
    let to = value.as_str().unwrap_or_default();
    let note = format!("{path}: {from} -> {to}");
    ConfigChange { path, value, note }
}
