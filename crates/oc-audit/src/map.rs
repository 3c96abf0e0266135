//! The credential map: what of this set-up is sensitive, where it is, who can read it, and whether to back it up.
//!
//! Every row of the first seed's credential storage map and of its list of what is sensitive (0.7), with what this product adds.
//! Invariant: a row says whether something is set, never its value (SP-280).

mod render;

use std::path::{Path, PathBuf};

use oc_types::{KeyPath, Node, Origin};
use serde::Serialize;

use crate::facts::{Kind, SubtreeRequest};
use crate::{AuditContext, Wanted, agents, workspace};

pub use render::text;

/// Where something is kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A file or directory.
    Path(PathBuf),
    /// A key of the configuration.
    Key(KeyPath),
    /// An environment variable.
    Variable(&'static str),
}

/// Whether to keep a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Backup {
    /// It cannot be made again. Keep the copy encrypted.
    Yes,
    /// It can be made again, or a copy is one more place to leak from.
    No,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// What it is.
    pub what: String,
    /// Where it is kept.
    #[serde(flatten)]
    pub place: Place,
    /// Whether it is there, or set.
    pub exists: bool,
    /// `file`, `directory`, `link`, `special`; absent for keys, variables and what is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Permission bits, as in `0600`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The owner's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<u32>,
    /// How many files lie below a directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// Where a key stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What it holds.
    pub holds: &'static str,
    /// Whether to back it up.
    pub backup: Backup,
}

impl Row {
    /// Whether it holds credentials that somebody else issued: a login, a bot's token, keys of a provider.
    #[must_use]
    pub fn is_issued_elsewhere(&self) -> bool {
        [WHATSAPP, BOT_TOKEN, PROFILES, OAUTH].iter().any(|k| k.0 == self.holds)
    }
}

/// What a kind of place holds, and whether to back it up.
#[derive(Clone, Copy)]
struct Kept(&'static str, Backup);

const SETTINGS: Kept = Kept("settings; tokens, provider settings and allow lists", Backup::Yes);
const ENVIRONMENT: Kept = Kept("variables, often API keys and tokens", Backup::Yes);
const WHATSAPP: Kept = Kept("WhatsApp login: whoever has it is you", Backup::Yes);
const BOT_TOKEN: Kept = Kept("bot token; make a new one rather than restore it", Backup::No);
const PAIRING: Kept = Kept("people admitted by pairing", Backup::Yes);
const PENDING: Kept = Kept("pairing requests that wait; they expire within the hour", Backup::No);
const PROFILES: Kept = Kept("API keys and OAuth tokens of model providers", Backup::Yes);
const OAUTH: Kept = Kept("older OAuth tokens, imported once", Backup::No);
const SESSIONS: Kept = Kept("conversations and tool output", Backup::Yes);
const ROUTING: Kept = Kept("which conversation is which session", Backup::Yes);
const PLUGINS: Kept =
    Kept("installed plugins with their packages: code that runs as the gateway", Backup::No);
const SANDBOXES: Kept = Kept("copies of files that sandboxed tools read and wrote", Backup::No);
const GATEWAY: Kept =
    Kept("what callers of the gateway must know; make a new one rather than restore it", Backup::No);
const APPROVALS: Kept = Kept("which commands run without a person, and a socket token", Backup::Yes);
const DEVICES: Kept = Kept("paired devices and their tokens", Backup::Yes);
const IDENTITY: Kept = Kept("this machine's private key", Backup::Yes);
const LOGS: Kept = Kept("tool summaries, errors and addresses", Backup::No);
const TLS: Kept = Kept("the gateway's certificate and private key", Backup::No);
const CREDENTIALS: Kept = Kept("channel credentials, pairing lists, older OAuth tokens", Backup::Yes);
const STATE: Kept = Kept("everything below; take it for sensitive as a whole", Backup::Yes);

/// Asks for what the map needs to know.
pub fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    let places = &ctx.facts.places;
    wanted.list(&places.credentials);
    wanted.list(places.credentials.join("whatsapp"));
    wanted.list(agents::root(ctx));
    for (_, place, _) in table(ctx) {
        if let Place::Path(path) = place {
            wanted.stat(&path);
        }
    }
    for folder in counted(ctx) {
        wanted.walk(folder, SubtreeRequest::default());
    }
}

/// Directories whose files are counted.
fn counted(ctx: &AuditContext<'_>) -> Vec<PathBuf> {
    let state = &ctx.facts.places.state_dir;
    let mut out = vec![state.join("extensions"), state.join("sandboxes")];
    out.extend(agents::directories(ctx).into_iter().map(|d| d.join("sessions")));
    out
}

/// The map, in the seed's order.
#[must_use]
pub fn rows(ctx: &AuditContext<'_>) -> Vec<Row> {
    table(ctx).into_iter().map(|(what, place, kept)| row(ctx, what, place, kept)).collect()
}

fn row(ctx: &AuditContext<'_>, what: String, place: Place, Kept(holds, backup): Kept) -> Row {
    let mut out = Row {
        what,
        place,
        exists: false,
        kind: None,
        mode: None,
        owner: None,
        files: None,
        origin: None,
        holds,
        backup,
    };
    match &out.place {
        Place::Path(path) => {
            let fact = ctx.facts.path(path);
            out.exists = fact.exists();
            if out.exists {
                out.mode = Some(fact.octal());
                out.owner = Some(fact.uid);
                out.kind = Some(match fact.kind {
                    Kind::File => "file",
                    Kind::Directory => "directory",
                    Kind::Symlink(_) => "link",
                    Kind::Special | Kind::Missing | Kind::Unknown(_) => "special",
                });
                out.files = ctx.facts.subtree(path).map(|t| t.files);
            }
        }
        Place::Key(key) => {
            let set = ctx.config.at(key).filter(|n| n.as_str().is_some_and(|t| !t.trim().is_empty()));
            out.exists = set.is_some();
            out.origin = set.map(|n| n.origin.clone());
        }
        Place::Variable(name) => out.exists = ctx.env(name).is_some_and(|v| !v.trim().is_empty()),
    }
    out
}

fn table(ctx: &AuditContext<'_>) -> Vec<(String, Place, Kept)> {
    let places = &ctx.facts.places;
    let state = &places.state_dir;
    let mut out: Vec<(String, Place, Kept)> = Vec::new();
    let mut path =
        |what: &str, path: PathBuf, kept: Kept| out.push((what.to_owned(), Place::Path(path), kept));
    path("state directory", state.clone(), STATE);
    path("configuration", places.config.clone(), SETTINGS);
    path("configuration, copy before the last change", beside(&places.config, ".bak"), SETTINGS);
    path("environment file", state.join(".env"), ENVIRONMENT);
    path("credentials", places.credentials.clone(), CREDENTIALS);
    whatsapp(ctx, &mut out);
    channel_tokens(ctx, &mut out);
    stores(ctx, &mut out);
    let mut path =
        |what: &str, path: PathBuf, kept: Kept| out.push((what.to_owned(), Place::Path(path), kept));
    path("older OAuth import", places.credentials.join("oauth.json"), OAUTH);
    for dir in agents::directories(ctx) {
        let id = dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        path(&format!("model credentials of {id}"), agents::auth_profiles(&dir), PROFILES);
        path(&format!("transcripts of {id}"), dir.join("sessions"), SESSIONS);
        path(&format!("session index of {id}"), agents::session_store(&dir), ROUTING);
    }
    path("plugins", state.join("extensions"), PLUGINS);
    path("sandbox workspaces", state.join("sandboxes"), SANDBOXES);
    path("command approvals", state.join("exec-approvals.json"), APPROVALS);
    path("paired devices", state.join("devices"), DEVICES);
    path("paired nodes", state.join("nodes"), DEVICES);
    path("device identity", state.join("identity"), IDENTITY);
    path("gateway certificate", state.join("gateway").join("tls"), TLS);
    if let Some(log) = ctx.text(&["logging", "file"]).map(str::trim).filter(|t| !t.is_empty()) {
        path("log file", workspace::expand(log, &places.home), LOGS);
    } else {
        path("log files", PathBuf::from("/tmp/openclaw"), LOGS);
    }
    for key in [
        "gateway.auth.token",
        "gateway.auth.password",
        "gateway.remote.token",
        "gateway.remote.password",
        "hooks.token",
    ] {
        out.push((words(key), Place::Key(KeyPath::dotted(key)), GATEWAY));
    }
    for name in ["OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_PASSWORD"] {
        out.push(("gateway secret".to_owned(), Place::Variable(name), GATEWAY));
    }
    out
}

fn words(key: &str) -> String {
    key.replace(".auth.", " ").replace('.', " ")
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn names(ctx: &AuditContext<'_>, folder: &Path) -> Vec<PathBuf> {
    ctx.facts.listing(folder).into_iter().flat_map(|l| &l.entries).map(|e| e.name.clone()).collect()
}

fn accounts<'a>(ctx: &AuditContext<'a>, channel: &str) -> Vec<(KeyPath, &'a Node)> {
    let root = KeyPath::keys(["channels", channel]);
    let mut out: Vec<(KeyPath, &Node)> =
        ctx.get(&["channels", channel]).map(|n| (root.clone(), n)).into_iter().collect();
    let own = ctx.get(&["channels", channel, "accounts"]).and_then(Node::as_object);
    out.extend(own.into_iter().flatten().map(|(id, n)| (root.key("accounts").key(id.as_str()), n)));
    out
}

fn whatsapp(ctx: &AuditContext<'_>, out: &mut Vec<(String, Place, Kept)>) {
    let credentials = &ctx.facts.places.credentials;
    let folder = credentials.join("whatsapp");
    let found = names(ctx, &folder);
    for name in &found {
        let what = format!("WhatsApp login of {}", name.display());
        out.push((what, Place::Path(folder.join(name).join("creds.json")), WHATSAPP));
    }
    if found.is_empty() {
        out.push((
            "WhatsApp login".to_owned(),
            Place::Path(folder.join("default").join("creds.json")),
            WHATSAPP,
        ));
    }
    for (_, section) in accounts(ctx, "whatsapp") {
        if let Some(dir) =
            section.get("authDir").and_then(Node::as_str).map(str::trim).filter(|d| !d.is_empty())
        {
            let dir = workspace::expand(dir, &ctx.facts.places.home);
            out.push(("WhatsApp login".to_owned(), Place::Path(dir.join("creds.json")), WHATSAPP));
        }
    }
}

fn channel_tokens(ctx: &AuditContext<'_>, out: &mut Vec<(String, Place, Kept)>) {
    let table: [(&str, &str, &[&str], &[&'static str]); 3] = [
        ("telegram", "Telegram bot token", &["botToken"], &["TELEGRAM_BOT_TOKEN"]),
        ("discord", "Discord bot token", &["token"], &["DISCORD_BOT_TOKEN"]),
        ("slack", "Slack token", &["botToken", "appToken"], &["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]),
    ];
    for (channel, what, keys, variables) in table {
        let sections = accounts(ctx, channel);
        let root = KeyPath::keys(["channels", channel]);
        for key in keys {
            if sections.is_empty() {
                out.push((what.to_owned(), Place::Key(root.key(*key)), BOT_TOKEN));
            }
            for (path, section) in &sections {
                // The channel's own key is always shown; an account's only when it has one.
                if *path == root || section.get(key).is_some() {
                    out.push((what.to_owned(), Place::Key(path.key(*key)), BOT_TOKEN));
                }
            }
        }
        for (_, section) in &sections {
            let file =
                section.get("tokenFile").and_then(Node::as_str).map(str::trim).filter(|f| !f.is_empty());
            if let Some(file) = file {
                let file = workspace::expand(file, &ctx.facts.places.home);
                out.push((format!("{what} file"), Place::Path(file), BOT_TOKEN));
            }
        }
        for name in variables {
            out.push((what.to_owned(), Place::Variable(name), BOT_TOKEN));
        }
    }
}

fn stores(ctx: &AuditContext<'_>, out: &mut Vec<(String, Place, Kept)>) {
    let folder = &ctx.facts.places.credentials;
    let mut none = true;
    for name in names(ctx, folder) {
        let text = name.to_string_lossy().into_owned();
        for (ending, what, kept) in [
            ("-allowFrom.json", "people paired on", PAIRING),
            ("-pairing.json", "pairing requests on", PENDING),
        ] {
            if let Some(channel) = text.strip_suffix(ending) {
                none = false;
                out.push((format!("{what} {channel}"), Place::Path(folder.join(&name)), kept));
            }
        }
    }
    if none {
        out.push(("people paired".to_owned(), Place::Path(folder.join("<channel>-allowFrom.json")), PAIRING));
    }
}

#[cfg(test)]
mod tests;
