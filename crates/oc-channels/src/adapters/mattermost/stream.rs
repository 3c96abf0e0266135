//! The WebSocket: signing in, events in order, and taking up the stream after a loss.

use std::time::Duration;

use reqwest::Url;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{Mattermost, Position, SERVICE};
use crate::adapter::{AdapterFailure, Door, Taken};
use crate::adapters::offering::offered;
use crate::http_client::encoded;
use crate::json::Members as _;
use crate::websocket::{Frame, Socket};

/// How often something is said, so that both sides notice a loss.
const PING: Duration = Duration::from_secs(30);
/// How long nothing may come between two of ours.
const IDLE: Duration = Duration::from_secs(90);
/// How many of ours may stay without any word from the server.
const UNHEARD: u32 = 3;
/// The number of our first message, which signs in.
const SIGN_IN: u64 = 1;

pub(super) async fn run(bot: &Mattermost, door: &dyn Door) -> AdapterFailure {
    if let Err(e) = bot.identify().await {
        return e;
    }
    match follow(bot, door).await {
        Ok(never) => match never {},
        Err(e) => e,
    }
}

/// The address of the stream: the server's own, as a WebSocket.
fn address(bot: &Mattermost, position: &Position) -> Result<String, AdapterFailure> {
    let url = bot.api.root().below("/api/v4/websocket");
    let mut url = Url::parse(&url).map_err(|_| bot.api.unavailable("the address is not usable"))?;
    let scheme = if bot.api.root().is_plain() { "ws" } else { "wss" };
    url.set_scheme(scheme).map_err(|()| bot.api.unavailable("the address is not usable"))?;
    if let Some(connection) = &position.connection {
        let query = format!("connection_id={}&sequence_number={}", encoded(connection), position.next);
        url.set_query(Some(&query));
    }
    Ok(url.into())
}

async fn follow(bot: &Mattermost, door: &dyn Door) -> Result<std::convert::Infallible, AdapterFailure> {
    let before = bot.position().clone();
    let hidden = vec![bot.api.token().clone()];
    let mut socket = Socket::open(SERVICE, &address(bot, &before)?, bot.api.root(), &[], hidden).await?;
    let sign = json!({ "seq": SIGN_IN, "action": "authentication_challenge", "data": { "token": bot.api.token().expose() } });
    socket.send(sign.to_string()).await?;
    let (mut sent, mut unheard): (u64, u32) = (SIGN_IN, 0);
    let mut ping = interval_at(Instant::now() + PING, PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let came = tokio::select! {
            came = socket.next(IDLE) => came?,
            _ = ping.tick() => {
                if unheard >= UNHEARD {
                    return Err(bot.api.unavailable("the connection for events was lost: it does not answer"));
                }
                (sent, unheard) = (sent.saturating_add(1), unheard.saturating_add(1));
                socket.send(json!({ "seq": sent, "action": "ping" }).to_string()).await?;
                continue;
            }
        };
        unheard = 0;
        let Frame::Text(text) = came else {
            return Err(bot.api.unavailable("the connection for events was closed"));
        };
        let frame: Value = serde_json::from_str(&text)
            .map_err(|_| bot.api.unavailable("it sent something that is no JSON"))?;
        if frame.text("status") == Some("FAIL") {
            let why = frame.at("error").text("message").unwrap_or("no reason given");
            // Only the answer to the sign-in says anything of the credential; what else fails may go the next time.
            let signing_in = frame.at("seq_reply").as_u64() == Some(SIGN_IN);
            return Err(if signing_in { bot.api.refused_credential(why) } else { bot.api.unavailable(why) });
        }
        let Some(kind) = frame.text("event") else { continue };
        let number = frame.at("seq").as_u64();
        let expected = bot.position().next;
        if kind == "hello" {
            greet(bot, frame.at("data").text("connection_id"));
        } else if let Some(number) = number
            && number != expected
        {
            // Something is missing: what the server still has comes with a new connection.
            return Err(bot.api.unavailable("an event is missing"));
        } else {
            take(bot, door, &frame).await?;
        }
        if let Some(number) = number {
            bot.position().next = number.saturating_add(1);
        }
    }
}

/// The server says which stream it is: another one than before begins anew.
fn greet(bot: &Mattermost, connection: Option<&str>) {
    let mut position = bot.position();
    if position.connection.as_deref() != connection || connection.is_none() {
        if position.connection.is_some() {
            tracing::warn!(
                service = SERVICE,
                account = bot.account.as_str(),
                "the server has forgotten the stream: messages may have been lost"
            );
        }
        *position = Position { connection: connection.map(str::to_owned), next: 0 };
    }
}

async fn take(bot: &Mattermost, door: &dyn Door, frame: &Value) -> Result<(), AdapterFailure> {
    let own = bot.own.get();
    let Some(event) = super::event::read(frame, bot, &own) else { return Ok(()) };
    match offered(door, event).await {
        Taken::Done => Ok(()),
        // The connection is given up; it comes again with the next.
        Taken::Later => Err(bot.api.unavailable("a message could not be taken; it is asked for again")),
    }
}
