//! What an absent key means.
//!
//! [`table`] is the product's answer, one row a key that matters for safety (SP-068). A row whose default is looser than
//! the strictest setting says why; the audit reports it and `onboard --secure` sets the strict value.
//! [`apply`] is something else: it fills in what the era release fills in while loading, for the audit's `2026.2` rules.

use oc_types::{Node, Object, Origin, Value};

use crate::schema::{Kind, Literal, ROOT, Rest};

#[cfg(test)]
mod tests;

/// The default of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultRow {
    /// The key, as a pattern.
    pub key: &'static str,
    /// The value in force when the key is absent, as JSON; `-` when nothing is.
    pub value: &'static str,
    /// Why the default is looser than the strictest value, for an existing setup's sake; empty when it is the strict one.
    pub looser: &'static str,
}

const fn strict(key: &'static str, value: &'static str) -> DefaultRow {
    DefaultRow { key, value, looser: "" }
}

const fn looser(key: &'static str, value: &'static str, why: &'static str) -> DefaultRow {
    DefaultRow { key, value, looser: why }
}

const TABLE: &[DefaultRow] = &[
    strict("gateway.bind", "\"loopback\""),
    strict("gateway.port", "18789"),
    // `password` when a password is known; in either mode no credential means that every connection is refused.
    strict("gateway.auth.mode", "\"token\""),
    strict("gateway.auth.token", "-"),
    strict("gateway.auth.rateLimit.maxAttempts", "10"),
    strict("gateway.auth.rateLimit.windowMs", "60000"),
    strict("gateway.auth.rateLimit.lockoutMs", "300000"),
    looser(
        "gateway.auth.rateLimit.exemptLoopback",
        "true",
        "local clients without an Origin header are slowed down instead of locked out",
    ),
    // True only where `gateway.tailscale.mode` is `serve` and the mode is not `password`.
    strict("gateway.auth.allowTailscale", "false"),
    strict("gateway.tailscale.mode", "\"off\""),
    strict("gateway.trustedProxies", "[]"),
    strict("gateway.allowRealIpFallback", "false"),
    looser(
        "gateway.controlUi.enabled",
        "true",
        "the web console is part of the product; it needs a paired device",
    ),
    strict("gateway.controlUi.allowInsecureAuth", "false"),
    strict("gateway.controlUi.dangerouslyDisableDeviceAuth", "false"),
    strict("gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback", "false"),
    strict("gateway.tools.allow", "[]"),
    strict("gateway.http.endpoints.chatCompletions.enabled", "false"),
    strict("gateway.http.endpoints.responses.enabled", "false"),
    looser(
        "gateway.nodes.browser.mode",
        "\"auto\"",
        "a node that offers its browser may be used, as upstream does",
    ),
    strict("gateway.nodes.commands.allow", "[]"),
    strict("discovery.mdns.mode", "\"minimal\""),
    strict("logging.redactSensitive", "\"tools\""),
    looser(
        "session.retention",
        "\"off\"",
        "nothing is removed unless you say so; see `openclaw sessions prune`",
    ),
    strict("channels.*.dmPolicy", "\"pairing\""),
    strict("channels.*.dm.policy", "\"pairing\""),
    strict("channels.*.allowFrom", "[]"),
    strict("channels.*.groupPolicy", "\"allowlist\""),
    strict("channels.*.groups.*.requireMention", "true"),
    strict("channels.*.dangerouslyAllowNameMatching", "false"),
    looser(
        "session.dmScope",
        "\"main\"",
        "the seeds describe one shared session for a single owner; several senders need per-channel-peer",
    ),
    strict("session.groupScope", "\"per-group\""),
    strict("commands.useAccessGroups", "true"),
    strict("commands.bash", "false"),
    strict("commands.config", "false"),
    strict("commands.debug", "false"),
    strict("commands.restart", "false"),
    looser(
        "commands.native",
        "\"auto\"",
        "on for Discord and Telegram, where native commands are access-checked",
    ),
    looser("commands.nativeSkills", "\"auto\"", "as commands.native"),
    looser("commands.text", "true", "text commands are access-checked"),
    strict("hooks.enabled", "false"),
    strict("hooks.allowRequestSessionKey", "false"),
    looser("hooks.allowedAgentIds", "-", "without the list a hook may name any agent, as upstream does"),
    strict("tools.elevated.allowFrom", "{}"),
    looser(
        "tools.elevated.enabled",
        "true",
        "the switch is on and nobody is on the list, so nobody is elevated",
    ),
    looser(
        "agents.defaults.elevatedDefault",
        "\"on\"",
        "counts only for senders on the elevated list; upstream's fallback",
    ),
    looser("tools.profile", "\"full\"", "an existing setup keeps its tools; the audit asks for a profile"),
    looser(
        "tools.fs.workspaceOnly",
        "false",
        "file tools reach what the gateway's user reaches, as upstream does",
    ),
    strict("tools.exec.applyPatch.enabled", "false"),
    strict("tools.exec.applyPatch.workspaceOnly", "true"),
    strict("tools.exec.host", "\"sandbox\""),
    looser(
        "tools.exec.security",
        "-",
        "without it the main session's commands run unasked on the host while no sandbox is on (seed A says so)",
    ),
    strict("tools.exec.ask", "\"on-miss\""),
    strict("tools.exec.approvalTimeoutMs", "300000"),
    strict("tools.exec.safeBinTrustedDirs", "[]"),
    looser(
        "tools.exec.safeBinReads",
        "\"non-sensitive\"",
        "the seeds' safe binaries read files; secrets are excepted",
    ),
    looser("tools.exec.strictInlineEval", "false", "inline code of a listed interpreter runs as listed"),
    strict("tools.agentToAgent.enabled", "false"),
    strict("tools.sessions.visibility", "\"tree\""),
    strict("tools.message.crossContext.allowAcrossProviders", "false"),
    looser(
        "agents.defaults.sandbox.mode",
        "\"off\"",
        "the sandbox needs an engine or kernel support; seed A: opt-in",
    ),
    looser("agents.defaults.sandbox.scope", "\"agent\"", "seed A's default; session is stricter"),
    strict("agents.defaults.sandbox.workspaceAccess", "\"none\""),
    strict("agents.defaults.sandbox.sessionToolsVisibility", "\"spawned\""),
    strict("agents.defaults.sandbox.browserAllowHostControl", "false"),
    strict("agents.defaults.sandbox.docker.network", "\"none\""),
    strict("agents.defaults.sandbox.docker.readOnlyRoot", "true"),
    strict("agents.defaults.sandbox.docker.capDrop", "[\"ALL\"]"),
    looser(
        "agents.defaults.sandbox.docker.pidsLimit",
        "-",
        "upstream sets no limits; the audit asks for them",
    ),
    looser("agents.defaults.sandbox.docker.memory", "-", "as pidsLimit"),
    looser("agents.defaults.sandbox.docker.cpus", "-", "as pidsLimit"),
    strict("agents.defaults.sandbox.docker.dangerouslyAllowReservedContainerTargets", "false"),
    strict("agents.defaults.sandbox.docker.dangerouslyAllowExternalBindSources", "false"),
    strict("agents.defaults.sandbox.docker.dangerouslyAllowContainerNamespaceJoin", "false"),
    strict("agents.list[].subagents.allowAgents", "[]"),
    looser("browser.enabled", "true", "the browser tool is part of the product; its own profile is used"),
    strict("browser.evaluateEnabled", "false"),
    strict("browser.ssrfPolicy.dangerouslyAllowPrivateNetwork", "false"),
    strict("browser.extensionRelay.enabled", "false"),
    strict("browser.extensionRelay.allowLegacyAuth", "false"),
    looser("plugins.enabled", "true", "bundled plugins are off one by one until they are switched on"),
    strict("plugins.entries.*.enabled", "false"),
    looser(
        "plugins.allow",
        "-",
        "without the list every found extension is live; the audit asks for the list",
    ),
    strict("mcp.servers", "{}"),
    strict("mcp.apps.enabled", "false"),
    strict("approvals.exec.enabled", "false"),
    strict("security.audit.suppressions", "[]"),
];

/// The defaults that matter for safety, in the order of the reference page.
#[must_use]
pub const fn table() -> &'static [DefaultRow] {
    TABLE
}

/// Fills in what the era release fills in while loading: policies of the channels that it checks itself, at channel and
/// at account level alike, before any overlay. Present values stay. Filled values have [`Origin::Default`].
#[must_use]
pub fn apply(tree: &Node) -> Node {
    let mut tree = tree.clone();
    fill(&mut tree, &ROOT);
    tree
}

fn fill(node: &mut Node, kind: &Kind) {
    // A section that the era release leaves to its plugin gets nothing.
    if matches!(kind, Kind::Loose(_)) {
        return;
    }
    match (kind, &mut node.value) {
        (Kind::Either(of), value) => {
            let wanted = |k: &&Kind| match value {
                Value::Object(_) => k.shape().is_some(),
                Value::Array(_) => matches!(k, Kind::List(_)),
                _ => false,
            };
            if let Some(k) = of.iter().find(wanted) {
                fill(node, k);
            }
        }
        (Kind::List(of), Value::Array(items)) => items.iter_mut().for_each(|item| fill(item, of)),
        (kind, Value::Object(members)) => {
            let Some(shape) = kind.shape() else { return };
            for key in shape.keys().filter(|k| !k.product) {
                if let (Some(default), false) = (key.default, members.contains_key(key.name)) {
                    members.insert(key.name.to_owned(), literal(default));
                }
                if let Some(member) = members.get_mut(key.name) {
                    fill(member, &key.kind);
                }
            }
            if let Rest::Entries(of) = shape.rest {
                for (name, member) in members.iter_mut() {
                    if shape.key(name).is_none() {
                        fill(member, of);
                    }
                }
            }
        }
        _ => {}
    }
}

fn literal(default: Literal) -> Node {
    let value = match default {
        Literal::Bool(b) => Value::Bool(b),
        Literal::Number(n) => Value::Number(n),
        Literal::Text(s) => Value::String(s.to_owned()),
        Literal::Object => Value::Object(Object::new()),
    };
    Node::new(value, Origin::Default)
}
