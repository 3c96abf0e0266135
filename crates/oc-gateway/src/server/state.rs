//! What the whole gateway shares.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use oc_approval::node_run::Desk;
use oc_extensions::snapshot::SkillsSnapshot;
use oc_fs::approval_queue::ApprovalQueue;
use oc_fs::skill_library::SkillLibrary;
use oc_policy::inventory::Tool;
use oc_sandbox::gate::{Approvals, Asking, Gate, Handlers};
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};

use super::counters::Counters;
use super::idempotency::Idempotency;
use super::nodes::Nodes;
use super::outbox::{Ending, Weight};
use super::registry::Registry;
use super::slots::Slots;
use super::snapshot::{Snapshot, Source};
use crate::assistant::channels::Channels;
use crate::assistant::runtime::Assistant;
use crate::assistant::servers::Servers;
use crate::devices::DeviceStore;
use crate::entrance::throttle::Throttle;
use crate::log::LogHandle;
use crate::methods::approvals::AsSent;
use crate::methods::system_events::SystemEvents;
use crate::methods::{Paths, health_for, skills};
use crate::presence::{self, Presence};
use crate::protocol::frame::{Close, StateVersion};

/// Whether the gateway goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It does.
    Running,
    /// It ends.
    Stopping {
        /// Why, for clients.
        reason: String,
        /// When it is back, in milliseconds; `None`: not by itself.
        restart_ms: Option<u64>,
    },
}

/// The gateway: everything that outlives a connection.
#[derive(Debug)]
pub struct Gateway {
    /// Where configuration comes from.
    pub source: Source,
    /// The state directory.
    pub state_dir: PathBuf,
    /// This machine's own addresses.
    pub interfaces: Vec<IpAddr>,
    /// Who is connected.
    pub registry: Registry,
    /// Sockets without a credential.
    pub slots: Slots,
    /// Paired devices.
    pub devices: DeviceStore,
    /// Connected nodes.
    pub nodes: Nodes,
    /// The local Tailscale daemon.
    pub tailnet: crate::tailnet::Tailnet,
    /// The one door to tools.
    pub gate: Arc<Gate>,
    /// The log, when this process writes one.
    pub log: Option<LogHandle>,
    /// What is counted.
    pub counters: Counters,
    /// What waits to be told to the agent.
    pub system_events: Mutex<SystemEvents>,
    /// Who waits for a person's answer.
    pub queue: ApprovalQueue,
    /// The same queue, to put questions into.
    pub approvals: Approvals,
    /// Answers for commands on nodes, until the command comes.
    pub answers: Mutex<Desk<Asking>>,
    /// What clients sent with their questions.
    pub as_sent: AsSent,
    /// Wakes whoever watches the queue.
    pub queue_changed: Arc<Notify>,
    /// The skills of all agents; a turn takes its own from it when it starts.
    pub skills: Arc<SkillLibrary>,
    /// Wakes whoever asks nodes what they have.
    pub(super) nodes_changed: Notify,
    /// Wakes whoever tells of the presence list.
    pub(super) presence_changed: Notify,
    /// Answers of calls that may be sent again.
    pub idempotency: Mutex<Idempotency>,
    /// When this process began to serve.
    pub started: Instant,
    /// The gateway's own presence.
    pub own_entry: presence::Entry,
    /// Held while the configuration is read and put in force, so that no older reading follows a newer one.
    pub(super) reloading: Mutex<()>,
    assistant: OnceLock<Arc<Assistant>>,
    channels: OnceLock<Channels>,
    servers: OnceLock<Arc<Servers>>,
    /// The tools of MCP servers that run, for the policy. Held while the gate gets a snapshot, so that no older one follows a newer one.
    server_tools: Mutex<Vec<Tool>>,
    current: ArcSwap<Snapshot>,
    throttle: Mutex<Throttle>,
    presence: Mutex<Presence>,
    health: Mutex<Option<KeptHealth>>,
    health_version: AtomicU64,
    phase: watch::Sender<Phase>,
}

/// A health report, and how it is sent.
#[derive(Debug)]
struct KeptHealth {
    at: Instant,
    report: Value,
    whole: Arc<str>,
    short: Arc<str>,
}

/// What a gateway is made from.
#[derive(Debug)]
pub struct Parts {
    /// Where configuration comes from.
    pub source: Source,
    /// The first reading.
    pub snapshot: Snapshot,
    /// This machine's own addresses.
    pub interfaces: Vec<IpAddr>,
    /// The one door to tools.
    pub gate: Arc<Gate>,
    /// Who waits for a person's answer.
    pub approvals: Approvals,
    /// Wakes whoever watches the queue.
    pub queue_changed: Arc<Notify>,
    /// This machine's name.
    pub host_name: String,
    /// The log, when this process writes one.
    pub log: Option<LogHandle>,
}

/// Locks, whatever happened to an earlier holder: what is guarded here is whole after every step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gateway {
    /// Puts a gateway together. Nothing listens yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let state_dir = parts.snapshot.loaded.locations.state_dir.clone();
        let own_entry = presence::Entry {
            host: Some(parts.host_name),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            ip: Some(reachable(&parts.interfaces).to_string()),
            platform: Some(std::env::consts::OS.to_owned()),
            device_family: Some(family().to_owned()),
            model_identifier: Some(std::env::consts::ARCH.to_owned()),
            mode: Some("gateway".to_owned()),
            reason: Some("self".to_owned()),
            ..presence::Entry::default()
        };
        Self {
            devices: DeviceStore::of(&state_dir),
            nodes: Nodes::default(),
            tailnet: crate::tailnet::Tailnet::of_this_machine(),
            state_dir,
            source: parts.source,
            interfaces: parts.interfaces,
            registry: Registry::default(),
            slots: Slots::default(),
            gate: parts.gate,
            queue: parts.approvals.queue().clone(),
            approvals: parts.approvals,
            answers: Mutex::default(),
            as_sent: AsSent::default(),
            log: parts.log,
            counters: Counters::default(),
            system_events: Mutex::default(),
            queue_changed: parts.queue_changed,
            skills: Arc::default(),
            nodes_changed: Notify::new(),
            presence_changed: Notify::new(),
            idempotency: Mutex::default(),
            started: Instant::now(),
            own_entry,
            throttle: Mutex::new(Throttle::new(parts.snapshot.settings.limits)),
            reloading: Mutex::default(),
            assistant: OnceLock::new(),
            channels: OnceLock::new(),
            servers: OnceLock::new(),
            server_tools: Mutex::default(),
            current: ArcSwap::from_pointee(parts.snapshot),
            presence: Mutex::default(),
            health: Mutex::default(),
            health_version: AtomicU64::new(0),
            phase: watch::channel(Phase::Running).0,
        }
    }

    /// The assistant, once it runs.
    #[must_use]
    pub fn assistant(&self) -> Option<Arc<Assistant>> {
        self.assistant.get().cloned()
    }

    /// The assistant runs from now on; a second one is not taken.
    pub(super) fn set_assistant(&self, assistant: Arc<Assistant>) {
        let _ = self.assistant.set(assistant);
    }

    /// The MCP servers and plugins, once they are started.
    #[must_use]
    pub fn servers(&self) -> Option<&Arc<Servers>> {
        self.servers.get()
    }

    /// The servers are started from now on; others are not taken.
    pub(super) fn set_servers(&self, servers: Arc<Servers>) {
        let _ = self.servers.set(servers);
    }

    /// The chats, once they are served.
    #[must_use]
    pub fn channels(&self) -> Option<&Channels> {
        self.channels.get()
    }

    /// The chats are served from now on; others are not taken.
    pub(super) fn set_channels(&self, channels: Channels) {
        let _ = self.channels.set(channels);
    }

    /// The snapshot in force. A decision takes it once.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Puts a new snapshot in force: for decisions from now on, for the gate, and for whoever is in with a secret that is no longer one.
    /// When this returns, no connection of the old secret is served any more (SP-067, SP-328, SP-350).
    pub fn swap(&self, snapshot: Snapshot) {
        let old = self.snapshot();
        if old.settings.limits != snapshot.settings.limits {
            *self.throttle() = Throttle::new(snapshot.settings.limits);
        }
        let (before, after) = (&old.settings.accepts, snapshot.settings.accepts.clone());
        {
            let tools = lock(&self.server_tools);
            self.gate.reload(snapshot.for_gate(&tools));
            self.current.store(Arc::new(snapshot));
        }
        let stranded = |c: &super::connection::Connection| {
            !crate::entrance::admission::outlives(c.method, before, &after)
        };
        self.registry.end_where(stranded, &Ending::now(Close::Policy, "gateway credential changed"));
        self.skills.touch();
        self.forget_health();
        if let Some(channels) = self.channels() {
            channels.reload(&self.snapshot());
        }
        if let Some(servers) = self.servers() {
            servers.reconcile();
        }
    }

    /// MCP servers came or went: the policy knows their tools from now on, and the gate what carries them out.
    pub fn publish(&self, tools: Vec<Tool>, handlers: Handlers) {
        let mut slot = lock(&self.server_tools);
        if *slot != tools {
            *slot = tools;
            self.gate.reload(self.snapshot().for_gate(&slot));
        }
        self.gate.replace_handlers(handlers);
    }

    /// The budget of wrong answers.
    pub fn throttle(&self) -> MutexGuard<'_, Throttle> {
        lock(&self.throttle)
    }

    /// The skills of an agent for a turn that starts now. Touches the disk.
    #[must_use]
    pub fn skills_of(&self, agent: &oc_types::AgentId) -> Arc<SkillsSnapshot> {
        let snapshot = self.snapshot();
        let environment = &snapshot.loaded.environment;
        let path = self.search_path();
        let host = skills::Host { path: &path, variable: &|name| environment.text(name).is_some() };
        skills::snapshot(&self.skills, &snapshot.place(), agent, &host)
    }

    /// Where commands on this host are looked for at this moment.
    #[must_use]
    pub fn search_path(&self) -> Vec<PathBuf> {
        let inherited = self.gate.inherited();
        let path = inherited.iter().find(|(name, _)| name == "PATH").map_or("", |(_, path)| path.as_str());
        std::env::split_paths(path).collect()
    }

    /// The presence list.
    pub fn presence(&self) -> MutexGuard<'_, Presence> {
        lock(&self.presence)
    }

    /// Answers of calls that may be sent again.
    pub fn idempotency(&self) -> MutexGuard<'_, Idempotency> {
        lock(&self.idempotency)
    }

    /// The presence list as the protocol sends it.
    #[must_use]
    pub fn presence_list(&self) -> Value {
        presence::as_json(&self.presence().list(&self.own_entry, now_ms()))
    }

    /// Has everybody told that the presence list changed: at once, but not more often than a few times a second, however many come and go.
    pub fn announce_presence(&self) {
        self.presence_changed.notify_one();
    }

    /// Tells everybody that the presence list changed.
    pub(super) fn tell_presence(&self) {
        let list = self.presence_list();
        let version = Some(self.state_version());
        self.registry.broadcast("presence", json!({ "presence": list }), Weight::DropIfSlow, version);
    }

    /// Versions of what clients cache.
    #[must_use]
    pub fn state_version(&self) -> StateVersion {
        StateVersion {
            presence: self.presence().version(),
            health: self.health_version.load(Ordering::Relaxed),
        }
    }

    /// The health report, at most `age` old when it is at hand.
    #[must_use]
    pub fn cached_health(&self, age: std::time::Duration) -> Option<Value> {
        lock(&self.health).as_ref().filter(|kept| kept.at.elapsed() < age).map(|kept| kept.report.clone())
    }

    /// The same as text, as it is shown to whoever may or may not see paths of this machine.
    #[must_use]
    pub fn cached_health_text(&self, age: std::time::Duration, paths: Paths) -> Option<Arc<str>> {
        let kept = lock(&self.health);
        let kept = kept.as_ref().filter(|kept| kept.at.elapsed() < age)?;
        Some(Arc::clone(match paths {
            Paths::Whole => &kept.whole,
            Paths::Short => &kept.short,
        }))
    }

    /// Keeps a new health report.
    pub fn keep_health(&self, report: Value) {
        self.health_version.fetch_add(1, Ordering::Relaxed);
        let text = |paths| health_for(report.clone(), paths).to_string().into();
        let kept = KeptHealth {
            at: Instant::now(),
            whole: text(Paths::Whole),
            short: text(Paths::Short),
            report: report.clone(),
        };
        *lock(&self.health) = Some(kept);
    }

    /// The next question about health is answered anew.
    pub fn forget_health(&self) {
        *lock(&self.health) = None;
    }

    /// Whether the gateway goes on, to wait for.
    #[must_use]
    pub fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// Ends the gateway. The first call counts.
    pub fn stop(&self, reason: &str, restart_ms: Option<u64>) {
        self.phase.send_if_modified(|phase| match phase {
            Phase::Running => {
                *phase = Phase::Stopping { reason: reason.to_owned(), restart_ms };
                true
            }
            Phase::Stopping { .. } => false,
        });
    }
}

/// The address that others would find this machine at; loopback when there is none.
fn reachable(interfaces: &[IpAddr]) -> IpAddr {
    let outside = interfaces.iter().find(|a| a.is_ipv4() && !a.is_loopback());
    outside.copied().unwrap_or(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST))
}

/// The kind of this machine, as clients name it.
fn family() -> &'static str {
    match std::env::consts::OS {
        "macos" => "Mac",
        "windows" => "Windows",
        _ => "Linux",
    }
}

/// The clock, in milliseconds since 1970.
#[must_use]
pub fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}

/// Waits until the gateway ends.
pub async fn stopping(phase: &mut watch::Receiver<Phase>) {
    let _ = phase.wait_for(|p| *p != Phase::Running).await;
}
