//! A process that asks through the queue, waits, and runs what was approved: what an executor does, in forty lines.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use oc_approval::approvals_file::{Ask, Security};
use oc_approval::binding::{Circumstances, Host};
use oc_approval::host_view::{Entry, FileFacts, HostView};
use oc_approval::life_cycle::{Denial, Ending, Kind};
use oc_approval::plan::{Expansion, Plan};
use oc_approval::request::{Asked, SandboxOffer};
use oc_fs::approval_queue::{ApprovalQueue, Outcome};

/// Exit code when a person said no.
pub const DENIED: i32 = 40;
/// Exit code when nobody answered.
pub const TIMEOUT: i32 = 41;
/// Exit code for every other end without a run.
pub const OTHER: i32 = 42;

struct OneDirectory;

impl HostView for OneDirectory {
    fn entry(&self, _: &str) -> Entry {
        Entry::Directory(FileFacts { inode: 1, ..FileFacts::default() })
    }
    fn names(&self, _: &str, _: usize) -> Option<Vec<String>> {
        None
    }
    fn sha256(&self, _: &str) -> Option<String> {
        None
    }
    fn uid(&self) -> u32 {
        0
    }
}

/// Starts `test_binary` as the asker.
pub fn child(test_binary: &Path, state: &Path, command: &str, timeout_ms: u64) -> Child {
    Command::new(test_binary)
        .args(["--exact", "child_asks_and_runs", "--include-ignored", "--nocapture"])
        .env("ASK_STATE", state)
        .env("ASK_COMMAND", command)
        .env("ASK_TIMEOUT", timeout_ms.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The asker.
pub fn main() {
    let state = PathBuf::from(std::env::var_os("ASK_STATE").unwrap());
    let command = std::env::var("ASK_COMMAND").unwrap();
    let timeout = std::env::var("ASK_TIMEOUT").unwrap().parse().unwrap();
    let plan = Plan {
        text: command.clone(),
        directory: "/w".to_owned(),
        overrides: Vec::new(),
        segments: Vec::new(),
        miss: None,
        expansion: Expansion::None,
    };
    let at = Circumstances {
        agent: "main".to_owned(),
        session: "agent:main:main".to_owned(),
        host: Host::Gateway,
        node: None,
        security: Security::Allowlist,
        ask: Ask::OnMiss,
    };
    let asked = Asked::of(&plan, &at, SandboxOffer::None, &OneDirectory).unwrap();
    let queue = ApprovalQueue::of(&state).unwrap();
    let mut ticket = queue.ask(asked.clone(), Kind::Exec, None, timeout).unwrap();
    let code = match ticket.wait(&|| false).unwrap() {
        Outcome::Allowed(_) => {
            ticket.consume(asked.binding()).unwrap().unwrap();
            ticket.started().unwrap();
            let status = Command::new("sh").args(["-c", &command]).status().unwrap();
            ticket.finished(Ending::Exit(status.code().unwrap_or(-1))).unwrap();
            status.code().unwrap_or(OTHER)
        }
        Outcome::Denied { reason: Denial::UserDenied, .. } => DENIED,
        Outcome::Denied { reason: Denial::ApprovalTimeout, .. } => TIMEOUT,
        Outcome::Denied { .. } => OTHER,
    };
    std::process::exit(code);
}
