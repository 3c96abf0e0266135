//! One line about keys that matter, for the reference page and the JSON Schema.

/// Pattern of a key path and its line.
const NOTES: &[(&str, &str)] = &[
    ("env.vars", "variables for `${VAR}` that the process does not set"),
    ("gateway.mode", "`local`: the gateway runs here; `remote`: this machine uses another's"),
    ("gateway.port", "the one port for WebSocket and HTTP"),
    ("gateway.bind", "where the gateway listens; anything but `loopback` needs a credential and a firewall"),
    ("gateway.customBindHost", "the address of `bind: \"custom\"`"),
    ("gateway.auth.mode", "how clients prove who they are"),
    ("gateway.auth.token", "the shared token, at least 24 characters"),
    ("gateway.auth.password", "the password; better in OPENCLAW_GATEWAY_PASSWORD"),
    (
        "gateway.auth.allowTailscale",
        "take the identity that Tailscale Serve adds; never behind a proxy of your own",
    ),
    ("gateway.auth.rateLimit", "how many wrong credentials one address may send"),
    ("gateway.auth.trustedProxy", "which header of the proxy names the user, and who may come in"),
    ("gateway.trustedProxies", "addresses whose X-Forwarded-For is believed"),
    ("gateway.allowRealIpFallback", "believe X-Real-IP as well"),
    ("gateway.tailscale.mode", "`serve` publishes in the tailnet, `funnel` to the internet"),
    ("gateway.controlUi.allowedOrigins", "origins that may open the web console; `*` is every web page"),
    ("gateway.controlUi.allowInsecureAuth", "let the console in by token alone over plain HTTP"),
    ("gateway.controlUi.dangerouslyDisableDeviceAuth", "no device check at all; for debugging only"),
    (
        "gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback",
        "take the Host header for an allowed origin",
    ),
    ("gateway.remote.token", "for calls to another machine's gateway; guards nothing here"),
    ("gateway.remote.tlsFingerprint", "the certificate of the remote gateway"),
    ("gateway.tools.allow", "tools that are refused over HTTP by default and allowed here"),
    ("gateway.tools.deny", "further tools to refuse over HTTP"),
    ("gateway.nodes.commands.allow", "node commands beyond the default ones"),
    ("gateway.nodes.commands.deny", "node commands to refuse; exact names"),
    ("gateway.nodes.allowCommands", "older spelling of gateway.nodes.commands.allow"),
    ("gateway.nodes.denyCommands", "older spelling of gateway.nodes.commands.deny"),
    ("gateway.nodes.browser.mode", "`off`: no node passes its browser on"),
    ("discovery.mdns.mode", "`full` also announces paths and the SSH port"),
    ("logging.redactSensitive", "black out credentials in tool summaries"),
    (
        "logging.redactPatterns",
        "patterns to black out in place of the built-in ones, not in addition; when none can be used, the built-in ones stay",
    ),
    ("logging.maxFileBytes", "size from which on the log goes to a numbered file, five of which are kept"),
    (
        "session.retention",
        "age from which on idle sessions, transcripts and copies are removed; `off` keeps them",
    ),
    ("logging.file", "where the log goes; not pruned then"),
    ("session.dmScope", "which direct conversations share a session"),
    ("session.groupScope", "which rooms share a session"),
    ("session.identityLinks", "ids of one person, to share a session"),
    ("channels.*.dmPolicy", "who may write to the bot directly"),
    ("channels.*.dm.policy", "who may write to the bot directly"),
    ("channels.*.allowFrom", "who may write to the bot directly; `*` is everybody"),
    ("channels.*.dm.allowFrom", "who may write to the bot directly; `*` is everybody"),
    ("channels.*.groupPolicy", "who may use the bot in rooms"),
    ("channels.*.groupAllowFrom", "who may use the bot in rooms"),
    ("channels.*.groups", "the rooms that are admitted, with their settings; `*` is every room"),
    ("channels.*.groups.*.tools.bySender", "tool policies by sender: id, +number, @username, display name"),
    ("channels.*.groups.*.toolsBySender", "tool policies by sender; wins over tools.bySender"),
    ("channels.*.dangerouslyAllowNameMatching", "let sender lists match names that people can change"),
    ("channels.*.configWrites", "whether chat commands of this channel may change the configuration"),
    ("channels.*.accounts", "further accounts; each takes the channel's keys"),
    ("channels.telegram.tokenFile", "a file with the bot token: 0600, no link"),
    ("commands.useAccessGroups", "commands only from senders on a list"),
    ("commands.ownerAllowFrom", "the owners"),
    ("commands.allowFrom", "who may use commands, by channel; a further restriction"),
    ("commands.bash", "the /bash command"),
    ("commands.config", "the /config command"),
    ("hooks.enabled", "listen for webhooks"),
    ("hooks.token", "what a webhook must present, at least 24 characters"),
    ("hooks.path", "where webhooks arrive; never `/`"),
    ("hooks.allowedAgentIds", "agents that a webhook may name; an empty list is none"),
    ("hooks.defaultSessionKey", "the session of a webhook that names none"),
    ("hooks.allowRequestSessionKey", "let a webhook choose its session"),
    ("hooks.allowedSessionKeyPrefixes", "what such a session key must begin with"),
    ("tools.profile", "the base of the tool policy"),
    ("tools.allow", "tools to allow; always binding"),
    ("tools.alsoAllow", "tools to add to the profile; not beside `allow`"),
    ("tools.deny", "tools to refuse; nothing later brings them back"),
    ("tools.byProvider", "policies for one provider or `provider/model`"),
    ("tools.subagent", "the policy of sub-agents, the seeds' spelling of tools.subagents.tools"),
    ("tools.fs.workspaceOnly", "keep the file tools inside the workspace"),
    ("tools.elevated.allowFrom", "who may take commands out of the sandbox, by channel"),
    ("tools.exec.host", "where commands run"),
    (
        "tools.exec.security",
        "how strictly commands are allowed (deny, allowlist, full) or where they run (host, sandbox, ask)",
    ),
    ("tools.exec.ask", "when a person is asked"),
    ("tools.exec.safeBins", "commands that run unasked when their arguments are harmless"),
    ("tools.exec.safeBinProfiles", "which arguments of further safe binaries are harmless"),
    ("tools.exec.safeBinTrustedDirs", "further directories that safe binaries may stand in"),
    ("tools.exec.safeBinReads", "what safe binaries may read"),
    ("tools.exec.strictInlineEval", "always ask for inline code such as `python -c`"),
    ("tools.exec.approvalTimeoutMs", "how long an approval request waits"),
    ("tools.exec.applyPatch.workspaceOnly", "keep patches inside the workspace"),
    ("tools.sessions.visibility", "which sessions the session tools see"),
    ("tools.agentToAgent.enabled", "let agents use each other's sessions"),
    ("approvals.exec", "where approval requests are sent"),
    ("agents.defaults.elevatedDefault", "the elevated level of a session that says nothing"),
    ("agents.defaults.readOnlyMode", "workspace read-only, and no tool that writes or runs"),
    ("agents.defaults.sandbox.mode", "which sessions run in a sandbox"),
    ("agents.defaults.sandbox.scope", "who shares a sandbox"),
    ("agents.defaults.sandbox.workspaceAccess", "what the sandbox sees of the workspace"),
    ("agents.defaults.sandbox.backend", "container, native, or what is there"),
    (
        "agents.defaults.sandbox.tools",
        "the tool policy inside the sandbox, the seeds' spelling of tools.sandbox.tools",
    ),
    ("agents.defaults.sandbox.browserAllowHostControl", "let sandboxed sessions drive the host's browser"),
    ("agents.defaults.sandbox.docker.binds", "host directories in the container"),
    ("agents.defaults.sandbox.docker.network", "`none` by default"),
    ("agents.list[].readOnlyMode", "workspace read-only, and no tool that writes or runs"),
    ("agents.list[].agentDir", "where the agent's credentials stand; one agent each"),
    ("agents.list[].subagents.allowAgents", "agents that this one may start"),
    ("browser.enabled", "the browser tool"),
    ("browser.evaluateEnabled", "let a model run scripts in pages"),
    ("browser.executablePath", "which Chromium; else the first known name on the path"),
    ("browser.noSandbox", "Chromium without its own sandbox; root has none"),
    ("browser.ssrfPolicy.dangerouslyAllowPrivateNetwork", "let the browser reach private addresses"),
    ("browser.ssrfPolicy.allowedHostnames", "hosts that may be inside"),
    (
        "browser.ssrfPolicy.hostnameAllowlist",
        "when it names some, pages come from these hosts only; `*.example.org`",
    ),
    ("browser.extensionRelay.enabled", "the relay that takes over tabs of your own browser"),
    ("browser.profiles.*.userDataDir", "a browser profile directory; never your own"),
    ("plugins.allow", "the plugins that may load; without it every found one does"),
    ("plugins.deny", "plugins that may not load"),
    ("mcp.servers", "MCP servers whose tools are offered"),
    ("mcp.servers.*.ask", "when a person is asked before a tool is called"),
    ("mcp.apps.enabled", "let MCP servers show pages"),
    ("security.audit.suppressions", "findings not to count; they stay listed with their reason"),
    ("skills.load.extraDirs", "further folders with skills; trusted code"),
];

/// The line about a key, by its pattern. `channels.*` stands for any channel, agents' entries share the defaults' lines.
#[must_use]
pub fn of(pattern: &str) -> Option<&'static str> {
    let exact = |p: &str| NOTES.iter().find(|(key, _)| *key == p).map(|(_, note)| *note);
    exact(pattern).or_else(|| {
        if let Some(rest) = pattern.strip_prefix("channels.") {
            let (_, key) = rest.split_once('.')?;
            return exact(&format!("channels.*.{key}"));
        }
        let own = pattern.strip_prefix("agents.list[].")?;
        exact(&format!("agents.defaults.{own}")).or_else(|| exact(own))
    })
}

#[cfg(test)]
mod tests {
    use super::NOTES;
    use crate::schema::places;

    #[test]
    fn every_note_is_about_a_key() {
        let places = places();
        for (key, _) in NOTES {
            let known = places.iter().any(|p| {
                let general = p.pattern.split_once('.').and_then(|(first, rest)| {
                    let (_, key) = rest.split_once('.')?;
                    (first == "channels").then(|| format!("channels.*.{key}"))
                });
                p.pattern == *key || general.as_deref() == Some(*key)
            });
            assert!(known, "{key} is no key");
        }
    }
}
