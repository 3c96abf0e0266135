//! The gateway as a process: runtime, signals, restarts. Both programs that serve call this.

use std::io;
use std::net::SocketAddr;

use rustix::process::{Resource, Rlimit};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};

use crate::log::LogHandle;

use super::run::{Ended, NotStarted, Running, start};
use super::snapshot::Source;

/// Most threads for work on files, and for questions that wait; they are made when needed.
const FILE_THREADS: usize = 160;
/// Threads of the reactor.
const THREADS: usize = 2;

/// Why the process did not serve.
#[derive(Debug, Error)]
pub enum ProcessFailure {
    /// The runtime or a signal handler could not be set up.
    #[error("the gateway's process cannot be set up: {0}")]
    Setup(#[from] io::Error),
    /// It did not start.
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
}

/// What is told once the gateway listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Where.
    pub addresses: Vec<SocketAddr>,
    /// SHA-256 of its certificate, when it speaks TLS.
    pub fingerprint: Option<String>,
    /// Where the console is, below the address; `None` when it is switched off.
    pub console: Option<String>,
    /// Whether this is a restart within the process.
    pub again: bool,
}

/// The log that the configuration asks for. An invalid configuration has the default one.
fn log_of(source: &Source) -> Option<LogHandle> {
    let loaded = source.load();
    crate::log::init(super::logging::settings(&loaded, source.flags.verbose)).ok()
}

/// As many open files as the system lets it have: each client is one.
fn raise_file_limit() {
    let most = rustix::process::getrlimit(Resource::Nofile).maximum;
    let _ = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most });
}

/// This machine's name.
#[must_use]
pub fn host_name() -> String {
    let name = rustix::system::uname();
    oc_text::visible(&name.nodename().to_string_lossy(), 80)
}

/// Serves until a signal ends it. `ready` is called each time the gateway listens.
///
/// # Errors
/// See [`ProcessFailure`].
pub fn run(source: &Source, ready: &mut dyn FnMut(&Ready)) -> Result<(), ProcessFailure> {
    raise_file_limit();
    oc_malloc::share_heaps();
    let log = log_of(source);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .max_blocking_threads(FILE_THREADS)
        .enable_all()
        .build()?;
    let mut again = false;
    loop {
        let ended = runtime.block_on(once(source.clone(), log.clone(), again, ready))?;
        match ended {
            Ended::Stopped => break,
            Ended::Restart => again = true,
        }
    }
    // What still runs on files is not waited for longer than this.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    Ok(())
}

async fn once(
    source: Source,
    log: Option<LogHandle>,
    again: bool,
    ready: &mut dyn FnMut(&Ready),
) -> Result<Ended, ProcessFailure> {
    // Before anything listens: a signal in between is not lost.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut user = signal(SignalKind::user_defined1())?;
    let running: Running = start(source, host_name(), log).await?;
    let gateway = std::sync::Arc::clone(&running.gateway);
    let snapshot = gateway.snapshot();
    let ui = &snapshot.settings.control_ui;
    ready(&Ready {
        addresses: running.addresses.clone(),
        fingerprint: running.fingerprint.clone(),
        console: ui.enabled.then(|| format!("{}/", ui.base_path)),
        again,
    });
    drop(snapshot);
    let signals = async {
        loop {
            tokio::select! {
                _ = terminate.recv() => return gateway.stop("SIGTERM", None),
                _ = interrupt.recv() => return gateway.stop("SIGINT", None),
                _ = user.recv() => {
                    let tree = &gateway.snapshot().loaded.tree;
                    let allowed = tree.path(&["commands", "restart"]).and_then(oc_types::Node::as_bool) == Some(true);
                    if allowed {
                        return gateway.stop("SIGUSR1", Some(1500));
                    }
                    tracing::warn!(target: "gateway", "SIGUSR1 is ignored: commands.restart is not true");
                }
            }
        }
    };
    let served = running.until_stopped();
    tokio::pin!(served);
    tokio::select! {
        ended = &mut served => return Ok(ended),
        () = signals => {}
    }
    Ok(served.await)
}
