//! Starting the process that sets a sandbox up and becomes its runner.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use oc_confine::spec::Spec;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

use crate::connection::Connection;
use crate::executor::{ExecutorError, Place};

/// Most that a failed set-up has to say, in bytes.
const LAST_WORDS: u64 = 8 * 1024;
/// How long its last words are waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The cause in the words of the configuration: host paths of mounts become what the sandbox calls them (SP-245).
fn unavailable(spec: &Spec, cause: &str) -> ExecutorError {
    let mut cause = cause.trim().to_owned();
    for mount in &spec.mounts {
        cause = cause.replace(&mount.source, &mount.target);
    }
    ExecutorError::Unavailable { place: Place::Native, cause }
}

fn spawn(program: &Path) -> std::io::Result<Child> {
    Command::new(program)
        .arg0("openclaw")
        .args([oc_runner::HIDDEN, oc_confine::OUTER])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// Starts a sandbox. The child ends when the last handle of the connection and the last call on it are gone.
///
/// # Errors
/// [`ExecutorError::Unavailable`] with the step that failed.
pub(super) async fn start(program: &Path, spec: &Spec) -> Result<Connection, ExecutorError> {
    let bytes = spec.to_bytes().map_err(|e| unavailable(spec, &e.to_string()))?;
    let mut child =
        spawn(program).map_err(|e| unavailable(spec, &format!("cannot start its first process: {e}")))?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut to), Some(from), Some(mut errors)) = pipes else {
        return Err(unavailable(spec, "cannot reach its first process"));
    };
    // A process that ended before says why on standard error.
    let sent = to.write_all(&bytes).await;
    let opened = match sent {
        Ok(()) => Connection::open(Place::Native, from, to).await,
        Err(e) => Err(unavailable(spec, &e.to_string())),
    };
    match opened {
        Ok(connection) => {
            tokio::spawn(async move {
                // Nothing is written there by then; a full pipe would stop whoever writes.
                let _ = tokio::io::copy(&mut errors, &mut tokio::io::sink()).await;
                let _ = child.wait().await;
            });
            Ok(connection)
        }
        Err(e) => {
            let said = last_words(errors).await;
            Err(if said.is_empty() { unavailable(spec, &e.to_string()) } else { unavailable(spec, &said) })
        }
    }
}

async fn last_words(errors: ChildStderr) -> String {
    let mut text = Vec::new();
    let _ = timeout(PATIENCE, errors.take(LAST_WORDS).read_to_end(&mut text)).await;
    String::from_utf8_lossy(&text).into_owned()
}

/// Sets a sandbox up, lets it report what holds (one line of JSON) and ends it.
///
/// # Errors
/// [`ExecutorError::Unavailable`] with the step that failed.
pub(super) async fn report(program: &Path, spec: &Spec) -> Result<String, ExecutorError> {
    let failed = |e: std::io::Error| unavailable(spec, &e.to_string());
    let bytes = spec.to_bytes().map_err(|e| unavailable(spec, &e.to_string()))?;
    let mut child = spawn(program).map_err(failed)?;
    if let Some(mut to) = child.stdin.take() {
        // One that ended early says why below.
        let _ = to.write_all(&bytes).await;
    }
    let done = timeout(PATIENCE, child.wait_with_output()).await;
    let output = done.map_err(|_| unavailable(spec, "the set-up does not end"))?.map_err(failed)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(unavailable(spec, if said.trim().is_empty() { "the set-up ended without a word" } else { &said }))
}
