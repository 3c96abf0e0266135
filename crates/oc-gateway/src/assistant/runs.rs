//! Runs that clients of the gateway started, by their id: what was answered to `chat.send` and `agent` again, and what `agent.wait` waits for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// How long a result is kept, milliseconds.
pub const KEPT_MS: u64 = 600_000;
/// Most runs that are remembered. A new one takes the place of the one that ended first; with so many running, no further one is taken.
const MOST: usize = 1000;

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It runs.
    Running,
    /// It ended well.
    Ok {
        /// What was answered.
        reply: Option<String>,
    },
    /// It was stopped.
    Aborted,
    /// It failed.
    Error {
        /// In our words, for the client.
        why: String,
    },
}

/// What is known of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its session, in its one form.
    pub session: String,
    /// When it began, Unix milliseconds.
    pub started_ms: u64,
    /// When it ended.
    pub ended_ms: Option<u64>,
    /// How it stands.
    pub standing: Standing,
}

/// What came of asking for a new run.
#[derive(Debug)]
pub enum Taken {
    /// It is new.
    New(watch::Sender<Run>),
    /// There is one of this id.
    Known(Run),
    /// Too many run.
    Full,
}

/// The runs.
#[derive(Clone, Debug, Default)]
pub struct Runs(Arc<Mutex<HashMap<String, watch::Receiver<Run>>>>);

impl Runs {
    /// Begins a run, unless there is one of this id.
    #[must_use]
    pub fn begin(&self, id: &str, session: &str, now_ms: u64) -> Taken {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(run) = all.get(id) {
            return Taken::Known(run.borrow().clone());
        }
        all.retain(|_, run| run.borrow().ended_ms.is_none_or(|e| now_ms.saturating_sub(e) < KEPT_MS));
        // Results make room for runs, the oldest first: nobody is kept out by what is over.
        while all.len() >= MOST {
            let ended =
                |(id, run): (&String, &watch::Receiver<Run>)| Some((run.borrow().ended_ms?, id.clone()));
            let Some((_, oldest)) = all.iter().filter_map(ended).min() else { return Taken::Full };
            all.remove(&oldest);
        }
        let run = Run {
            session: session.to_owned(),
            started_ms: now_ms,
            ended_ms: None,
            standing: Standing::Running,
        };
        let (sender, receiver) = watch::channel(run);
        all.insert(id.to_owned(), receiver);
        Taken::New(sender)
    }

    /// A run.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<watch::Receiver<Run>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// Ends a run whose result nobody asks for by its id: it is forgotten.
    pub fn end_and_forget(&self, id: &str, run: &watch::Sender<Run>, standing: Standing, now_ms: u64) {
        end(run, standing, now_ms);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// The runs that go on in a session.
    #[must_use]
    pub fn running_in(&self, session: &str) -> Vec<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = |run: &Run| run.session == session && run.standing == Standing::Running;
        let mut ids: Vec<String> =
            all.iter().filter(|(_, run)| here(&run.borrow())).map(|(id, _)| id.clone()).collect();
        ids.sort_unstable();
        ids
    }
}

/// Ends a run.
pub fn end(run: &watch::Sender<Run>, standing: Standing, now_ms: u64) {
    run.send_modify(|run| {
        run.standing = standing;
        run.ended_ms = Some(now_ms);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_run_and_its_result_is_kept_for_ten_minutes() {
        let runs = Runs::default();
        let Taken::New(sender) = runs.begin("a", "agent:main:main", 1) else { panic!("new") };
        assert!(
            matches!(runs.begin("a", "agent:main:main", 2), Taken::Known(run) if run.standing == Standing::Running)
        );
        assert_eq!(runs.running_in("agent:main:main"), ["a"]);
        assert!(runs.running_in("agent:main:other").is_empty());
        end(&sender, Standing::Ok { reply: Some("x".to_owned()) }, 10);
        assert!(runs.running_in("agent:main:main").is_empty());
        assert!(
            matches!(runs.begin("a", "agent:main:main", 11), Taken::Known(run) if run.ended_ms == Some(10))
        );
        assert!(matches!(runs.begin("b", "agent:main:main", 10 + KEPT_MS), Taken::New(_)));
        assert!(runs.get("a").is_none(), "forgotten");
    }

    #[test]
    fn no_more_than_so_many_run() {
        let runs = Runs::default();
        let kept: Vec<Taken> = (0..MOST).map(|n| runs.begin(&n.to_string(), "s", 1)).collect();
        assert!(kept.iter().all(|t| matches!(t, Taken::New(_))));
        assert!(matches!(runs.begin("more", "s", 1), Taken::Full));
    }

    #[test]
    fn results_make_room_for_runs_the_oldest_first() {
        let runs = Runs::default();
        let begin = |id: &str| match runs.begin(id, "s", 1) {
            Taken::New(run) => run,
            other => panic!("{other:?}"),
        };
        let _running = begin("running");
        for n in 1..u64::try_from(MOST).unwrap() {
            end(&begin(&n.to_string()), Standing::Aborted, MOST as u64 - n);
        }
        let run = begin("one more");
        assert!(runs.get("999").is_none(), "the one that ended first");
        assert!(runs.get("1").is_some() && runs.get("running").is_some());
        runs.end_and_forget("one more", &run, Standing::Ok { reply: None }, 1);
        assert!(runs.get("one more").is_none());
        assert!(matches!(&run.borrow().standing, Standing::Ok { .. }), "whoever waits for it hears of it");
    }
}
