//! The local Tailscale daemon, through its command: whose address is this, and publish the gateway in the tailnet (gateway 1, 2).
//!
//! The command is called by its full path with an argument vector. What goes into an argument is an address or a number that was
//! understood before, never a text from outside.

mod answer;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::sync::Semaphore;

/// How long the daemon may take to say whose address it is.
const WHOIS: Duration = Duration::from_secs(5);
/// How long publishing may take: the first time a certificate is made.
const PUBLISH: Duration = Duration::from_secs(60);
/// How long an answer counts.
const FRESH: Duration = Duration::from_secs(60);
/// How long a failure counts.
const FAILED: Duration = Duration::from_secs(5);
/// Most answers that are kept.
const KEPT: usize = 1_024;
/// Most questions at a time.
const AT_A_TIME: usize = 4;
/// Most bytes of an answer.
const OUTPUT: u64 = 256 * 1024;
/// Where the command is.
const PLACES: [&str; 5] = [
    "/usr/bin/tailscale",
    "/usr/local/bin/tailscale",
    "/usr/sbin/tailscale",
    "/opt/homebrew/bin/tailscale",
    "/Applications/Tailscale.app/Contents/MacOS/Tailscale",
];

/// `gateway.tailscale.mode` when it is not `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publication {
    /// To the tailnet.
    Serve,
    /// To the whole internet.
    Funnel,
}

impl Publication {
    fn word(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Funnel => "funnel",
        }
    }
}

/// Why the daemon gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TailnetFailure {
    /// The command is not installed.
    #[error("the `tailscale` command is not installed in any of its usual places")]
    NotInstalled,
    /// It took too long and was ended.
    #[error("`tailscale {0}` did not answer in time")]
    Timeout(&'static str),
    /// It failed.
    #[error("`tailscale {what}`: {why}")]
    Failed {
        /// Its first word.
        what: &'static str,
        /// What it said.
        why: String,
    },
    /// Its answer names nobody.
    #[error("`tailscale {0}` named nobody")]
    Nobody(&'static str),
}

/// The daemon.
#[derive(Debug)]
pub struct Tailnet {
    program: Option<PathBuf>,
    answers: Mutex<HashMap<IpAddr, Kept>>,
    turns: Semaphore,
    patience: Duration,
    fresh: Duration,
    failed: Duration,
}

#[derive(Clone, Debug)]
struct Kept {
    until: Instant,
    answer: Result<String, TailnetFailure>,
}

impl Tailnet {
    /// The daemon of this machine, if its command is there.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self::with(PLACES.iter().map(PathBuf::from).find(|p| p.is_file()))
    }

    /// A daemon whose command is elsewhere.
    #[must_use]
    pub fn at(program: &Path) -> Self {
        Self::with(Some(program.to_owned()))
    }

    fn with(program: Option<PathBuf>) -> Self {
        Self {
            program,
            answers: Mutex::default(),
            turns: Semaphore::new(AT_A_TIME),
            patience: WHOIS,
            fresh: FRESH,
            failed: FAILED,
        }
    }

    /// Whose address it is: a login. Answers count for a minute, failures for five seconds.
    ///
    /// # Errors
    /// [`TailnetFailure`].
    pub async fn whois(&self, address: IpAddr) -> Result<String, TailnetFailure> {
        let address = address.to_canonical();
        if let Some(answer) = self.kept(address) {
            return answer;
        }
        // Waiting for a turn counts as waiting for the answer.
        let asked = tokio::time::timeout(self.patience, self.ask(address)).await;
        asked.unwrap_or(Err(TailnetFailure::Timeout("whois")))
    }

    async fn ask(&self, address: IpAddr) -> Result<String, TailnetFailure> {
        let _turn = self.turns.acquire().await.map_err(|_| TailnetFailure::Timeout("whois"))?;
        // Somebody before us may have asked the same.
        if let Some(answer) = self.kept(address) {
            return answer;
        }
        let text = address.to_string();
        let answer = match self.run("whois", &["whois", "--json", &text], self.patience).await {
            Ok(said) => answer::login(&said).ok_or(TailnetFailure::Nobody("whois")),
            Err(e) => Err(e),
        };
        self.keep(address, answer.clone());
        answer
    }

    fn kept(&self, address: IpAddr) -> Option<Result<String, TailnetFailure>> {
        let answers = self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        answers.get(&address).filter(|k| Instant::now() < k.until).map(|k| k.answer.clone())
    }

    fn keep(&self, address: IpAddr, answer: Result<String, TailnetFailure>) {
        let now = Instant::now();
        let until = now + if answer.is_ok() { self.fresh } else { self.failed };
        let mut answers = self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if answers.len() >= KEPT {
            answers.retain(|_, k| now < k.until);
        }
        // Full of fresh answers: this one is given, and not kept.
        if answers.len() < KEPT {
            answers.insert(address, Kept { until, answer });
        }
    }

    /// This machine's name in the tailnet.
    ///
    /// # Errors
    /// [`TailnetFailure`].
    pub async fn dns_name(&self) -> Result<String, TailnetFailure> {
        let said = self.run("status", &["status", "--json"], WHOIS).await?;
        answer::dns_name(&said).ok_or(TailnetFailure::Nobody("status"))
    }

    /// Publishes the gateway's port.
    ///
    /// # Errors
    /// [`TailnetFailure`].
    pub async fn publish(&self, publication: Publication, port: u16) -> Result<(), TailnetFailure> {
        let word = publication.word();
        self.run(word, &[word, "--bg", "--yes", &port.to_string()], PUBLISH).await.map(drop)
    }

    /// Publishes nothing any more. It takes back everything that was published from this machine in that way.
    ///
    /// # Errors
    /// [`TailnetFailure`].
    pub async fn reset(&self, publication: Publication) -> Result<(), TailnetFailure> {
        let word = publication.word();
        self.run(word, &[word, "reset"], PUBLISH).await.map(drop)
    }

    async fn run(
        &self,
        what: &'static str,
        arguments: &[&str],
        limit: Duration,
    ) -> Result<String, TailnetFailure> {
        let program = self.program.as_ref().ok_or(TailnetFailure::NotInstalled)?;
        let failed = |why: String| TailnetFailure::Failed { what, why };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| failed(e.to_string()))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let finished = async {
            let (out, err) = tokio::join!(read(out), read(err));
            (child.wait().await, out, err)
        };
        let (status, out, err) =
            tokio::time::timeout(limit, finished).await.map_err(|_| TailnetFailure::Timeout(what))?;
        match status {
            Ok(status) if status.success() => Ok(out),
            Ok(status) => {
                let said = oc_text::visible(err.trim(), 300);
                Err(failed(if said.is_empty() { status.to_string() } else { said }))
            }
            Err(e) => Err(failed(e.to_string())),
        }
    }
}

/// At most so much of a stream; a longer one is cut, and the writer sees the end of it.
async fn read(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let _ = stream.take(OUTPUT).read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
