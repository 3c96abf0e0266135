//! Open rooms together with elevated execution (audit spec 1.7).

use oc_types::{KeyPath, Node, Severity};

use crate::{AuditContext, Findings};

/// Every `groupPolicy` below `channels` that is open: channel sections (also `defaults` and channels that are off) and accounts.
#[must_use]
pub fn open_groups(config: &Node) -> Vec<KeyPath> {
    let is_open = |section: &Node| section.get("groupPolicy").and_then(Node::as_str) == Some("open");
    let mut hits = Vec::new();
    let Some(channels) = config.get("channels").and_then(Node::as_object) else { return hits };
    for (id, section) in channels {
        let path = KeyPath::keys(["channels"]).key(id);
        if is_open(section) {
            hits.push(path.key("groupPolicy"));
        }
        for (account, own) in section.get("accounts").and_then(Node::as_object).into_iter().flatten() {
            if is_open(own) {
                hits.push(path.key("accounts").key(account).key("groupPolicy"));
            }
        }
    }
    hits
}

/// One finding that lists the open rooms while elevated execution is not off.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    if ctx.flag(&["tools", "elevated", "enabled"]) == Some(false) {
        return;
    }
    let mut open = open_groups(ctx.config);
    if ctx.latest() {
        open.extend(open_direct(ctx.config));
    }
    if open.is_empty() {
        return;
    }
    let list: Vec<String> = open.iter().map(|p| format!("`{p}`")).collect();
    out.report("security.exposure.open_groups_with_elevated", Severity::Critical)
        .detail(format!(
            "Open: {}. `tools.elevated.enabled` is not false: an injected instruction can reach the host's shell.",
            list.join(", ")
        ))
        .keys(open.iter().map(|p| ctx.key_at(p)))
        .key(ctx.key(&["tools", "elevated", "enabled"]));
}

/// Every DM policy below `channels` that is open; the latest rules count strangers in direct messages as well.
#[must_use]
pub fn open_direct(config: &Node) -> Vec<KeyPath> {
    let mut hits = Vec::new();
    let Some(channels) = config.get("channels").and_then(Node::as_object) else { return hits };
    let look = |section: &Node, path: &KeyPath, hits: &mut Vec<KeyPath>| {
        if section.get("dmPolicy").and_then(Node::as_str) == Some("open") {
            hits.push(path.key("dmPolicy"));
        }
        if section.path(&["dm", "policy"]).and_then(Node::as_str) == Some("open") {
            hits.push(path.key("dm").key("policy"));
        }
    };
    for (id, section) in channels {
        let path = KeyPath::keys(["channels"]).key(id);
        look(section, &path, &mut hits);
        for (account, own) in section.get("accounts").and_then(Node::as_object).into_iter().flatten() {
            look(own, &path.key("accounts").key(account), &mut hits);
        }
    }
    hits
}
