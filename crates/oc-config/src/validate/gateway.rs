//! Rules across keys of `gateway`, `browser` and the sandbox.

use oc_types::{KeyPath, Node};

use super::{Report, ValidateContext};
use crate::Reading;

pub(super) fn check(tree: &Node, context: &ValidateContext<'_>, report: &mut Report) {
    profiles(tree, report);
    if context.reading == Reading::Product {
        bind_host(tree, report);
        suppressions(tree, report);
        sandboxes(tree, report);
    }
}

/// A browser profile says where its browser is.
fn profiles(tree: &Node, report: &mut Report) {
    for (name, profile) in tree.path(&["browser", "profiles"]).and_then(Node::as_object).into_iter().flatten()
    {
        let at = KeyPath::dotted("browser.profiles").key(name.as_str());
        if !crate::schema::Form::ProfileName.accepts(name) {
            let fix = "use lower-case letters, digits and dashes";
            report.say(at.clone(), profile, "this profile name is not usable", fix);
        }
        let placed = ["cdpPort", "cdpUrl", "userDataDir"].iter().any(|k| profile.get(k).is_some());
        if profile.as_object().is_some() && !placed {
            report.say(at, profile, "a profile needs cdpPort or cdpUrl", "add one of them");
        }
    }
}

/// `bind: custom` means an address, and only then does the address mean anything.
fn bind_host(tree: &Node, report: &mut Report) {
    let custom = tree.path(&["gateway", "bind"]).filter(|b| b.as_str() == Some("custom"));
    let host = tree.path(&["gateway", "customBindHost"]);
    if let Some(host) = host
        && let Some(text) = host.as_str()
        && text.trim().parse::<std::net::Ipv4Addr>().is_err()
    {
        report.say(
            KeyPath::dotted("gateway.customBindHost"),
            host,
            "this is no IPv4 address",
            "write the address of one of this machine's interfaces",
        );
    }
    // Without a host `custom` stays what it was upstream: the audit judges it as an exposed bind.
    let _ = custom;
}

/// SP-286: a suppression without a check id would silence nothing; one that looks like a pattern is a mistake.
fn suppressions(tree: &Node, report: &mut Report) {
    let list = tree.path(&["security", "audit", "suppressions"]).and_then(Node::as_array).unwrap_or_default();
    for (i, entry) in list.iter().enumerate() {
        let Some(id) = entry.get("checkId") else { continue };
        if id.as_str().is_some_and(|s| s.trim().is_empty()) {
            let at = KeyPath::dotted("security.audit.suppressions").index(i).key("checkId");
            report.say(
                at,
                id,
                "a check id must not be blank",
                "write the id as `openclaw security checks` lists it",
            );
        }
    }
}

/// Sandbox settings that the container engine must never be given without an opt-in (tool-policy 10.5).
fn sandboxes(tree: &Node, report: &mut Report) {
    let defaults = tree.path(&["agents", "defaults", "sandbox"]);
    if let Some(node) = defaults {
        container_name(node, &KeyPath::dotted("agents.defaults.sandbox"), report);
    }
    for (i, agent) in
        tree.path(&["agents", "list"]).and_then(Node::as_array).unwrap_or_default().iter().enumerate()
    {
        if let Some(node) = agent.get("sandbox") {
            container_name(node, &KeyPath::dotted("agents.list").index(i).key("sandbox"), report);
        }
    }
}

/// A prefix becomes part of a container's name and must be one itself.
fn container_name(sandbox: &Node, at: &KeyPath, report: &mut Report) {
    for part in ["docker", "browser"] {
        let Some(node) = sandbox.path(&[part, "containerPrefix"]) else { continue };
        let Some(text) = node.as_str().filter(|t| !t.is_empty()) else { continue };
        let ok = text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
        if !ok {
            report.say(
                at.key(part).key("containerPrefix"),
                node,
                "this cannot begin a container name",
                "use letters, digits, '_', '.' and '-', starting with a letter or digit",
            );
        }
    }
}
