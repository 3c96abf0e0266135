//! Security settings as types. An unknown word is an error, never another mode (SP-119).
//!
//! None of these types has a `Default`: what an absent key means stands in [`crate::defaults`], where it can be read.

use oc_types::{KeyPath, Node};

use crate::Issue;

/// A setting that is one of a few words.
pub trait Setting: Sized + Copy + 'static {
    /// Every value.
    const ALL: &'static [Self];
    /// Where the setting stands, as patterns of key paths.
    const PLACES: &'static [&'static str];

    /// The word in the configuration.
    fn as_str(self) -> &'static str;

    /// The value of a word, compared exactly.
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|v| v.as_str() == word)
    }

    /// Reads the setting at a path of a tree. `Ok(None)`: the key is absent.
    ///
    /// # Errors
    /// When the value is no text, or a word that is not listed.
    fn read(tree: &Node, path: &KeyPath) -> Result<Option<Self>, Box<Issue>> {
        let Some(node) = tree.at(path) else { return Ok(None) };
        let words: Vec<&str> = Self::ALL.iter().map(|v| v.as_str()).collect();
        let refuse = |message: String, nearest: Option<&str>| {
            Box::new(Issue {
                path: path.clone(),
                origin: node.origin.clone(),
                message,
                nearest: nearest.map(str::to_owned),
                fix: Some(format!("write one of {}", words.join(", "))),
            })
        };
        let Some(text) = node.as_str() else {
            return Err(refuse(format!("found {}, not a word", node.value.type_name()), None));
        };
        Self::from_word(text).map(Some).ok_or_else(|| {
            let shown = oc_text::visible(text, 60);
            refuse(
                format!("\"{shown}\" is not known here"),
                oc_text::distance::nearest(text, words.iter().copied()),
            )
        })
    }
}

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident at [$($place:literal),+ $(,)?] { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub enum $name {
                $($(#[$vdoc])* $variant,)+
            }

            impl Setting for $name {
                const ALL: &'static [Self] = &[$(Self::$variant),+];
                const PLACES: &'static [&'static str] = &[$($place),+];

                fn as_str(self) -> &'static str {
                    match self {
                        $(Self::$variant => $word,)+
                    }
                }
            }

            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str(self.as_str())
                }
            }
        )+

        /// Every setting: its places and its words, for tests and the reference page.
        #[must_use]
        pub fn all() -> Vec<(&'static [&'static str], Vec<&'static str>)> {
            vec![$(($name::PLACES, $name::ALL.iter().map(|v| v.as_str()).collect())),+]
        }
    };
}

settings! {
    /// Where the gateway listens.
    BindMode at ["gateway.bind"] {
        /// This machine only.
        Loopback = "loopback",
        /// Every interface.
        Lan = "lan",
        /// The address in the tailnet.
        Tailnet = "tailnet",
        /// `gateway.customBindHost`.
        Custom = "custom",
        /// This machine only; counts as exposed for the audit.
        Auto = "auto",
    }

    /// Whether this machine runs the gateway or uses another's.
    GatewayMode at ["gateway.mode"] {
        /// The gateway runs here.
        Local = "local",
        /// The gateway runs elsewhere.
        Remote = "remote",
    }

    /// How clients prove who they are.
    AuthMode at ["gateway.auth.mode"] {
        /// A shared token.
        Token = "token",
        /// A password.
        Password = "password",
        /// Not at all.
        None = "none",
        /// A reverse proxy says so.
        TrustedProxy = "trusted-proxy",
    }

    /// What Tailscale publishes.
    TailscaleMode at ["gateway.tailscale.mode"] {
        /// Nothing.
        Off = "off",
        /// The gateway, inside the tailnet.
        Serve = "serve",
        /// The gateway, to the whole internet.
        Funnel = "funnel",
    }

    /// Whether a node may pass the browser on.
    NodeBrowserMode at ["gateway.nodes.browser.mode"] {
        /// When one offers it.
        Auto = "auto",
        /// Only the named node.
        Manual = "manual",
        /// Never.
        Off = "off",
    }

    /// How a changed configuration is taken up.
    ReloadMode at ["gateway.reload.mode"] {
        /// Not at all.
        Off = "off",
        /// By a restart.
        Restart = "restart",
        /// In place.
        Hot = "hot",
        /// In place where possible.
        Hybrid = "hybrid",
    }

    /// What is announced in the local network.
    MdnsMode at ["discovery.mdns.mode"] {
        /// Nothing.
        Off = "off",
        /// That there is a gateway.
        Minimal = "minimal",
        /// Paths and ports as well.
        Full = "full",
    }

    /// What is blacked out in logs.
    RedactMode at ["logging.redactSensitive"] {
        /// Nothing.
        Off = "off",
        /// Credentials in tool summaries.
        Tools = "tools",
    }

    /// Who may write to the bot directly.
    DmPolicy at [
        "channels.telegram.dmPolicy",
        "channels.telegram.accounts.*.dmPolicy",
        "channels.whatsapp.dmPolicy",
        "channels.whatsapp.accounts.*.dmPolicy",
        "channels.signal.dmPolicy",
        "channels.imessage.dmPolicy",
        "channels.msteams.dmPolicy",
        "channels.mattermost.dmPolicy",
        "channels.bluebubbles.dmPolicy",
        "channels.line.dmPolicy",
        "channels.discord.dm.policy",
        "channels.discord.accounts.*.dm.policy",
        "channels.slack.dm.policy",
        "channels.googlechat.dm.policy",
        "channels.matrix.dm.policy",
    ] {
        /// Strangers get a code that the owner approves.
        Pairing = "pairing",
        /// Only who is listed.
        Allowlist = "allowlist",
        /// Everybody.
        Open = "open",
        /// Nobody.
        Disabled = "disabled",
    }

    /// Who may use the bot in rooms.
    GroupPolicy at [
        "channels.defaults.groupPolicy",
        "channels.telegram.groupPolicy",
        "channels.telegram.accounts.*.groupPolicy",
        "channels.telegram.groups.*.groupPolicy",
        "channels.telegram.groups.*.topics.*.groupPolicy",
        "channels.whatsapp.groupPolicy",
        "channels.discord.groupPolicy",
        "channels.slack.groupPolicy",
        "channels.signal.groupPolicy",
        "channels.imessage.groupPolicy",
        "channels.googlechat.groupPolicy",
        "channels.msteams.groupPolicy",
        "channels.mattermost.groupPolicy",
        "channels.matrix.groupPolicy",
    ] {
        /// Only what is listed.
        Allowlist = "allowlist",
        /// Everybody, in every room.
        Open = "open",
        /// Nobody.
        Disabled = "disabled",
    }

    /// Which direct conversations share a session.
    DmScope at ["session.dmScope", "bindings[].session.dmScope"] {
        /// All of them.
        Main = "main",
        /// Those of one person.
        PerPeer = "per-peer",
        /// Those of one person on one channel.
        PerChannelPeer = "per-channel-peer",
        /// Those of one person with one account of a channel.
        PerAccountChannelPeer = "per-account-channel-peer",
    }

    /// Which rooms share a session.
    GroupScope at ["session.groupScope", "bindings[].session.groupScope"] {
        /// All of them, with the main session.
        Main = "main",
        /// Each has its own.
        PerGroup = "per-group",
    }

    /// Whether there is one session for everything.
    SessionScope at ["session.scope"] {
        /// One a sender.
        PerSender = "per-sender",
        /// One for all.
        Global = "global",
    }

    /// Which sessions run in a sandbox.
    SandboxMode at ["agents.defaults.sandbox.mode", "agents.list[].sandbox.mode"] {
        /// None.
        Off = "off",
        /// All but the main one.
        NonMain = "non-main",
        /// All.
        All = "all",
    }

    /// Who shares a sandbox.
    SandboxScope at ["agents.defaults.sandbox.scope", "agents.list[].sandbox.scope"] {
        /// Nobody.
        Session = "session",
        /// The sessions of an agent.
        Agent = "agent",
        /// Everybody.
        Shared = "shared",
    }

    /// What a sandbox sees of the agent's workspace.
    WorkspaceAccess at ["agents.defaults.sandbox.workspaceAccess", "agents.list[].sandbox.workspaceAccess"] {
        /// Nothing.
        None = "none",
        /// It can be read.
        ReadOnly = "ro",
        /// It can be written.
        ReadWrite = "rw",
    }

    /// What a sandbox is made of.
    SandboxBackend at ["agents.defaults.sandbox.backend", "agents.list[].sandbox.backend"] {
        /// A container when an engine answers, else native.
        Auto = "auto",
        /// A container.
        Container = "container",
        /// The kernel's own means.
        Native = "native",
    }

    /// Which sessions a sandboxed session sees.
    SandboxSessions at [
        "agents.defaults.sandbox.sessionToolsVisibility",
        "agents.list[].sandbox.sessionToolsVisibility",
    ] {
        /// Those that it started.
        Spawned = "spawned",
        /// All.
        All = "all",
    }

    /// Which sessions a session sees.
    SessionVisibility at ["tools.sessions.visibility"] {
        /// Itself.
        Own = "self",
        /// Itself and those that it started.
        Tree = "tree",
        /// Those of its agent.
        Agent = "agent",
        /// All.
        All = "all",
    }

    /// The base of the tool policy.
    ToolProfile at [
        "tools.profile",
        "tools.byProvider.*.profile",
        "agents.list[].tools.profile",
        "agents.list[].tools.byProvider.*.profile",
    ] {
        /// The session's own state only.
        Minimal = "minimal",
        /// Files, commands, sessions, memory.
        Coding = "coding",
        /// Messages and sessions.
        Messaging = "messaging",
        /// No restriction.
        Full = "full",
    }

    /// Where commands run.
    ExecHost at ["tools.exec.host", "agents.list[].tools.exec.host"] {
        /// In the sandbox.
        Sandbox = "sandbox",
        /// On the gateway's machine.
        Gateway = "gateway",
        /// On a paired node.
        Node = "node",
        /// In the sandbox when there is one, else on the gateway's machine.
        Auto = "auto",
    }

    /// What commands are allowed: upstream's words say how strictly, the seeds' words say where.
    ExecSecurity at ["tools.exec.security", "agents.list[].tools.exec.security"] {
        /// None.
        Deny = "deny",
        /// Listed ones.
        Allowlist = "allowlist",
        /// All.
        Full = "full",
        /// On the gateway's machine, listed ones.
        Host = "host",
        /// In the sandbox.
        Sandbox = "sandbox",
        /// A person chooses each time.
        Ask = "ask",
    }

    /// When a person is asked.
    ExecAsk at ["tools.exec.ask", "agents.list[].tools.exec.ask"] {
        /// Never.
        Off = "off",
        /// While elevated mode is on.
        Elevated = "elevated",
        /// For commands that are not listed.
        OnMiss = "on-miss",
        /// For every command.
        Always = "always",
    }

    /// What safe binaries may read.
    SafeBinReads at ["tools.exec.safeBinReads", "agents.list[].tools.exec.safeBinReads"] {
        /// Everything but known secrets.
        NonSensitive = "non-sensitive",
        /// The workspace.
        Workspace = "workspace",
        /// Their input only.
        Stdin = "stdin",
    }

    /// The elevated level of a session that says nothing.
    ElevatedDefault at ["agents.defaults.elevatedDefault"] {
        /// Not elevated.
        Off = "off",
        /// Elevated, approvals apply.
        On = "on",
        /// The same as `on`.
        Ask = "ask",
        /// Elevated, no approvals from the configuration's side.
        Full = "full",
    }

    /// Where approval requests go.
    ApprovalRoute at ["approvals.exec.mode"] {
        /// To the conversation that caused them.
        Session = "session",
        /// To the listed targets.
        Targets = "targets",
        /// To both.
        Both = "both",
    }
}

#[cfg(test)]
mod tests {
    use oc_types::Origin;
    use serde_json::json;

    use super::*;
    use crate::Reading;
    use crate::schema::lookup;
    use crate::validate::{ValidateContext, validate};

    /// A path of a pattern: free keys become `x`, lists their first element.
    fn path(pattern: &str) -> KeyPath {
        pattern.split('.').fold(KeyPath::root(), |at, part| match part {
            "*" => at.key("x"),
            part => match part.strip_suffix("[]") {
                Some(name) => at.key(name).index(0),
                None => at.key(part),
            },
        })
    }

    /// A configuration with one value.
    fn tree(path: &KeyPath, value: serde_json::Value) -> Node {
        let mut json = value;
        for segment in path.segments().iter().rev() {
            json = match segment {
                oc_types::Segment::Key(k) => json!({ k.as_str(): json }),
                oc_types::Segment::Index(_) => json!([json]),
            };
        }
        Node::from_json(&json, &Origin::CommandLine)
    }

    #[test]
    fn sp_119_an_unknown_word_in_any_security_setting_is_an_error() {
        for (places, words) in all() {
            for place in places {
                let at = path(place);
                assert!(lookup(&at).is_some(), "{place} is no key");
                for bad in ["", "OPEN", "yes", "anything", "off ", "-", "🦞"] {
                    if words.contains(&bad) {
                        continue;
                    }
                    for reading in [Reading::Product, Reading::Era] {
                        let context = ValidateContext { reading, plugins: None };
                        let issues = validate(&tree(&at, json!(bad)), &context);
                        // Sections that the era release leaves to a plugin are not checked in its reading.
                        let plugin = ["mattermost", "line", "matrix"].iter().any(|c| place.contains(c));
                        if reading == Reading::Era && plugin {
                            continue;
                        }
                        let parent = at.parent().unwrap();
                        assert!(
                            issues.iter().any(|i| i.path == at || parent.starts_with(&i.path)),
                            "{place} = {bad:?}: {issues:?}"
                        );
                    }
                }
                for word in &words {
                    let context = ValidateContext { reading: Reading::Product, plugins: None };
                    let issues = validate(&tree(&at, json!(word)), &context);
                    assert!(!issues.iter().any(|i| i.path == at), "{place} = {word}: {issues:?}");
                }
            }
        }
    }

    #[test]
    fn sp_119_reading_a_setting_never_falls_back() {
        let at = KeyPath::dotted("gateway.bind");
        for bad in [json!("0.0.0.0"), json!("Loopback"), json!(true), json!(null), json!(["lan"])] {
            let issue = BindMode::read(&tree(&at, bad.clone()), &at).unwrap_err();
            assert_eq!(issue.path, at, "{bad}");
        }
        assert_eq!(BindMode::read(&Node::empty(), &at).unwrap(), None);
        assert_eq!(BindMode::read(&tree(&at, json!("lan")), &at).unwrap(), Some(BindMode::Lan));
    }
}
