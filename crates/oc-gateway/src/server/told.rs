//! What the gate tells the gateway: that the queue changed, and what becomes of commands that go on after their call (exec-approval 9.3).

use std::sync::{Arc, OnceLock, Weak};

use oc_agent::turn::said::{Background, Said};
use oc_approval::life_cycle::Record;
use oc_policy::exec_route::exec_key;
use oc_sandbox::gate::{Finished, Listener, Reached, StillRunning, Surface};
use oc_types::{AgentId, Node};
use tokio::sync::Notify;

use super::state::Gateway;
use crate::assistant::origin::{Origin, resume};
use crate::methods::system_events::{self, From};

/// Most characters of a command in an event.
const COMMAND: usize = 400;

/// Tells the watcher of the queue at once, which tells everybody else; and the agent what became of its commands.
#[derive(Debug)]
pub struct Told {
    queue: Arc<Notify>,
    gateway: OnceLock<Weak<Gateway>>,
}

impl Told {
    /// Nobody but the watcher is told yet.
    #[must_use]
    pub fn new(queue: Arc<Notify>) -> Self {
        Self { queue, gateway: OnceLock::new() }
    }

    /// Events go to this gateway from now on.
    pub fn belongs_to(&self, gateway: &Arc<Gateway>) {
        let _ = self.gateway.set(Arc::downgrade(gateway));
    }

    fn gateway(&self) -> Option<Arc<Gateway>> {
        self.gateway.get()?.upgrade()
    }
}

impl Listener for Told {
    fn requested(&self, _: &Record) -> Reached {
        self.queue.notify_one();
        Reached::Somebody
    }

    fn resolved(&self, _: &Record) {
        self.queue.notify_one();
    }

    fn running(&self, running: &StillRunning) {
        if let Some(gateway) = self.gateway() {
            system_events::add(&gateway, From::Exec, &running_line(running));
        }
    }

    fn finished(&self, finished: &Finished) {
        let Some(gateway) = self.gateway() else { return };
        let agent = AgentId::normalized(&finished.agent);
        let snapshot = gateway.snapshot();
        let told = exec_key(&snapshot.tree, &agent, "notifyOnExit").and_then(|(n, _)| Node::as_bool(n));
        if told != Some(false) {
            system_events::add(&gateway, From::Exec, &finished_line(finished));
            resumed(&gateway, finished);
        }
    }
}

/// The session of a command goes on with its end: the model learns of it, and what it says goes to the same conversation. What a person ended is
/// known already.
fn resumed(gateway: &Arc<Gateway>, finished: &Finished) {
    let ended = finished.exit.as_ref().is_some_and(|exit| exit.killed);
    let Some(assistant) = gateway.assistant().filter(|_| !ended) else { return };
    let (Ok(runtime), Surface::Model) = (tokio::runtime::Handle::try_current(), finished.caller.surface)
    else {
        return;
    };
    let place = gateway.snapshot().place();
    let Some(origin) = Origin::of(&place, &finished.caller, &finished.behind) else { return };
    let said = Said::Background(Background::Finished {
        process: format!("{}: {}", finished.process, oc_text::visible(&finished.command, COMMAND)),
        how: end_of(finished),
        tail: oc_text::visible_lines(&finished.tail, 400),
    });
    runtime.spawn(async move { resume(&assistant, origin, said).await });
}

/// The id that the events of one run share: its approval's, else its name for the `process` tool.
fn run_of(approval: Option<&str>, process: &str) -> String {
    format!("exec:{}", oc_text::visible(approval.unwrap_or(process), 60))
}

fn running_line(r: &StillRunning) -> String {
    format!(
        "Exec running ({}, {}, after {}, session {}): {}",
        r.place,
        run_of(Some(&r.approval), ""),
        oc_approval::prompt::span(r.after_ms),
        oc_text::visible(&r.session, 120),
        oc_text::visible(&r.command, COMMAND),
    )
}

fn end_of(f: &Finished) -> String {
    match &f.exit {
        Some(exit) if exit.timed_out => "timeout".to_owned(),
        Some(exit) if exit.killed => "ended on request".to_owned(),
        Some(exit) => format!("exit code {}", exit.code),
        None => "its end is not known".to_owned(),
    }
}

fn finished_line(f: &Finished) -> String {
    format!(
        "Exec finished ({}, {}, {}, session {}): {}\n{}",
        f.place,
        run_of(f.approval.as_deref(), &f.process),
        end_of(f),
        oc_text::visible(&f.session, 120),
        oc_text::visible(&f.command, COMMAND),
        oc_text::visible(&f.tail, 400),
    )
}

#[cfg(test)]
mod tests {
    use oc_runner::protocol::Exit;
    use oc_sandbox::executor::Place;

    use super::*;

    #[test]
    fn the_events_of_a_run_carry_one_id_and_no_control_characters() {
        let running = StillRunning {
            call: "c".to_owned(),
            agent: "main".to_owned(),
            session: "agent:main:main".to_owned(),
            command: "make\u{1b}[2J all".to_owned(),
            place: Place::Host,
            approval: "5d3c1f0e-0041".to_owned(),
            after_ms: 10_000,
        };
        let line = running_line(&running);
        assert!(line.starts_with("Exec running (host, exec:5d3c1f0e-0041, after 10 s"), "{line}");
        let mut finished = Finished {
            call: "c".to_owned(),
            agent: "main".to_owned(),
            session: "agent:main:main".to_owned(),
            caller: oc_sandbox::gate::Caller::of_session(
                Surface::Model,
                AgentId::normalized("main"),
                "agent:main:main",
            ),
            behind: Arc::default(),
            process: "p1".to_owned(),
            command: "make all".to_owned(),
            place: Place::Host,
            exit: Some(Exit { code: 2, timed_out: false, killed: false, dropped: 0 }),
            tail: "no rule\u{7}".to_owned(),
            approval: Some("5d3c1f0e-0041".to_owned()),
        };
        let line = format!("{line}{}", finished_line(&finished));
        assert!(line.contains("Exec finished (host, exec:5d3c1f0e-0041, exit code 2"), "{line}");
        assert!(!line.contains('\u{1b}') && !line.contains('\u{7}'), "{line}");
        finished.exit = Some(Exit { code: 124, timed_out: true, killed: false, dropped: 0 });
        finished.approval = None;
        assert!(finished_line(&finished).contains("exec:p1, timeout"));
    }
}
