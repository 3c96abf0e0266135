//! What a former process left undone (table in `inbox`).

use std::sync::Arc;

use oc_policy::access::Outcome;

use super::offer::{Reading, route_of};
use super::{Core, authority_of, locked, words};
use crate::inbox::{Answer, Ending, Entry, Piece, Recovered};
use crate::lane::Item;
use crate::rules::Rules;
use crate::turn::Reply;

pub(super) async fn all(core: &Arc<Core>) {
    let left = std::mem::take(&mut *locked(&core.left));
    let rules = core.rules.load_full();
    for one in left {
        match one {
            Recovered::Waiting { entry, again } => waiting(core, &rules, entry, again).await,
            Recovered::Interrupted { entries } => interrupted(core, &rules, &entries).await,
            Recovered::Unsent(answer) => unsent(core, &rules, answer).await,
        }
    }
}

/// Decided again: who was admitted then need not be now.
async fn waiting(core: &Arc<Core>, rules: &Rules, entry: Entry, again: bool) {
    let mut message = entry.event.message.clone();
    let decision = core.decide(rules, &mut message).await;
    let Outcome::Allow(admission) = &decision.outcome else {
        return core.inbox.done(&[entry.id], Ending::Access, core.now());
    };
    let may = authority_of(rules.config(), &message, admission).commands.is_authorized();
    let read = Reading::of(&message, rules.config(), may);
    let item = Item { entry: entry.id, event: entry.event, at_ms: core.now(), again };
    core.go_on(item, read, rules, admission).await;
}

async fn still_admitted(core: &Core, rules: &Rules, entry: u64) -> bool {
    let Some(event) = core.inbox.event(entry) else { return false };
    let mut message = event.message.clone();
    matches!(core.decide(rules, &mut message).await.outcome, Outcome::Allow(_))
}

async fn interrupted(core: &Arc<Core>, rules: &Rules, entries: &[Entry]) {
    let ids: Vec<u64> = entries.iter().map(|e| e.id).collect();
    let Some(last) = entries.last() else { return };
    if !still_admitted(core, rules, last.id).await {
        return core.inbox.done(&ids, Ending::Access, core.now());
    }
    let (route, text) = (route_of(&last.event), words::interrupted(&last.event.message.text));
    let core = Arc::clone(core);
    tokio::spawn(async move { core.answer(&ids, &route, Reply::text(text), Ending::Answered, true).await });
}

async fn unsent(core: &Arc<Core>, rules: &Rules, answer: Answer) {
    let Some(last) = answer.entries.last() else { return };
    if !still_admitted(core, rules, *last).await {
        return core.inbox.done(&answer.entries, Ending::Access, core.now());
    }
    let route = &answer.route;
    let keyed = core.courier.adapter(&route.channel, &route.account).is_ok_and(|a| a.knows_keys());
    let core = Arc::clone(core);
    if keyed || !answer.in_doubt() {
        tokio::spawn(async move { core.send_answer(&answer, Ending::Answered).await });
        return;
    }
    if answer.notice {
        // It said that something went wrong; whether it arrived is not worth another message.
        return core.inbox.done(&answer.entries, Ending::Answered, core.now());
    }
    let mut pieces: Vec<Piece> = answer.pieces.into_iter().skip(answer.begun).collect();
    pieces.push(Piece { text: words::IN_DOUBT.to_owned(), buttons: Vec::new() });
    tokio::spawn(async move {
        let made = core.inbox.answering(&answer.entries, answer.route.clone(), pieces.clone(), true).await;
        match made {
            Ok(id) => {
                let rest = Answer::new(id, answer.entries, answer.route, pieces, true);
                core.send_answer(&rest, Ending::Answered).await;
            }
            Err(why) => core.observer.failed(&why.to_string()),
        }
    });
}
