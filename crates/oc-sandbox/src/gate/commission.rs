//! A command that may run: by what, as what exactly, and what is written when it is over.

use oc_approval::approvals_file::edit::Use;
use oc_approval::life_cycle::Denial;
use oc_approval::persist::Remembered;
use oc_approval::plan::Match;
use oc_fs::approvals_store::ApprovalsStore;
use oc_fs::ledger::Entry;
use serde_json::{Map, Value as Json};

use super::ask::TakenUp;
use super::background::ending;
use super::command::{Case, Judged};
use super::order::By;
use super::still_running::Notice;
use super::{error_word, mask, outcome_facts, recording};
use crate::executor::Place;
use crate::tools::{ExecOrder, Ran};

/// Why a command may run.
#[derive(Debug)]
pub(super) enum Warrant {
    /// The rules let it.
    Rules,
    /// Nobody answered, and the approvals file says what then (`askFallback`).
    Fallback { approval: String },
    /// A person.
    Person { taken: Box<TakenUp>, remembered: Vec<Remembered> },
}

impl Warrant {
    /// By what it runs.
    pub fn by(&self) -> By {
        match self {
            Self::Rules | Self::Fallback { .. } => By::Rules,
            Self::Person { .. } => By::Person,
        }
    }
}

/// A command that is about to run or runs.
#[derive(Debug)]
pub(super) struct Commission {
    pub case: Case,
    pub order: ExecOrder,
    pub place: Place,
    pub notes: Vec<String>,
    pub details: Map<String, Json>,
    pub judged: Judged,
    pub warrant: Warrant,
    pub aliases: mask::Aliases,
    /// Says once that it still runs; not any more when dropped.
    pub notice: Option<Notice>,
}

impl Commission {
    /// The approval that it runs under.
    pub fn approval_id(&self) -> Option<&str> {
        match &self.warrant {
            Warrant::Rules => None,
            Warrant::Fallback { approval } => Some(approval),
            Warrant::Person { taken, .. } => Some(&taken.grant().id),
        }
    }

    /// It is known to run.
    pub async fn started(&self) {
        if let Warrant::Person { taken, .. } = &self.warrant {
            taken.started().await;
        }
    }

    /// It was given up before it started.
    pub fn never_ran(self, why: &str) {
        if let Warrant::Person { taken, .. } = self.warrant {
            taken.withdraw(Denial::SpawnFailed, why);
        }
    }

    /// The record of its end.
    pub fn outcome(&self, ran: &Ran) -> Entry {
        let (verdict, facts) = match &ran.result {
            Ok(result) => (result.outcome.word(), outcome_facts(result)),
            Err(error) => ("failed", Map::from_iter([("error".to_owned(), error_word(error).into())])),
        };
        Entry {
            approval_id: self.approval_id().map(str::to_owned),
            ..recording::outcome(&self.case.snapshot, &self.case.call, self.place, verdict, facts)
        }
    }

    /// It is over: the approval ends, what is allowed always is stored, and what admitted it is noted. Touches the disk for a moment.
    pub fn end(self, ran: &Ran) {
        let Self { case, judged, warrant, place, .. } = self;
        // Only what ran is stored or noted (SP-181).
        let store = ApprovalsStore::of(case.snapshot.places().state_dir.as_ref());
        let agent = case.call.caller.agent.as_str();
        if ran.exit.is_some() && place == Place::Host {
            for segment in &judged.plan.segments {
                if let (Some(Match::Allowlist(pattern)), Some(program)) =
                    (&segment.matched, &segment.executable)
                {
                    let run = Use {
                        agent,
                        pattern,
                        command: &judged.plan.text,
                        resolved_path: &program.canonical,
                        at_ms: now_ms(),
                    };
                    // A note, nothing more: the entry stays as it is when it cannot be written.
                    let _ = store.used(&run);
                }
            }
        }
        if let Warrant::Person { taken, remembered } = warrant {
            if ran.exit.is_some() && !remembered.is_empty() {
                // Not stored means asked again.
                let _ = store.remember(agent, &remembered);
            }
            match (&ran.exit, &ran.result) {
                (None, Ok(result)) => {
                    let code = result.details.get("code").and_then(Json::as_str).unwrap_or_default();
                    let reason = match code {
                        "executable-changed" => Denial::ExecutableChanged,
                        "changed" => Denial::ApprovalMismatch,
                        _ => Denial::SpawnFailed,
                    };
                    taken.withdraw(reason, code);
                }
                _ => taken.finished(ending(ran.exit)),
            }
        }
    }
}

fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}
