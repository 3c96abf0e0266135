use std::os::unix::fs::PermissionsExt;

use oc_approval::approvals_file::{Ask, Security};
use oc_approval::binding::{Circumstances, Host};
use oc_approval::host_view::{Entry, FileFacts, HostView};
use oc_approval::life_cycle::{Denial, Ending, NotGranted, State};
use oc_approval::plan::{Expansion, Plan};
use oc_approval::request::SandboxOffer;

use super::*;

struct OneDirectory;

impl HostView for OneDirectory {
    fn entry(&self, _: &str) -> Entry {
        Entry::Directory(FileFacts { inode: 1, ..FileFacts::default() })
    }
    fn names(&self, _: &str, _: usize) -> Option<Vec<String>> {
        None
    }
    fn uid(&self) -> u32 {
        0
    }
    fn sha256(&self, _: &str) -> Option<String> {
        None
    }
}

fn asked(text: &str) -> Asked {
    let plan = Plan {
        text: text.to_owned(),
        directory: "/w".to_owned(),
        overrides: Vec::new(),
        segments: Vec::new(),
        miss: None,
        expansion: Expansion::None,
    };
    let at = Circumstances {
        agent: "main".to_owned(),
        session: format!("agent:main:{text}"),
        host: Host::Gateway,
        node: None,
        security: Security::Allowlist,
        ask: Ask::OnMiss,
    };
    Asked::of(&plan, &at, SandboxOffer::None, &OneDirectory).unwrap()
}

fn me() -> Permit {
    Permit::terminal("me")
}

#[test]
fn a_request_waits_is_answered_and_runs_once() {
    let tmp = tempfile::tempdir().unwrap();
    let queue = ApprovalQueue::of(tmp.path()).unwrap();
    assert!(queue.records().unwrap().is_empty() && !queue.path().exists(), "looking creates nothing");
    let asked = asked("npm test");
    let mut ticket = queue.ask(asked.clone(), Kind::Exec, None, 60_000).unwrap();
    assert_eq!(ticket.look().unwrap(), None);
    let code = ticket.record().code.clone();
    let other = queue.clone();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(80));
        other.answer(&code, Decision::AllowOnce, None, &me()).unwrap();
    });
    assert!(matches!(ticket.wait(&|| false).unwrap(), Outcome::Allowed(_)));
    thread.join().unwrap();
    assert!(ticket.consume(asked.binding()).unwrap().is_ok());
    assert_eq!(ticket.consume(asked.binding()).unwrap(), Err(NotGranted::Used));
    ticket.started().unwrap();
    ticket.finished(Ending::Exit(0)).unwrap();
    assert_eq!(queue.records().unwrap()[0].state, State::Finished { ending: Ending::Exit(0) });
    assert_eq!(std::fs::metadata(queue.path()).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn sp_174_waits_end_at_the_expiry_and_when_stopped_or_dropped() {
    let tmp = tempfile::tempdir().unwrap();
    let queue = ApprovalQueue::of(tmp.path()).unwrap();
    let mut ticket = queue.ask(asked("a"), Kind::Exec, None, 120).unwrap();
    let denied = |reason| Outcome::Denied { reason, detail: String::new() };
    assert_eq!(ticket.wait(&|| false).unwrap(), denied(Denial::ApprovalTimeout));
    let mut ticket = queue.ask(asked("b"), Kind::Exec, None, 60_000).unwrap();
    assert_eq!(ticket.wait(&|| true).unwrap(), denied(Denial::RunAborted));
    drop(queue.ask(asked("c"), Kind::Exec, None, 60_000).unwrap());
    let reasons: Vec<_> = queue.records().unwrap().into_iter().map(|r| r.state).collect();
    let state = |reason| State::Denied { reason, detail: String::new() };
    assert_eq!(
        reasons,
        [state(Denial::ApprovalTimeout), state(Denial::RunAborted), state(Denial::RunAborted)]
    );
}

#[test]
fn sp_008_a_queue_that_cannot_be_read_denies_and_stays_as_it_is() {
    let tmp = tempfile::tempdir().unwrap();
    let queue = ApprovalQueue::of(tmp.path()).unwrap();
    for text in [
        "",
        "{",
        "[]",
        "{\"version\":2,\"requests\":{\"records\":[]}}",
        "{\"version\":1,\"requests\":{\"records\":[{\"id\":1}]}}",
        "{\"version\":1,\"requests\":{\"records\":[]},\"approved\":true}",
    ] {
        std::fs::write(queue.path(), text).unwrap();
        std::fs::set_permissions(queue.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
        for failure in [
            queue.ask(asked("a"), Kind::Exec, None, 1_000).unwrap_err(),
            queue.answer("00000000", Decision::AllowOnce, None, &me()).unwrap_err(),
            queue.records().unwrap_err(),
        ] {
            assert!(matches!(failure, QueueFailure::Damaged { .. }), "{text}: {failure}");
        }
        assert_eq!(std::fs::read_to_string(queue.path()).unwrap(), text);
    }
    std::fs::set_permissions(queue.path(), std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(queue.records().unwrap_err().to_string().contains("others can write"));
    std::fs::remove_file(queue.path()).unwrap();
    std::os::unix::fs::symlink("/dev/null", queue.path()).unwrap();
    assert!(queue.records().unwrap_err().to_string().contains("it is a link"));
}

#[test]
fn a_queue_that_is_taken_away_denies_the_waiter() {
    let tmp = tempfile::tempdir().unwrap();
    let queue = ApprovalQueue::of(tmp.path()).unwrap();
    let mut ticket = queue.ask(asked("a"), Kind::Exec, None, 60_000).unwrap();
    std::fs::remove_file(queue.path()).unwrap();
    assert!(matches!(
        ticket.wait(&|| false).unwrap(),
        Outcome::Denied { reason: Denial::ApprovalRequestFailed, .. }
    ));
}
