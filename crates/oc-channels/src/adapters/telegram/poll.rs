//! Long polling. The offset of the next call acknowledges what the door has taken, and nothing else.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{POLL, SERVICE, Telegram, update};
use crate::adapter::{AdapterFailure, Door, Taken};
use crate::http_client::Body;

/// How long is waited when there is a reason not to ask at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// After updates that could not be taken.
    pub(super) later: Duration,
    /// After an empty answer that came early: a service that does not hold the call.
    pub(super) empty: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { later: Duration::from_secs(1), empty: Duration::from_millis(300) }
    }
}

/// Polls until something fails.
pub(super) async fn run(bot: &Telegram, door: &dyn Door, pace: Pace) -> AdapterFailure {
    // A webhook that was set before keeps updates from coming; what waits there stays.
    if let Err(e) = bot.api.call("deleteWebhook", json!({ "drop_pending_updates": false })).await {
        return e;
    }
    loop {
        let asked = Instant::now();
        let updates = match next(bot).await {
            Ok(updates) => updates,
            Err(e) => return e,
        };
        let mut progress = false;
        let mut refused = false;
        for found in &updates {
            // Without an id it cannot be acknowledged; a later one acknowledges it too.
            let Some(read) = update::read(found, &bot.who, bot.username().as_deref()) else { continue };
            // Before: the answer may be quicker than the door's.
            if let Some(press) = read.press {
                bot.presses.remember(&read.event, press, Instant::now());
            }
            match door.offer(read.event).await {
                Taken::Done => {
                    bot.taken(read.id);
                    progress = true;
                }
                Taken::Later => {
                    refused = true;
                    break;
                }
            }
        }
        if refused {
            tokio::time::sleep(pace.later).await;
        } else if !progress && asked.elapsed() < Duration::from_secs(1) {
            tokio::time::sleep(pace.empty).await;
        }
    }
}

async fn next(bot: &Telegram) -> Result<Vec<Value>, AdapterFailure> {
    let mut parameters =
        json!({ "timeout": POLL.as_secs(), "limit": 100, "allowed_updates": update::WANTED });
    if let (Some(next), Some(o)) = (bot.next(), parameters.as_object_mut()) {
        o.insert("offset".to_owned(), next.into());
    }
    let found =
        bot.api.exchange("getUpdates", Body::Json(parameters), POLL + Duration::from_secs(15)).await?;
    match found {
        Value::Array(updates) => Ok(updates),
        _ => Err(AdapterFailure::Unavailable {
            service: SERVICE,
            why: "it gave no list of updates".to_owned(),
        }),
    }
}
