//! `openclaw approvals watch`: what waits, as it comes; on a terminal with keys to answer.

mod screen;
mod terminal;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use oc_approval::life_cycle::{Record, State};
use oc_approval::prompt;
use oc_fs::approval_queue::{ApprovalQueue, QueueFailure};

use self::screen::{Asked, Screen};
use self::terminal::Terminal;
use super::{list, now_ms, permit};
use crate::app::App;

/// How long a key is waited for before the queue is looked at again.
const TICK: Duration = Duration::from_millis(200);

/// Watches until the user quits.
pub fn run(app: &App, queue: &ApprovalQueue) -> Result<ExitCode> {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        live(app, queue)
    } else {
        lines(app, queue)
    }
}

fn live(app: &App, queue: &ApprovalQueue) -> Result<ExitCode> {
    // What cannot be read is said before the screen is taken.
    let mut screen = Screen::default();
    screen.update(queue.records()?);
    let mut terminal = Terminal::take()?;
    loop {
        let (columns, rows) = terminal.size();
        terminal.draw(&screen.draw(now_ms(), columns, rows))?;
        let key = terminal.key(TICK)?;
        if terminal.ended() {
            return Ok(ExitCode::SUCCESS);
        }
        match key.map(|k| screen.press(k, columns)) {
            Some(Asked::Quit) => return Ok(ExitCode::SUCCESS),
            Some(Asked::Answer { id, decision, target }) => {
                let said = match queue.answer(&id, decision, target, &permit(app)) {
                    Ok(answered) => super::answer::said(&answered),
                    Err(QueueFailure::Refused(refused)) => refused.to_string(),
                    Err(other) => return Err(other.into()),
                };
                screen.say(said);
            }
            Some(Asked::Nothing) | None => {}
        }
        screen.update(queue.records()?);
    }
}

/// Without a terminal: a line when something comes and when it ends.
fn lines(app: &App, queue: &ApprovalQueue) -> Result<ExitCode> {
    let mut known: BTreeMap<String, State> = BTreeMap::new();
    let mut first = true;
    loop {
        let now = now_ms();
        for record in queue.records()? {
            let before = known.insert(record.id.clone(), record.state.clone());
            // What was over before is no news.
            if before.as_ref() == Some(&record.state) || (first && record.state.is_over()) {
                continue;
            }
            app.print(&line(&record, now));
        }
        first = false;
        std::thread::sleep(TICK);
    }
}

fn line(record: &Record, now: u64) -> String {
    let standing = match &record.state {
        State::Pending => format!("waits, expires {}", prompt::expiry(record, now)),
        state => list::standing(state),
    };
    let request = &record.request;
    format!(
        "{} {standing}: {} (agent {}, session {}, in {})\n",
        record.code,
        prompt::shown(request.command()),
        prompt::shown(request.agent()),
        prompt::shown(request.session()),
        prompt::shown(request.cwd()),
    )
}
