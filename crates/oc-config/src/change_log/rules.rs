//! The tables: which values of which keys are wider than others.

/// A key whose values are ordered from narrow to wide. Values in one group are equally wide.
#[derive(Debug)]
pub(super) struct Scale {
    /// The last steps of the key path.
    pub(super) key: &'static [&'static str],
    /// Groups of values, narrowest first. A value outside is wider than all.
    pub(super) order: &'static [&'static [&'static str]],
    /// What an absent key means.
    pub(super) absent: &'static str,
    /// What being wider means, for a person.
    pub(super) why: &'static str,
}

pub(super) const SCALES: &[Scale] = &[
    Scale {
        key: &["gateway", "bind"],
        order: &[&["loopback"], &["tailnet"], &["auto"], &["custom"], &["lan"]],
        absent: "loopback",
        why: "the gateway is reachable from more places",
    },
    Scale {
        key: &["gateway", "auth", "mode"],
        order: &[&["token", "password"], &["trusted-proxy"], &["none"]],
        absent: "token",
        why: "the gateway asks for less",
    },
    Scale {
        key: &["tailscale", "mode"],
        order: &[&["off"], &["serve"], &["funnel"]],
        absent: "off",
        why: "the gateway is published",
    },
    Scale {
        key: &["dmPolicy"],
        order: &[&["disabled"], &["allowlist"], &["pairing"], &["open"]],
        absent: "pairing",
        why: "more people may send direct messages",
    },
    Scale {
        key: &["dm", "policy"],
        order: &[&["disabled"], &["allowlist"], &["pairing"], &["open"]],
        absent: "pairing",
        why: "more people may send direct messages",
    },
    Scale {
        key: &["groupPolicy"],
        order: &[&["disabled"], &["allowlist"], &["open"]],
        absent: "allowlist",
        why: "more groups are served",
    },
    Scale {
        key: &["tools", "profile"],
        order: &[&["minimal"], &["messaging"], &["coding"], &["full"]],
        absent: "full",
        why: "more tools are available",
    },
    Scale {
        key: &["sandbox", "mode"],
        order: &[&["all"], &["non-main"], &["off"]],
        absent: "off",
        why: "more runs outside the sandbox",
    },
    Scale {
        key: &["sandbox", "scope"],
        order: &[&["session"], &["agent"], &["shared"]],
        absent: "agent",
        why: "sandboxes are shared more widely",
    },
    Scale {
        key: &["workspaceAccess"],
        order: &[&["none"], &["ro"], &["rw"]],
        absent: "none",
        why: "the sandbox sees more of the workspace",
    },
    Scale {
        key: &["docker", "network"],
        order: &[&["none"]],
        absent: "none",
        why: "the sandbox has a network",
    },
    Scale {
        key: &["exec", "security"],
        order: &[&["deny"], &["allowlist"], &["full"]],
        absent: "allowlist",
        why: "more commands run",
    },
    Scale {
        key: &["exec", "ask"],
        order: &[&["always"], &["on-miss"], &["off"]],
        absent: "on-miss",
        why: "fewer commands are asked about",
    },
    Scale {
        key: &["askFallback"],
        order: &[&["deny"], &["allowlist"], &["full"]],
        absent: "deny",
        why: "unanswered questions let commands run",
    },
    Scale {
        key: &["exec", "host"],
        order: &[&["sandbox"], &["gateway", "node"]],
        absent: "sandbox",
        why: "commands run outside the sandbox",
    },
    Scale {
        key: &["elevatedDefault"],
        order: &[&["off"], &["on", "ask"], &["full"]],
        absent: "on",
        why: "elevated commands need less",
    },
    Scale {
        key: &["redactSensitive"],
        order: &[&["tools"], &["off"]],
        absent: "tools",
        why: "credentials are no longer masked in logs",
    },
    Scale {
        key: &["mdns", "mode"],
        order: &[&["off"], &["minimal"], &["full"]],
        absent: "minimal",
        why: "more is announced on the network",
    },
    Scale {
        key: &["dmScope"],
        order: &[&["per-account-channel-peer"], &["per-channel-peer"], &["per-peer"], &["main"]],
        absent: "main",
        why: "more people share one conversation",
    },
    Scale {
        key: &["nodes", "browser", "mode"],
        order: &[&["off"], &["manual"], &["auto"]],
        absent: "auto",
        why: "paired nodes lend their browser more freely",
    },
];

/// Lists whose entries let something in: more entries are wider, none is narrowest.
pub(super) const ADMITTING: &[&str] = &[
    "allowFrom",
    "groupAllowFrom",
    "ownerAllowFrom",
    "users",
    "roles",
    "alsoAllow",
    "safeBins",
    "trustedProxies",
    "allowedOrigins",
    "allowAgents",
    "allowedAgentIds",
    "allowCommands",
    "allowBots",
    "binds",
    "capAdd",
    "paths",
    "extraDirs",
    "pathPrepend",
    "extraHosts",
    "dns",
];

/// Lists that restrict when they have entries: empty or absent means everything.
pub(super) const RESTRICTING: &[&str] = &["allow", "toolsAllow", "allowedSessionKeyPrefixes", "allowBundled"];

/// Lists whose entries keep something out: fewer entries are wider.
pub(super) const FORBIDDING: &[&str] = &["deny", "denyCommands", "capDrop", "blocked"];

/// Switches that open something when on.
pub(super) const OPENING: &[&str] = &[
    "evaluateEnabled",
    "autoAllowSkills",
    "bash",
    "config",
    "debug",
    "restart",
    "configWrites",
    "native",
    "nativeSkills",
];

/// Switches that close something when on, and are on when absent.
pub(super) const CLOSING: &[&str] = &["requireMention", "useAccessGroups", "readOnlyRoot", "requirePairing"];

/// Switches that close something when on, and are off when absent.
pub(super) const CLOSING_WHEN_SET: &[&str] = &["readOnlyMode", "sandboxed", "internal"];

/// Parents whose `enabled` is on when absent.
pub(super) const ON_WHEN_ABSENT: &[&str] =
    &["elevated", "browser", "controlUi", "canvasHost", "agentToAgent", "cron"];

/// Objects whose members are each a way in: a new member opens one, a removed member closes one.
pub(super) const DOORS: &[&[&str]] = &[
    &["channels"],
    &["channels", "*", "accounts"],
    &["channels", "*", "groups"],
    &["channels", "*", "guilds"],
    &["channels", "*", "channels"],
    &["plugins", "entries"],
    &["hooks", "mappings"],
    &["mcp", "servers"],
    &["bindings"],
];
