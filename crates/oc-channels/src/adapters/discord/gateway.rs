//! The gateway: hello, identify or resume, heartbeats, dispatches.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::event::{self, Who};
use super::{Discord, Press, SERVICE, Session};
use crate::adapter::{AdapterFailure, Door, Event, Taken};
use crate::adapters::offering::offered;
use crate::json::Members as _;
use crate::websocket::{Frame, Socket};
use oc_policy::inbound::EventKind;
use oc_types::Secret;

/// Hosts of the gateway.
const HOSTS: &[&str] = &["discord.gg"];
/// What stands after the gateway's address.
const VERSION: &str = "/?v=10&encoding=json";
/// How long the first message may take.
const HELLO: Duration = Duration::from_secs(20);
/// Bounds of a heartbeat's interval that is believed, in milliseconds.
const HEARTBEAT: (u64, u64) = (100, 300_000);

/// What is subscribed: servers, messages and their text, reactions, both in servers and directly.
pub(super) fn intents(members: bool, presences: bool) -> u64 {
    let base = 1 | (1 << 9) | (1 << 10) | (1 << 12) | (1 << 13) | (1 << 15);
    base | if members { 1 << 1 } else { 0 } | if presences { 1 << 8 } else { 0 }
}

/// What follows the end of a connection.
enum End {
    /// The service asked for another; this one had come so far as to be used.
    Again,
    /// It failed.
    Failed(AdapterFailure),
}

pub(super) async fn run(bot: &Discord, door: &dyn Door) -> AdapterFailure {
    if let Err(e) = bot.identify().await {
        return e;
    }
    loop {
        match connection(bot, door).await {
            Ok(End::Again) => {}
            Ok(End::Failed(e)) | Err(e) => return e,
        }
    }
}

/// What is known of one connection.
struct Link {
    socket: Socket,
    /// Whether the last heartbeat was answered.
    alive: bool,
    /// Whether it was accepted.
    ready: bool,
}

async fn connection(bot: &Discord, door: &dyn Door) -> Result<End, AdapterFailure> {
    let before = bot.session().clone();
    let resuming = before.id.is_some() && before.sequence.is_some();
    let base = match before.resume_url.clone().filter(|_| resuming) {
        Some(url) => url,
        None => {
            let found = bot.api.get("/gateway/bot").await?;
            let url = found.text("url");
            url.ok_or_else(|| bot.api.unavailable("it names no gateway"))?.to_owned()
        }
    };
    let address = format!("{}{VERSION}", base.trim_end_matches('/'));
    let hidden = vec![bot.api.token().clone()];
    let mut socket = Socket::open(SERVICE, &address, bot.api.root(), HOSTS, hidden).await?;
    let hello = match socket.next(HELLO).await? {
        Frame::Text(text) => parse(bot, &text)?,
        Frame::Closed(code) => return Ok(closed(bot, code, false)),
    };
    let every =
        hello.at("d").at("heartbeat_interval").as_u64().filter(|_| hello.at("op").as_u64() == Some(10));
    let every = every.ok_or_else(|| bot.api.unavailable("it does not begin with hello"))?;
    let every = Duration::from_millis(every.clamp(HEARTBEAT.0, HEARTBEAT.1));
    let first = if resuming { resume(bot, &before) } else { introduce(bot) };
    socket.send(first.to_string()).await?;
    let mut beat = interval_at(Instant::now() + every, every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut link = Link { socket, alive: true, ready: false };
    loop {
        let came = tokio::select! {
            came = link.socket.next(every * 2) => came?,
            _ = beat.tick() => {
                heartbeat(bot, &mut link).await?;
                continue;
            }
        };
        let frame = match came {
            Frame::Text(text) => parse(bot, &text)?,
            Frame::Closed(code) => return Ok(closed(bot, code, link.ready)),
        };
        match frame.at("op").as_u64() {
            Some(0) => dispatch(bot, door, &mut link, &mut beat, &frame).await?,
            Some(1) => heartbeat(bot, &mut link).await?,
            Some(7) if link.ready => return Ok(End::Again),
            Some(7) => return Ok(End::Failed(bot.api.unavailable("it asks to connect again"))),
            Some(9) => {
                if *frame.at("d") != Value::Bool(true) {
                    *bot.session() = Session::default();
                }
                return Ok(End::Failed(bot.api.unavailable("the session is not valid any more")));
            }
            Some(11) => link.alive = true,
            _ => {}
        }
    }
}

fn parse(bot: &Discord, text: &str) -> Result<Value, AdapterFailure> {
    serde_json::from_str(text).map_err(|_| bot.api.unavailable("it sent something that is no JSON"))
}

fn introduce(bot: &Discord) -> Value {
    let properties = json!({ "os": std::env::consts::OS, "browser": "openclaw", "device": "openclaw" });
    json!({ "op": 2, "d": { "token": bot.api.token().expose(), "intents": bot.intents, "properties": properties } })
}

fn resume(bot: &Discord, session: &Session) -> Value {
    json!({ "op": 6, "d": {
        "token": bot.api.token().expose(), "session_id": session.id, "seq": session.sequence } })
}

async fn heartbeat(bot: &Discord, link: &mut Link) -> Result<(), AdapterFailure> {
    if !std::mem::take(&mut link.alive) {
        return Err(bot.api.unavailable("the connection for events was lost: no heartbeat came back"));
    }
    let sequence = bot.session().sequence;
    link.socket.send(json!({ "op": 1, "d": sequence }).to_string()).await
}

/// What a close means: some codes say that trying again does not help.
fn closed(bot: &Discord, code: Option<u16>, ready: bool) -> End {
    let settings = |key: &str, why: &str| {
        End::Failed(AdapterFailure::Settings { key: key.to_owned(), why: why.to_owned() })
    };
    match code {
        Some(4004) => End::Failed(AdapterFailure::Credential {
            service: SERVICE,
            key: bot.api.key().to_owned(),
            why: "the gateway does not take it".to_owned(),
        }),
        Some(4013 | 4014) => settings(
            bot.api.key(),
            "the bot may not read messages; turn on \"Message Content Intent\" (and those of `intents`) for it in the developer portal",
        ),
        Some(4010 | 4011) => settings(
            bot.api.key(),
            "the bot is in too many servers for one connection; it cannot be used here",
        ),
        Some(4007 | 4009) => {
            *bot.session() = Session::default();
            End::Failed(bot.api.unavailable("the session is not valid any more"))
        }
        // An orderly end: it is taken up at once, but never in a tight circle.
        Some(1000 | 1001) if ready => End::Again,
        Some(code) => {
            End::Failed(bot.api.unavailable(&format!("the gateway closed the connection ({code})")))
        }
        None => End::Failed(bot.api.unavailable("the gateway closed the connection")),
    }
}

async fn dispatch(
    bot: &Discord,
    door: &dyn Door,
    link: &mut Link,
    beat: &mut tokio::time::Interval,
    frame: &Value,
) -> Result<(), AdapterFailure> {
    let (kind, d) = (frame.at("t").as_str().unwrap_or_default(), frame.at("d"));
    match kind {
        "READY" => {
            let mut session = bot.session();
            session.id = d.text("session_id").map(str::to_owned);
            session.resume_url = d.text("resume_gateway_url").map(str::to_owned);
            link.ready = true;
        }
        "RESUMED" => link.ready = true,
        _ => learn(bot, kind, d),
    }
    if !event::is_state(kind) {
        let (channel, guild) = event::place_of(d);
        if let Some(channel) = channel {
            look_up(bot, channel).await;
        }
        let around = bot.rooms().around(channel.unwrap_or_default(), guild);
        let own = bot.own.get();
        let who = Who { channel: &bot.channel, account: &bot.account, own: &own };
        if let Some(event) = event::read(kind, d, &who, &around) {
            // Before: the answer may be quicker than the door's.
            if let Some(press) = press(d, &event) {
                bot.presses.remember(&event, press, std::time::Instant::now());
            }
            offer(bot, door, link, beat, event).await?;
        }
    }
    // Only now: what was not taken comes again after a resume.
    if let Some(sequence) = frame.at("s").as_u64() {
        bot.session().sequence = Some(sequence);
    }
    Ok(())
}

/// Offers an event while the heart goes on beating.
async fn offer(
    bot: &Discord,
    door: &dyn Door,
    link: &mut Link,
    beat: &mut tokio::time::Interval,
    event: Event,
) -> Result<(), AdapterFailure> {
    let mut offering = std::pin::pin!(offered(door, event));
    let taken = loop {
        tokio::select! {
            taken = &mut offering => break taken,
            _ = beat.tick() => {
                // Answers to heartbeats are not read meanwhile.
                link.alive = true;
                heartbeat(bot, link).await?;
            }
        }
    };
    link.alive = true;
    match taken {
        Taken::Done => Ok(()),
        // The connection is given up; it comes again after a resume.
        Taken::Later => Err(bot.api.unavailable("a message could not be taken; it is asked for again")),
    }
}

fn learn(bot: &Discord, kind: &str, d: &Value) {
    let mut rooms = bot.rooms();
    match kind {
        "GUILD_CREATE" | "GUILD_UPDATE" => rooms.learn_guild(d),
        // Of one that is only out of reach the names stay.
        "GUILD_DELETE" if !d.is_true("unavailable") => rooms.forget_guild(d.text("id").unwrap_or_default()),
        "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE" => rooms.learn(d, None),
        "CHANNEL_DELETE" | "THREAD_DELETE" => rooms.forget(d.text("id").unwrap_or_default()),
        "THREAD_LIST_SYNC" => {
            for thread in d.items("threads") {
                rooms.learn(thread, d.text("guild_id"));
            }
        }
        _ => {}
    }
}

/// Asks for a channel that is not known, and for its parent: at most two calls, once for each channel.
async fn look_up(bot: &Discord, channel: &str) {
    for _ in 0..2 {
        let Some(missing) = bot.rooms().missing(channel) else { return };
        let Some(id) = super::snowflake(&missing) else { return };
        match bot.api.get(&format!("/channels/{id}")).await {
            Ok(found) if found.text("id") == Some(id) => bot.rooms().learn(&found, None),
            // Not to be seen: it stays unknown.
            Ok(_) | Err(AdapterFailure::Refused { .. }) => bot.rooms().unknown(id),
            // Of this event it is not known; of the next it may be.
            Err(_) => return,
        }
    }
}

fn press(d: &Value, event: &Event) -> Option<Press> {
    let wants_words = match event.message.event {
        EventKind::Button => false,
        EventKind::SlashCommand => true,
        _ => return None,
    };
    Some(Press { id: d.text("id")?.to_owned(), token: Secret::new(d.text("token")?.to_owned()), wants_words })
}
