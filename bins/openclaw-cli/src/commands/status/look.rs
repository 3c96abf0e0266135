//! Gathers what a status report shows.

use std::time::{Duration, Instant};

use oc_audit::{AuditContext, Report, RuleSet, workspace};
use oc_config::load::Loaded;
use oc_gateway::client::{DEFAULT_TIMEOUT, Target};
use oc_gateway::service::Kind;
use oc_text::redact::is_sensitive_name;
use oc_types::{AgentId, Node, Origin, Value as Tree};
use serde_json::{Value, json};

use crate::app::App;
use crate::commands::gateway::{Standing, probe_self};
use crate::commands::security::collect;
use crate::commands::sessions;
use crate::sheet::{list, now_ms};
use crate::wire::Connection;

/// How many lines of the log a full report looks at.
const LOG_LINES: u64 = 40;

/// What is asked for.
pub struct Ask {
    /// The full report.
    pub all: bool,
    /// Have the channels tried.
    pub deep: bool,
    /// Deadline, in milliseconds.
    pub timeout: Option<u64>,
}

/// A setup at one moment.
pub struct Picture {
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// Whether the full report is wanted.
    pub all: bool,
    /// The configuration file.
    pub config: String,
    /// Whether it is there, and whether it is valid.
    pub exists: bool,
    /// What is wrong with it.
    pub issues: Vec<String>,
    /// The kernel's release.
    pub release: String,
    /// `gateway.mode`.
    pub mode: String,
    /// `gateway.tailscale.mode`.
    pub tailscale: String,
    /// Where the gateway is.
    pub target: Target,
    /// The gateway, or why it does not answer.
    pub live: Result<Live, String>,
    /// The gateway's service.
    pub gateway_service: Standing,
    /// The node host's service.
    pub node_service: Standing,
    /// The agents.
    pub agents: Vec<Agent>,
    /// The channels of the configuration.
    pub channels: Vec<Channel>,
    /// The audit of this setup, without asking the gateway.
    pub audit: Report,
}

/// A gateway that answers.
pub struct Live {
    /// Time to connect, in milliseconds.
    pub latency_ms: u64,
    /// Its own entry among those present.
    pub own: Value,
    /// `status`.
    pub status: Value,
    /// `health`, when it was asked for.
    pub health: Option<Value>,
    /// `last-heartbeat`, when it was asked for.
    pub heartbeat: Option<Value>,
    /// The end of its log, when it was asked for.
    pub log: Vec<String>,
    /// Questions that it refused.
    pub refused: Vec<String>,
}

/// An agent as it is on this machine.
pub struct Agent {
    pub id: String,
    pub default: bool,
    pub workspace: String,
    pub store: String,
    /// Its sessions, or why they cannot be read.
    pub sessions: Result<Vec<Value>, String>,
}

/// A channel as it is configured.
pub struct Channel {
    pub id: String,
    pub enabled: bool,
    /// Names of its credentials and where each comes from, never more.
    pub credentials: Vec<String>,
}

/// Looks. What cannot be seen stands in the picture as such.
pub fn picture(app: &App, loaded: &Loaded, target: &Target, ask: &Ask) -> Picture {
    let now_ms = now_ms();
    let text = |keys: &[&str]| loaded.tree.path(keys).and_then(Node::as_str).map(str::to_owned);
    let facts = collect::facts(app, loaded, RuleSet::Latest, None);
    let release = oc_fs::bounded_read::text("/proc/sys/kernel/osrelease".as_ref(), 4096);
    Picture {
        now_ms,
        all: ask.all,
        config: loaded.locations.config.display().to_string(),
        exists: loaded.exists,
        issues: loaded.issues.iter().map(ToString::to_string).collect(),
        release: release.map(|r| r.trim().to_owned()).unwrap_or_default(),
        mode: text(&["gateway", "mode"]).unwrap_or_else(|| "not set".to_owned()),
        tailscale: text(&["gateway", "tailscale", "mode"]).unwrap_or_else(|| "off".to_owned()),
        live: live(loaded, target, ask),
        target: target.clone(),
        gateway_service: Standing::of(app, Kind::Gateway),
        node_service: Standing::of(app, Kind::Node),
        agents: agents(loaded, now_ms),
        channels: channels(&loaded.tree),
        audit: oc_audit::run(&AuditContext::new(&loaded.tree, &facts, RuleSet::Latest)),
    }
}

fn live(loaded: &Loaded, target: &Target, ask: &Ask) -> Result<Live, String> {
    let timeout = ask.timeout.map_or(DEFAULT_TIMEOUT, Duration::from_millis);
    let start = Instant::now();
    let c = Connection::open(loaded, target, timeout).map_err(|e| e.reason())?;
    let latency_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut refused = Vec::new();
    let mut get = |method: &str, params: Value| {
        let first = |e: anyhow::Error| format!("{e:#}").lines().next().unwrap_or_default().to_owned();
        c.call(method, params).map_err(|e| refused.push(first(e))).ok()
    };
    let status = get("status", json!({})).unwrap_or_default();
    let presence = get("system-presence", json!({})).unwrap_or_default();
    let health = (ask.deep || ask.all).then(|| get("health", json!({"probe": ask.deep}))).flatten();
    let heartbeat = ask.deep.then(|| get("last-heartbeat", json!({}))).flatten();
    let log = ask.all.then(|| get("logs.tail", json!({"limit": LOG_LINES}))).flatten();
    let log = log.map(|l| list(&l, "lines").iter().filter_map(|v| v.as_str().map(str::to_owned)).collect());
    c.close();
    let log = log.unwrap_or_default();
    Ok(Live { latency_ms, own: probe_self(&presence), status, health, heartbeat, log, refused })
}

fn agents(loaded: &Loaded, now_ms: u64) -> Vec<Agent> {
    let profile = loaded.environment.text("OPENCLAW_PROFILE");
    let all = workspace::agents(&loaded.tree);
    all.iter()
        .map(|agent| {
            let folders = workspace::folders(&loaded.tree, &loaded.locations, profile, agent);
            let store = sessions::store(loaded, Some(agent.id.as_str()));
            let sessions = sessions::read(&store).map(|s| sessions::rows(&s, now_ms, None));
            Agent {
                id: AgentId::as_str(&agent.id).to_owned(),
                default: agent.default,
                workspace: folders.first().map(|f| f.display().to_string()).unwrap_or_default(),
                store: store.display().to_string(),
                sessions: sessions.map_err(|e| format!("{e:#}")),
            }
        })
        .collect()
}

fn channels(tree: &Node) -> Vec<Channel> {
    let Some(all) = tree.get("channels").and_then(Node::as_object) else { return Vec::new() };
    all.iter()
        .filter(|(id, node)| id.as_str() != "defaults" && node.as_object().is_some())
        .map(|(id, node)| {
            let mut credentials = Vec::new();
            sources(node, "", &mut credentials);
            let enabled = node.get("enabled").and_then(Node::as_bool) != Some(false);
            Channel { id: id.clone(), enabled, credentials }
        })
        .collect()
}

/// Where each credential of a channel comes from.
fn sources(node: &Node, at: &str, out: &mut Vec<String>) {
    let Some(members) = node.as_object() else { return };
    for (key, child) in members {
        let here = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        let source = match &child.value {
            _ if !is_sensitive_name(key) => None,
            Tree::String(s) if s.trim().is_empty() => None,
            Tree::String(_) if matches!(child.origin, Origin::Env { .. }) => Some("environment"),
            Tree::String(_) => Some("configuration"),
            Tree::Object(o) if o.contains_key("file") => Some("file"),
            Tree::Object(o) if o.contains_key("keychain") => Some("keychain"),
            Tree::Object(_) | Tree::Null | Tree::Bool(_) | Tree::Number(_) | Tree::Array(_) => None,
        };
        match source {
            Some(source) => out.push(format!("{here} from the {source}")),
            None => sources(child, &here, out),
        }
    }
}
