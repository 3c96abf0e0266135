//! Reading the stream of events.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Matrix, SERVICE, event, invite};
use crate::adapter::{AdapterFailure, Door, Taken};
use crate::http_client::encoded;
use crate::json::Members as _;

/// How long the server holds a call open while nothing happens.
const HOLD: Duration = Duration::from_secs(30);
/// Time for the answer beyond that; a first one can be long.
const GRACE: Duration = Duration::from_secs(60);
/// Most pages of a hundred events that are read after a gap.
const PAGES: usize = 50;
/// Pause before events are asked for again that could not be taken.
const LATER: Duration = Duration::from_secs(1);

/// Runs until something fails.
pub(super) async fn run(matrix: &Matrix, door: &dyn Door) -> AdapterFailure {
    match follow(matrix, door).await {
        Ok(never) => match never {},
        Err(e) => e,
    }
}

async fn follow(matrix: &Matrix, door: &dyn Door) -> Result<std::convert::Infallible, AdapterFailure> {
    let own_id = matrix.api.who().await?;
    let mut since = matrix.position.load(&own_id)?;
    // Events that the door took before another one of the same answer could not be taken.
    let mut taken: HashSet<String> = HashSet::new();
    loop {
        let first = since.is_none();
        let path = sync_path(since.as_deref());
        let answer = matrix.api.get(&path, HOLD + GRACE).await?;
        let Some(next) = answer.text("next_batch").map(str::to_owned) else {
            return Err(AdapterFailure::Unavailable {
                service: SERVICE,
                why: "it gave no place in the stream".to_owned(),
            });
        };
        invitations(matrix, door, &answer, &own_id, &mut taken).await;
        learn(matrix, &answer);
        // At the first start what lies in the rooms already is history, not messages to us.
        let all_taken = match since.as_deref() {
            Some(since) => rooms(matrix, door, &answer, (&own_id, since), &mut taken).await?,
            None => true,
        };
        if !all_taken {
            tokio::time::sleep(LATER).await;
            continue;
        }
        taken.clear();
        let happened =
            ["rooms", "account_data"].iter().any(|k| answer.at(k).as_object().is_some_and(|o| !o.is_empty()));
        if first || happened {
            matrix.position.save(&own_id, &next)?;
        }
        since = Some(next);
    }
}

fn sync_path(since: Option<&str>) -> String {
    let timeline = if since.is_some() { 100 } else { 1 };
    let filter = json!({
        "presence": { "types": [] },
        "account_data": { "types": [] },
        "room": {
            "timeline": { "limit": timeline },
            "ephemeral": { "types": [] },
            "account_data": { "types": [] },
            "state": { "types": ["m.room.canonical_alias"] },
        },
    });
    let hold = if since.is_some() { HOLD.as_millis() } else { 0 };
    let mut path = format!("/_matrix/client/v3/sync?timeout={hold}&filter={}", encoded(&filter.to_string()));
    if let Some(since) = since {
        path.push_str(&format!("&since={}", encoded(since)));
    }
    path
}

/// Aliases of rooms from state, and which rooms changed their members.
fn learn(matrix: &Matrix, answer: &Value) {
    let mut state = matrix.state();
    for (room, body) in answer.at("rooms").at("join").as_object().into_iter().flatten() {
        for e in body.at("state").items("events").iter().chain(body.at("timeline").items("events")) {
            match e.text("type") {
                Some("m.room.canonical_alias") => {
                    state.aliases.remove(room);
                    let alias = e.at("content").text("alias").map(|a| (room.clone(), a.to_owned()));
                    state.aliases.extend(alias);
                }
                Some("m.room.member") => {
                    state.members.remove(room);
                }
                _ => {}
            }
        }
        // Of a gap we do not know what happened in it.
        if body.at("timeline").is_true("limited") {
            state.members.remove(room);
        }
    }
    for (room, _) in answer.at("rooms").at("leave").as_object().into_iter().flatten() {
        state.members.remove(room);
        state.aliases.remove(room);
    }
}

async fn invitations(
    matrix: &Matrix,
    door: &dyn Door,
    answer: &Value,
    own_id: &str,
    taken: &mut HashSet<String>,
) {
    for (room, body) in answer.at("rooms").at("invite").as_object().into_iter().flatten() {
        let id = format!("invite-{room}-{}", answer.text("next_batch").unwrap_or_default());
        if !taken.contains(&id) {
            let found = event::invitation(&matrix.view(own_id), room, invite::inviter(body, own_id), &id);
            if door.offer(found).await == Taken::Done {
                taken.insert(id);
            }
        }
        if matrix.auto_join.follows(room, body, own_id) {
            // A failure shows when somebody invites again.
            let joined =
                matrix.api.post(&format!("/_matrix/client/v3/join/{}", encoded(room)), json!({})).await;
            if let Err(e) = joined {
                tracing::warn!(service = SERVICE, account = matrix.account, why = %e, "an invitation could not be followed");
            }
        }
    }
}

/// Offers what happened in the rooms. False: something was not taken.
async fn rooms(
    matrix: &Matrix,
    door: &dyn Door,
    answer: &Value,
    (own_id, since): (&str, &str),
    taken: &mut HashSet<String>,
) -> Result<bool, AdapterFailure> {
    for (room, body) in answer.at("rooms").at("join").as_object().into_iter().flatten() {
        let timeline = body.at("timeline");
        let newest = timeline.items("events");
        // What was said in a room before we came was not said to us; in a direct chat it was.
        let history = newest.iter().any(|e| is_own_join(e, own_id)) && members(matrix, room).await != Some(2);
        let missed = match timeline.text("prev_batch").filter(|_| timeline.is_true("limited") && !history) {
            Some(before) => gap(matrix, room, before, since).await?,
            None => Vec::new(),
        };
        let events: Vec<&Value> = missed.iter().chain(newest).collect();
        let joined = events.iter().position(|e| is_own_join(e, own_id));
        for (at, found) in events.into_iter().enumerate() {
            let Some(id) = found.text("event_id").filter(|id| !taken.contains(*id)) else { continue };
            if found.text("sender") == Some(own_id) {
                matrix.state().sent(id);
            }
            let members = members(matrix, room).await;
            if joined.is_some_and(|j| at < j) && members != Some(2) {
                continue;
            }
            let read = event::read(&matrix.view(own_id), room, found, members);
            match door.offer(read).await {
                Taken::Done => {
                    taken.insert(id.to_owned());
                }
                Taken::Later => return Ok(false),
            }
        }
    }
    Ok(true)
}

/// What lies between the last answer and this one when the server left some out, oldest first.
async fn gap(matrix: &Matrix, room: &str, before: &str, since: &str) -> Result<Vec<Value>, AdapterFailure> {
    let mut found: Vec<Value> = Vec::new();
    let mut from = before.to_owned();
    for _ in 0..PAGES {
        let (room, to) = (encoded(room), encoded(since));
        let path = format!(
            "/_matrix/client/v3/rooms/{room}/messages?dir=b&limit=100&from={}&to={to}",
            encoded(&from)
        );
        let page = matrix.api.get(&path, GRACE).await?;
        let chunk = page.items("chunk");
        found.extend(chunk.iter().cloned());
        match page.text("end").filter(|_| !chunk.is_empty()) {
            Some(end) => from = end.to_owned(),
            None => {
                found.reverse();
                return Ok(found);
            }
        }
    }
    let name = oc_text::visible::visible(room, 100);
    tracing::warn!(service = SERVICE, account = matrix.account, room = %name, "some messages were passed over: too many came at once");
    found.reverse();
    Ok(found)
}

fn is_own_join(e: &Value, own_id: &str) -> bool {
    e.text("type") == Some("m.room.member")
        && e.text("state_key") == Some(own_id)
        && e.at("content").text("membership") == Some("join")
        && e.at("unsigned").at("prev_content").text("membership") != Some("join")
}

/// How many have joined a room; `None` when the server does not say.
async fn members(matrix: &Matrix, room: &str) -> Option<usize> {
    if let Some(count) = matrix.state().members.get(room) {
        return Some(*count);
    }
    let path = format!("/_matrix/client/v3/rooms/{}/joined_members", encoded(room));
    let answer = matrix.api.get(&path, Duration::from_secs(30)).await.ok()?;
    let count = answer.at("joined").as_object()?.len();
    matrix.state().members.insert(room.to_owned(), count);
    Some(count)
}

impl Matrix {
    fn view<'a>(&'a self, own_id: &'a str) -> event::View<'a> {
        event::View { matrix: self, own_id }
    }
}
