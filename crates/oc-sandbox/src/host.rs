//! The gateway host as a place of execution: a runner as child process, without a sandbox around it.
//!
//! What may run here, with which environment and where, was decided before; this only carries it out. The runner is this
//! program itself (or the runner program), so nothing has to be installed. It ends, with all that it started, when this process does.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use oc_runner::protocol::{FileOperation, FileRequest, RunRequest};
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::connection::Connection;
use crate::executor::{Executor, ExecutorError, FileAnswer, Pending, Place, Running};
use crate::gate::AuthorizedCall;
use crate::runner_file;

#[cfg(test)]
mod tests;

/// How the runner is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Launch {
    /// The running program holds the runner (`openclaw __runner`): on Linux the very file that runs, whatever lies at its path by now.
    #[must_use]
    pub fn this_program() -> Self {
        let arguments = [oc_runner::HIDDEN, "serve"].map(OsString::from).to_vec();
        Self { program: oc_runner::this_file(), arguments }
    }

    /// The runner program beside the running one.
    ///
    /// # Errors
    /// When there is none.
    pub fn runner_file() -> Result<Self, runner_file::NoRunner> {
        Ok(Self { program: runner_file::runner_file()?, arguments: vec![OsString::from("serve")] })
    }
}

/// Runs calls on the host. One runner serves all of them; a new one is started when it was lost.
#[derive(Debug)]
pub struct HostExecutor {
    launch: Launch,
    connection: Mutex<Option<Connection>>,
}

impl HostExecutor {
    /// An executor; nothing is started before the first call.
    #[must_use]
    pub fn new(launch: Launch) -> Self {
        Self { launch, connection: Mutex::new(None) }
    }

    async fn connection(&self) -> Result<Connection, ExecutorError> {
        let mut held = self.connection.lock().await;
        if let Some(connection) = held.as_ref().filter(|c| !c.is_lost()) {
            return Ok(connection.clone());
        }
        let connection = self.connect().await?;
        *held = Some(connection.clone());
        Ok(connection)
    }

    async fn connect(&self) -> Result<Connection, ExecutorError> {
        let unavailable = |cause: String| ExecutorError::Unavailable { place: Place::Host, cause };
        let mut command = Command::new(&self.launch.program);
        command
            .args(&self.launch.arguments)
            // What a command sees comes with the command, never from here (SP-244 holds on the host as well).
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // The keys of a terminal are for this process; the runner hears of its end.
            .process_group(0);
        let mut child = command.spawn().map_err(|e| {
            unavailable(format!("the runner {} cannot be started: {e}", self.launch.program.display()))
        })?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(unavailable("the runner was started without pipes".to_owned()));
        };
        tokio::spawn(async move { child.wait().await });
        Connection::open(Place::Host, from, to).await
    }

    async fn run_file(&self, request: FileRequest, content: Vec<u8>) -> Result<FileAnswer, ExecutorError> {
        let request = if request.root.as_deref() == Some("/") { unlinked(request).await } else { request };
        self.connection().await?.file(request, content).await
    }
}

impl Executor for HostExecutor {
    fn place(&self) -> Place {
        Place::Host
    }

    fn start<'a>(&'a self, call: &'a AuthorizedCall, run: RunRequest) -> Pending<'a, Running> {
        Box::pin(async move {
            call.is_for(self.place())?;
            self.connection().await?.start(run)
        })
    }

    fn file<'a>(
        &'a self,
        call: &'a AuthorizedCall,
        request: FileRequest,
        content: Vec<u8>,
    ) -> Pending<'a, FileAnswer> {
        Box::pin(async move {
            call.is_for(self.place())?;
            self.run_file(request, content).await
        })
    }
}

/// The same request with the paths that are there once links are followed. Only where the whole host may be reached anyway: the links of an
/// operator's own file system (`/tmp`, a home on another disk) are no way out then. What the runner opens is still
/// what this says or nothing: a link that appears later is refused.
async fn unlinked(request: FileRequest) -> FileRequest {
    let FileRequest { root, mut operation } = request;
    let resolve = move || {
        match &mut operation {
            FileOperation::Read { path, .. }
            | FileOperation::Write { path, .. }
            | FileOperation::MakeDirectory { path }
            | FileOperation::List { path, .. } => *path = real(path),
            // The name itself is meant, not what it points to.
            FileOperation::Remove { path } | FileOperation::Look { path } => *path = real_parent(path),
            FileOperation::Rename { path, target } => {
                *path = real_parent(path);
                *target = real_parent(target);
            }
        }
        operation
    };
    let fallback = request_copy(&root);
    match tokio::task::spawn_blocking(resolve).await {
        Ok(operation) => FileRequest { root, operation },
        Err(_) => fallback,
    }
}

/// A request that the runner refuses: there is nothing to say about a path that could not be looked at.
fn request_copy(root: &Option<String>) -> FileRequest {
    FileRequest { root: root.clone(), operation: FileOperation::Look { path: "..".to_owned() } }
}

/// The deepest part that exists, without links, and the rest as it is.
fn real(path: &str) -> String {
    let path = Path::new(path);
    for known in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (std::fs::canonicalize(known), path.strip_prefix(known)) {
            let joined = if rest == Path::new("") { real } else { real.join(rest) };
            // A name that is no text cannot travel in the protocol; the path stays as it was and is refused if it has links.
            return joined.into_os_string().into_string().unwrap_or_else(|_| path.display().to_string());
        }
    }
    path.display().to_string()
}

fn real_parent(path: &str) -> String {
    let plain = Path::new(path);
    match (plain.parent().and_then(Path::to_str), plain.file_name().and_then(|n| n.to_str())) {
        (Some(parent), Some(name)) => format!("{}/{name}", real(parent).trim_end_matches('/')),
        _ => path.to_owned(),
    }
}
