//! Start, serve, stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use oc_agent::handlers::web_fetch::{PublicOnly, WebFetch};
use oc_config::Loaded;
use oc_fs::ledger::Ledger;
use oc_sandbox::container::EngineAddress;
use oc_sandbox::gate::{Approvals, Gate, Handlers, Listener, ToolHandler};
use oc_sandbox::machine::Machine;
use serde_json::json;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::bind::{self, BindFailure};
use super::outbox::{Ending, Weight};
use super::snapshot::Source;
use super::state::{Gateway, Parts, Phase};
use super::surroundings::Surroundings;
use super::tls::{self, Identity, TlsFailure};
use super::told::Told;
use super::{accept, login_path, reload, retention, revoked, skills, ticks, watch};
use crate::assistant::channels::Channels;
use crate::assistant::runtime::Assistant;
use crate::assistant::servers::Servers;
use crate::assistant::tools::{self, Facts};
use crate::log::LogHandle;
use crate::protocol::frame::Close;
use crate::settings::StartRefused;

/// How long connections have to leave.
const LEAVE: Duration = Duration::from_secs(5);

/// Why the gateway did not start.
#[derive(Debug, Error)]
pub enum NotStarted {
    /// The configuration.
    #[error("the gateway does not start:\n{}", list(.0))]
    Settings(Vec<StartRefused>),
    /// The address.
    #[error(transparent)]
    Bind(#[from] BindFailure),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsFailure),
    /// Another gateway.
    #[error(transparent)]
    Instance(#[from] oc_fs::instance_lock::InstanceFailure),
    /// The state directory.
    #[error("the state directory {path} cannot be used: {source}")]
    State {
        /// The directory.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The approval queue.
    #[error(transparent)]
    Queue(#[from] oc_fs::approval_queue::QueueFailure),
}

fn list(all: &[StartRefused]) -> String {
    all.iter().map(|r| format!("  - {r}")).collect::<Vec<_>>().join("\n")
}

/// A gateway that listens.
#[derive(Debug)]
pub struct Running {
    /// What it shares.
    pub gateway: Arc<Gateway>,
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
    /// SHA-256 of its certificate, when it speaks TLS.
    pub fingerprint: Option<String>,
    tasks: JoinSet<()>,
    surroundings: Surroundings,
    _instance: Option<oc_fs::instance_lock::InstanceLock>,
}

/// How a gateway ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// For good.
    Stopped,
    /// To start anew.
    Restart,
}

/// Reads the configuration, opens the listeners, and begins to serve. Must be called within a runtime.
///
/// # Errors
/// See [`NotStarted`]; nothing listens then.
pub async fn start(source: Source, host_name: String, log: Option<LogHandle>) -> Result<Running, NotStarted> {
    let interfaces = bind::interfaces();
    let snapshot = source.read(1, &interfaces).map_err(NotStarted::Settings)?;
    for warning in &snapshot.settings.warnings {
        tracing::warn!(target: "gateway", "{warning}");
    }
    warn_about_switches(&snapshot);
    let locations = &snapshot.loaded.locations;
    let state_dir = locations.state_dir.clone();
    let unusable = |source| NotStarted::State { path: state_dir.to_string_lossy().into_owned(), source };
    oc_fs::mode::create_directories(&state_dir).map_err(unusable)?;
    let multi = snapshot.loaded.environment.text("OPENCLAW_ALLOW_MULTI_GATEWAY") == Some("1");
    let instance = if multi { None } else { Some(oc_fs::instance_lock::take(&locations.config)?) };
    let tls = snapshot.settings.tls.as_ref().map(|s| tls::identity(s, &state_dir)).transpose()?;
    let wanted =
        bind::addresses(snapshot.settings.bind, snapshot.settings.custom_host.as_deref(), &interfaces)?;
    let listeners = bind::listen(&wanted, snapshot.settings.port).await?;
    let queue_changed = Arc::new(Notify::new());
    let told = Arc::new(Told::new(Arc::clone(&queue_changed)));
    let approvals = Approvals::of(&state_dir)?.told_to(Arc::clone(&told) as Arc<dyn Listener>);
    let gate = Arc::new(gate(&snapshot, approvals.clone()));
    let parts = Parts {
        source,
        snapshot,
        interfaces,
        gate,
        approvals,
        queue_changed,
        host_name: host_name.clone(),
        log,
    };
    let gateway = Arc::new(Gateway::new(parts));
    told.belongs_to(&gateway);
    gateway.gate.reach_nodes(Arc::new(super::nodes::exec::NodesOf::of(&gateway)));
    gateway.set_assistant(Arc::new(Assistant::new(Arc::downgrade(&gateway))));
    let own = handlers(&gateway);
    gateway.gate.replace_handlers(Handlers::new(own.iter().cloned()));
    gateway.set_servers(Servers::new(Arc::downgrade(&gateway), own));
    let mut running = serve(gateway, listeners, tls, instance);
    running.surroundings = Surroundings::enter(&running, &host_name);
    if let Some(servers) = running.gateway.servers() {
        servers.reconcile();
    }
    running.tasks.spawn(chats(Arc::clone(&running.gateway)));
    Ok(running)
}

/// Serves the chats. Not waited for: a service that is slow to answer does not keep the gateway from starting.
async fn chats(gateway: Arc<Gateway>) {
    let snapshot = gateway.snapshot();
    let skip = snapshot.loaded.environment.text("OPENCLAW_SKIP_CHANNELS");
    if skip.is_some_and(|v| matches!(v, "1" | "true")) {
        tracing::info!(target: "channels", "OPENCLAW_SKIP_CHANNELS is set: no chat is served");
        return;
    }
    let Some(assistant) = gateway.assistant() else { return };
    match Channels::start(&gateway, &assistant).await {
        Ok(channels) => gateway.set_channels(channels),
        Err(e) => tracing::error!(target: "channels", error = %e, "no chat is served"),
    }
}

fn gate(snapshot: &super::snapshot::Snapshot, approvals: Approvals) -> Gate {
    let loaded = &snapshot.loaded;
    Gate::new(snapshot.for_gate(&[]), Ledger::of(&loaded.locations.state_dir), Arc::new(machine(loaded)))
        .asking(approvals)
        .with_environment(environment(loaded))
}

/// The tools that the gateway itself carries out.
fn handlers(gateway: &Arc<Gateway>) -> Vec<Arc<dyn ToolHandler>> {
    let browser = tools::browser::of(&gateway.snapshot(), Arc::downgrade(gateway));
    let gateway = Arc::downgrade(gateway);
    let web = Arc::new(WebFetch::new(Arc::new(PublicOnly))) as Arc<dyn ToolHandler>;
    let reading = tools::reading(&Facts::of(gateway.clone()));
    reading.into_iter().chain([web]).chain(tools::acting(&gateway)).chain(browser).collect()
}

/// The places of execution of this machine.
pub(crate) fn machine(loaded: &Loaded) -> Machine {
    let get = |name: &str| loaded.environment.get(name).map(str::to_owned);
    let engine = EngineAddress::from_environment(get, Some(&loaded.locations.home));
    Machine::new(loaded.locations.state_dir.clone(), super::snapshot::places(loaded), engine)
}

/// What commands on this host inherit, before it is sanitised.
pub(crate) fn environment(loaded: &Loaded) -> Vec<(String, String)> {
    let all = &loaded.environment;
    all.names().filter_map(|name| Some((name.to_owned(), all.get(name)?.to_owned()))).collect()
}

/// The two break-glass switches are said at every start (SP-351).
fn warn_about_switches(snapshot: &super::snapshot::Snapshot) {
    let glass = snapshot.break_glass();
    if glass.insecure_auth {
        tracing::warn!(target: "gateway", "gateway.controlUi.allowInsecureAuth is on: the console needs no device identity");
    }
    if glass.no_device_auth {
        tracing::warn!(
            target: "gateway",
            "gateway.controlUi.dangerouslyDisableDeviceAuth is on: whoever has the secret administers; switch it off"
        );
    }
}

fn serve(
    gateway: Arc<Gateway>,
    listeners: Vec<TcpListener>,
    tls: Option<Identity>,
    instance: Option<oc_fs::instance_lock::InstanceLock>,
) -> Running {
    let addresses = listeners.iter().filter_map(|l| l.local_addr().ok()).collect();
    let mut tasks = JoinSet::new();
    for listener in listeners {
        tasks.spawn(accept::accept(Arc::clone(&gateway), listener, tls.clone()));
    }
    tasks.spawn(ticks::run(Arc::clone(&gateway)));
    tasks.spawn(ticks::presence(Arc::clone(&gateway)));
    tasks.spawn(watch::run(Arc::clone(&gateway)));
    tasks.spawn(skills::run(Arc::clone(&gateway)));
    tasks.spawn(reload::watch(Arc::clone(&gateway)));
    tasks.spawn(revoked::watch(Arc::clone(&gateway)));
    tasks.spawn(retention::run(Arc::clone(&gateway), super::state::now_ms));
    tasks.spawn(login_path::take_over(Arc::clone(&gateway)));
    let fingerprint = tls.map(|t| t.fingerprint);
    let surroundings = Surroundings::default();
    Running { gateway, addresses, fingerprint, tasks, surroundings, _instance: instance }
}

impl Running {
    /// Serves until somebody stops the gateway, then lets everybody go: the event `shutdown`, the close 1012, a few seconds.
    pub async fn until_stopped(mut self) -> Ended {
        let mut phase = self.gateway.phase();
        let stopping = phase.wait_for(|p| *p != Phase::Running).await.map(|p| p.clone());
        let (reason, restart_ms) = match stopping {
            Ok(Phase::Stopping { reason, restart_ms }) => (reason, restart_ms),
            Ok(Phase::Running) | Err(_) => ("stopped".to_owned(), None),
        };
        tracing::info!(target: "gateway", reason, "stopping");
        let payload = json!({ "reason": reason, "restartExpectedMs": restart_ms });
        self.gateway.registry.broadcast("shutdown", payload, Weight::Needed, None);
        self.gateway.registry.end_where(|_| true, &Ending::after(Close::Restart, "service restart"));
        let left = async {
            while !self.gateway.registry.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(LEAVE, left).await;
        if let Some(servers) = self.gateway.servers() {
            servers.stop();
        }
        self.tasks.abort_all();
        while self.tasks.join_next().await.is_some() {}
        self.surroundings.leave(&self.gateway).await;
        if restart_ms.is_some() { Ended::Restart } else { Ended::Stopped }
    }
}
