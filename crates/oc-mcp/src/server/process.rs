//! The process of a server: started with its own environment in a process group of its own, heard on its standard error, ended with everything
//! that it started.

use std::fmt;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::limits;
use crate::spec::ServerSpec;

/// Hears a line.
pub type Says = Arc<dyn Fn(&str) + Send + Sync>;

/// Most characters of one line of standard error.
const LINE: usize = 1_000;
/// How often a server that is to go is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The last line that a server wrote to its standard error.
#[derive(Clone, Debug, Default)]
pub(super) struct LastWords(Arc<Mutex<String>>);

impl LastWords {
    /// That line, printable; empty for none.
    pub fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, line: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }
}

/// The process.
pub(super) struct Process {
    child: Option<Child>,
    last_words: LastWords,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("child", &self.child).finish_non_exhaustive()
    }
}

impl Process {
    /// Starts it; its standard output and input.
    pub fn start(spec: &ServerSpec, says: Says) -> std::io::Result<(Self, ChildStdout, ChildStdin)> {
        let mut command = Command::new(&spec.command);
        command
            .args(&spec.arguments)
            .env_clear()
            .envs(spec.environment.iter().map(|(n, v)| (n, v)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if let Some(directory) = &spec.directory {
            command.current_dir(directory);
        }
        let mut child = command.spawn()?;
        let gone = || std::io::Error::other("its standard streams are missing");
        let (output, input) = (child.stdout.take().ok_or_else(gone)?, child.stdin.take().ok_or_else(gone)?);
        let last_words = LastWords::default();
        if let Some(errors) = child.stderr.take() {
            tokio::spawn(hear(errors, last_words.clone(), says));
        }
        Ok((Self { child: Some(child), last_words }, output, input))
    }

    /// The last line that it wrote to its standard error.
    pub fn last_words(&self) -> LastWords {
        self.last_words.clone()
    }

    /// Waits a while for its end, then ends it and whatever it left behind. Its standard input is closed already.
    pub async fn stop(mut self) {
        let _ = tokio::time::timeout(limits::STOP, async {
            while !self.has_ended() {
                tokio::time::sleep(LOOK).await;
            }
        })
        .await;
        self.end_group();
        if let Some(child) = &mut self.child {
            let _ = tokio::time::timeout(limits::STOP, child.wait()).await;
        }
        self.child = None;
    }

    fn group(&self) -> Option<Pid> {
        self.child.as_ref()?.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?))
    }

    /// Whether the leader has ended. It is left for the system to remember: as long as it is, nobody else gets its number.
    fn has_ended(&self) -> bool {
        let Some(leader) = self.group() else { return true };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(leader), options), Ok(None))
    }

    fn end_group(&self) {
        if let Some(group) = self.group() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end_group();
    }
}

/// Reads a server's standard error line by line, made printable; a long line is cut.
async fn hear(mut errors: impl AsyncRead + Unpin, last_words: LastWords, says: Says) {
    let mut piece = [0u8; 4096];
    let mut line: Vec<u8> = Vec::new();
    let tell = |line: &mut Vec<u8>| {
        let text = oc_text::visible(String::from_utf8_lossy(line).trim_end(), LINE);
        line.clear();
        if !text.trim().is_empty() {
            says(&text);
            last_words.set(text);
        }
    };
    while let Ok(n) = errors.read(&mut piece).await {
        if n == 0 {
            break;
        }
        for byte in piece.get(..n).unwrap_or_default() {
            if *byte == b'\n' {
                tell(&mut line);
            } else if line.len() < LINE * 4 {
                line.push(*byte);
            }
        }
    }
    tell(&mut line);
}
