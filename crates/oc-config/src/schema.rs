//! The vocabulary: every key, what it may hold, and what it means for safety.
//!
//! One file a top-level section below `schema/`; the tables are `static` data, nothing is built at start-up. They hold
//! the keys of the era release (2026.2.9), the seeds' spellings, and this product's own keys (marked
//! [`Key::product`]).
//!
//! Invariant: a key path is sensitive, protected or dangerous because of this table and nothing else (SP-065).

use oc_types::{KeyPath, Segment};

mod agents;
mod browser;
pub mod channels;
mod gateway;
mod hooks;
mod host;
pub mod kind;
mod media;
mod memory;
mod messages;
mod models;
pub mod notes;
pub mod plugins;
pub mod protection;
mod sandbox;
mod security;
mod session;
mod shared;
mod tools;
pub mod walk;

pub use kind::{Form, Key, Kind, Literal, Lowered, Rest, Shape};
pub use protection::{is_chat_writable, is_security_key};
pub use walk::{DangerousKey, Place, dangerous_keys, places};

use kind::{TEXT, key, object};

/// The top-level sections.
pub const ROOT: Kind = object(&[
    key("$schema", TEXT).product(),
    key("meta", host::META),
    key("env", host::ENV),
    key("wizard", host::WIZARD),
    key("diagnostics", host::DIAGNOSTICS),
    key("logging", host::LOGGING),
    key("update", host::UPDATE),
    key("browser", browser::BROWSER),
    key("ui", host::UI),
    key("auth", models::AUTH),
    key("models", models::MODELS),
    key("nodeHost", gateway::NODE_HOST),
    key("agents", agents::AGENTS),
    key("tools", tools::TOOLS),
    key("bindings", session::BINDINGS),
    key("broadcast", messages::BROADCAST),
    key("audio", media::AUDIO),
    key("media", media::MEDIA),
    key("messages", messages::MESSAGES),
    key("commands", messages::COMMANDS).default(Literal::Object),
    key("approvals", tools::APPROVALS),
    key("session", session::SESSION),
    key("cron", hooks::CRON),
    key("hooks", hooks::HOOKS),
    key("web", gateway::WEB),
    key("channels", channels::SECTION),
    key("discovery", gateway::DISCOVERY),
    key("canvasHost", gateway::CANVAS_HOST),
    key("talk", media::TALK),
    key("gateway", gateway::GATEWAY),
    key("memory", memory::MEMORY),
    key("skills", plugins::SKILLS),
    key("plugins", plugins::PLUGINS),
    key("security", security::SECURITY).product(),
    key("mcp", security::MCP).product(),
]);

/// What the vocabulary says about one key path.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    /// What the value may be.
    pub kind: Kind,
    /// Whether it is a credential, or stands below one.
    pub sensitive: bool,
    /// The default that the era release fills in while loading.
    pub default: Option<Literal>,
    /// Which values lower a guard.
    pub dangerous: Option<Lowered>,
    /// Whether only this product's reading knows it.
    pub product: bool,
}

/// Looks a key path up. `None` when the vocabulary has no such key; keys of free-form maps and of undescribed sections
/// are found.
#[must_use]
pub fn lookup(path: &KeyPath) -> Option<Leaf> {
    let start = Leaf { kind: ROOT, sensitive: false, default: None, dangerous: None, product: false };
    if let [Segment::Key(a), Segment::Key(b), Segment::Key(id), Segment::Key(c), rest @ ..] = path.segments()
        && (a.as_str(), b.as_str(), c.as_str()) == ("plugins", "entries", "config")
        && let Some(bundled) = plugins::BUNDLED.iter().find(|p| p.id == id)
    {
        return rest.iter().try_fold(Leaf { kind: bundled.config, ..start }, step);
    }
    path.segments().iter().try_fold(start, step)
}

/// Whether the value at a path is a credential. Paths outside the vocabulary are judged by the name of their last key.
#[must_use]
pub fn is_sensitive(path: &KeyPath) -> bool {
    match lookup(path) {
        Some(leaf) if leaf.sensitive => true,
        // Content that the vocabulary does not describe (plugin options, headers, variables): the name decides.
        Some(leaf) => !described(path) && matches!(leaf.kind, Kind::Any | Kind::Text) && named_like_one(path),
        None => named_like_one(path),
    }
}

/// Whether a key name looks like that of a credential: ends in token, password, passwd, secret, key of an API, and so on.
/// Names that count tokens (`maxTokens`, `tokens`) or point at files do not.
#[must_use]
pub fn looks_like_credential(name: &str) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    const ENDS: &[&str] = &[
        "token",
        "password",
        "passwd",
        "passphrase",
        "secret",
        "apikey",
        "privatekey",
        "secretkey",
        "accesskey",
        "encryptkey",
        "authorization",
        "credential",
        "credentials",
        "cookie",
    ];
    ENDS.iter().any(|end| name.ends_with(end))
}

fn step(at: Leaf, segment: &Segment) -> Option<Leaf> {
    let inherit = |kind: Kind| Leaf { kind, default: None, dangerous: None, ..at };
    match (at.kind, segment) {
        (Kind::Any, _) => Some(inherit(Kind::Any)),
        // A reference in place of a credential: `{ file: ... }`.
        (Kind::Secret, Segment::Key(_)) => Some(Leaf { sensitive: false, ..inherit(Kind::Text) }),
        (Kind::List(of), Segment::Index(_)) => Some(inherit(*of)),
        (Kind::List(of), Segment::Key(k)) => (k == "*" || k.parse::<usize>().is_ok()).then(|| inherit(*of)),
        (Kind::Either(of), _) => of.iter().find_map(|k| step(inherit(*k), segment)),
        (kind, Segment::Key(name)) => {
            let shape = kind.shape()?;
            if let Some(key) = shape.key(name) {
                return Some(Leaf {
                    kind: key.kind,
                    sensitive: at.sensitive || key.secret,
                    default: key.default,
                    dangerous: key.dangerous,
                    product: at.product || key.product,
                });
            }
            match shape.rest {
                Rest::Entries(of) => Some(inherit(*of)),
                Rest::Accepted => Some(inherit(Kind::Any)),
                Rest::Refused | Rest::RefusedByProduct => None,
            }
        }
        (_, Segment::Index(_)) => None,
    }
}

/// Whether a key path is one that a pattern such as `agents.list[].tools.*` means.
#[must_use]
pub fn path_matches(pattern: &str, path: &KeyPath) -> bool {
    let mut have = path.segments().iter();
    for part in pattern.split('.') {
        let name = part.trim_end_matches("[]");
        match have.next() {
            Some(Segment::Key(k)) if name == "*" || k == name => {}
            Some(Segment::Index(_)) if name == "*" => {}
            _ => return false,
        }
        for _ in 0..(part.len() - name.len()) / 2 {
            match have.next() {
                Some(Segment::Index(_)) => {}
                Some(Segment::Key(k)) if k.parse::<usize>().is_ok() => {}
                _ => return false,
            }
        }
    }
    have.next().is_none()
}

/// Whether the last step of a path is a key that a table names.
fn described(path: &KeyPath) -> bool {
    let Some(Segment::Key(last)) = path.segments().last() else { return true };
    path.parent()
        .and_then(|p| lookup(&p))
        .and_then(|leaf| leaf.kind.shape())
        .is_some_and(|s| s.key(last).is_some())
}

fn named_like_one(path: &KeyPath) -> bool {
    path.segments().iter().rev().find_map(|s| match s {
        Segment::Key(k) => Some(looks_like_credential(k)),
        Segment::Index(_) => None,
    }) == Some(true)
}

#[cfg(test)]
mod tests;
