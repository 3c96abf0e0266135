//! The way to a container's resident runner.
//!
//! The runner is the container's first process. The first process of ours that needs it attaches to its standard streams: that costs
//! nothing and lasts. Attaching is for one at a time, which a lock file settles between processes; whoever comes second starts a runner
//! of its own in the container through the engine's exec. The lock file also tells how the last one went. It is empty after a clean end:
//! then the stream stands between two frames, and a greeting takes the runner over. Otherwise nobody knows what was half sent, and
//! the container is stopped and started, which also ends whatever the dead one left running.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use bollard::query_parameters::AttachContainerOptionsBuilder;
use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::containers::{ContainerError, Containers, Slot};
use super::engine::Engine;
use super::error::EngineError;
use super::found::Found;
use super::resident;
use super::traffic::Traffic;
use crate::connection::Connection;
use crate::executor::{ExecutorError, Place};

/// How long a runner that was attached to before may take to answer, before its container is started anew.
const GREETING: Duration = Duration::from_secs(3);

/// A connection to the runner of one container.
#[derive(Debug)]
pub(super) struct Link {
    /// The protocol.
    pub connection: Connection,
    /// The digest of the container that it leads to.
    pub digest: String,
    /// Which run of which container.
    pub container: Run,
    attached: Option<Attached>,
    // Not the slot: that holds this.
    traffic: Arc<Traffic>,
}

/// One run of a container: from its start to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// The engine's id.
    pub id: String,
    /// When it was started, as the engine writes it.
    pub started_at: String,
}

impl Run {
    fn of(found: &Found) -> Self {
        Self { id: found.id.clone(), started_at: found.started_at.clone() }
    }

    /// The note in the lock file.
    fn note(&self) -> String {
        format!("{} {}", self.id, self.started_at)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(attached) = &mut self.attached
            && self.traffic.is_settled()
            && !self.connection.is_lost()
        {
            attached.clean();
        }
    }
}

/// Output and input of a runner.
struct Ends {
    from: Pieces,
    to: Pin<Box<dyn AsyncWrite + Send>>,
}

impl Containers {
    /// Connects to the runner of a container that runs.
    pub(super) async fn link(
        &self,
        found: &Found,
        slot: &Slot,
        digest: &str,
        roots: &[String],
    ) -> Result<Link, ContainerError> {
        let path = self.state_dir().join("sandbox/locks").join(format!("{}.attached", found.name));
        let failed =
            |e: std::io::Error| ContainerError::System(format!("{} cannot be used: {e}", path.display()));
        let mut run = Run::of(found);
        let mut lock = Attached::take(&path).map_err(failed)?;
        let left_open = match &mut lock {
            Some(lock) => lock.left_open(&run.note()).map_err(failed)?,
            None => false,
        };
        if left_open && !found.commands.is_empty() {
            // A third process has a runner of its own in it: it is not stopped under its hands.
            lock = None;
        }
        let connection = if let Some(lock) = &mut lock {
            if left_open {
                run = self.restart(found).await?;
            }
            lock.mark(&run.note()).map_err(failed)?;
            match greet(attach(self.engine(), &found.id).await?).await {
                Ok(connection) => connection,
                Err(_) => {
                    // Something else than a runner that waits is at the other end.
                    run = self.restart(found).await?;
                    lock.mark(&run.note()).map_err(failed)?;
                    greet(attach(self.engine(), &found.id).await?).await?
                }
            }
        } else {
            greet(start_runner(self.engine(), &found.id, roots).await?).await?
        };
        let (digest, traffic) = (digest.to_owned(), Arc::clone(&slot.traffic));
        traffic.begins_anew();
        Ok(Link { connection, digest, container: run, attached: lock, traffic })
    }

    async fn restart(&self, found: &Found) -> Result<Run, ContainerError> {
        self.engine().kill(&found.id).await?;
        self.engine().start(&found.id).await?;
        let now = self.engine().find(&found.id).await?;
        Ok(Run::of(&now.ok_or_else(|| EngineError::NotFound(format!("container {}", found.name)))?))
    }
}

async fn greet(ends: Ends) -> Result<Connection, ExecutorError> {
    let opened = Connection::open(Place::Container, ends.from, ends.to);
    tokio::time::timeout(GREETING, opened).await.unwrap_or_else(|_| Err(silent()))
}

fn silent() -> ExecutorError {
    ExecutorError::Unavailable { place: Place::Container, cause: "the runner does not answer".to_owned() }
}

/// Attaches to the standard streams of a container's first process.
async fn attach(engine: &Engine, id: &str) -> Result<Ends, EngineError> {
    let options = AttachContainerOptionsBuilder::new()
        .stream(true)
        .logs(false)
        .stdin(true)
        .stdout(true)
        .stderr(true)
        .build();
    let attached = engine.api().attach_container(id, Some(options)).await;
    let attached = attached.map_err(|e| EngineError::from_api("attach to the container", &e))?;
    Ok(Ends { from: Pieces::new(attached.output), to: attached.input })
}

/// Starts a runner beside the container's own one.
async fn start_runner(engine: &Engine, id: &str, roots: &[String]) -> Result<Ends, EngineError> {
    let what = "start a runner";
    let config = ExecConfig {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(resident::command(roots)),
        ..ExecConfig::default()
    };
    let made = engine.api().create_exec(id, config).await.map_err(|e| EngineError::from_api(what, &e))?;
    let started = engine.api().start_exec(&made.id, None::<StartExecOptions>).await;
    match started.map_err(|e| EngineError::from_api(what, &e))? {
        StartExecResults::Attached { output, input } => Ok(Ends { from: Pieces::new(output), to: input }),
        StartExecResults::Detached => {
            Err(EngineError::Refused { what, message: "it answered without streams".to_owned() })
        }
    }
}

type Logs = Pin<Box<dyn Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>;

/// The standard output of a runner as bytes. What it says on standard error is for nobody.
struct Pieces {
    logs: Logs,
    rest: Vec<u8>,
    taken: usize,
}

impl Pieces {
    fn new(logs: Logs) -> Self {
        Self { logs, rest: Vec::new(), taken: 0 }
    }
}

impl AsyncRead for Pieces {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        loop {
            if let Some(rest) = this.rest.get(this.taken..).filter(|r| !r.is_empty()) {
                let (now, _) = rest.split_at_checked(buffer.remaining()).unwrap_or((rest, &[]));
                buffer.put_slice(now);
                this.taken = this.taken.saturating_add(now.len());
                return Poll::Ready(Ok(()));
            }
            match this.logs.as_mut().poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Ready(Some(Err(e))) => return Poll::Ready(Err(std::io::Error::other(e))),
                Poll::Ready(Some(Ok(LogOutput::StdErr { .. }))) => {}
                Poll::Ready(Some(Ok(output))) => {
                    this.rest = output.into_bytes().to_vec();
                    this.taken = 0;
                }
            }
        }
    }
}

/// The lock on a container's standard streams, and the note of who attached to which run of it.
#[derive(Debug)]
struct Attached {
    file: File,
}

impl Attached {
    /// Takes the lock; `None` when another process has it.
    fn take(path: &Path) -> std::io::Result<Option<Self>> {
        let nofollow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(nofollow)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(e)) => Err(e),
        }
    }

    /// Whether the last one attached to this same run of the container and did not end cleanly.
    fn left_open(&mut self, this_run: &str) -> std::io::Result<bool> {
        let mut text = String::new();
        self.file.rewind()?;
        (&self.file).take(4096).read_to_string(&mut text)?;
        Ok(text == this_run)
    }

    fn mark(&mut self, this_run: &str) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(this_run.as_bytes())
    }

    fn clean(&mut self) {
        // When this fails the next one starts the container anew, which is right as well.
        let _ = self.file.set_len(0);
    }
}
