//! The configurations that `openclaw onboard` writes.
//!
//! Both carry a token, on loopback too (first seed document, 0.5). The secure one is the first seed's copy-and-paste baseline with
//! what both seeds recommend around it: sandbox for everything but the owner's own session, container limits, no
//! elevation, nothing revealing on the local network.

use oc_types::Secret;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// `openclaw onboard`: private gateway, token, pairing by default.
    Plain,
    /// `openclaw onboard --secure`.
    Secure,
}

const PLAIN: &str = r#"// Written by `openclaw onboard`. `openclaw security audit` says what could be tighter.
{
  gateway: {
    mode: "local",
    bind: "loopback", // only programs on this machine
    port: 18789,
    auth: { mode: "token", token: "@TOKEN@" },
  },
}
"#;

const SECURE: &str = r#"// Written by `openclaw onboard --secure`: start here and widen what you need.
{
  gateway: {
    mode: "local",
    bind: "loopback", // only programs on this machine
    port: 18789,
    auth: { mode: "token", token: "@TOKEN@" },
    nodes: { browser: { mode: "off" } }, // no browsers of paired machines
  },

  // Each person who may write to the bot gets a session of their own.
  session: { dmScope: "per-channel-peer" },

  channels: {
    whatsapp: {
      dmPolicy: "pairing", // strangers get a code, you approve it
      groups: { "*": { requireMention: true } }, // in rooms only when named
    },
  },

  agents: {
    defaults: {
      elevatedDefault: "off", // nothing leaves the sandbox by itself
      sandbox: {
        mode: "non-main", // everything but your own main session
        scope: "session",
        workspaceAccess: "none",
        docker: { network: "none", memory: "1g", memorySwap: "1g", cpus: 1, pidsLimit: 256 },
      },
    },
  },

  tools: {
    elevated: { enabled: false },
    exec: { host: "sandbox", security: "allowlist", ask: "on-miss", safeBins: ["ls", "cat", "grep", "head", "tail", "wc"] },
    sandbox: { tools: { deny: ["browser", "canvas", "nodes", "cron", "gateway"] } },
  },

  discovery: { mdns: { mode: "minimal" } }, // no paths, no host details
  logging: { redactSensitive: "tools" },
}
"#;

/// The text of a baseline with this token.
///
/// The token must be plain hexadecimal; other characters would need escaping, so they are dropped.
#[must_use]
pub fn text(baseline: Baseline, token: &Secret) -> String {
    let token: String = token.expose().chars().filter(char::is_ascii_hexdigit).collect();
    match baseline {
        Baseline::Plain => PLAIN,
        Baseline::Secure => SECURE,
    }
    .replace("@TOKEN@", &token)
}
