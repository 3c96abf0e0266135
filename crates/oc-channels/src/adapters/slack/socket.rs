//! Socket Mode: envelopes over a WebSocket, each acknowledged when the door has taken what is in it.

use std::time::Duration;

use oc_types::Secret;
use serde_json::json;

use super::{SERVICE, Slack};
use crate::adapter::{AdapterFailure, Door, Taken};
use crate::json::Members as _;
use crate::websocket::{Frame, Socket};

/// Hosts of the WebSocket.
const HOSTS: &[&str] = &["slack.com", "slack-gov.com"];
/// The service sends a ping every few seconds.
const IDLE: Duration = Duration::from_secs(90);

pub(super) async fn run(bot: &Slack, token: &Secret, key: &str, door: &dyn Door) -> AdapterFailure {
    loop {
        match connection(bot, token, key, door).await {
            // Connections are renewed every hour or so.
            Ok(()) => {}
            Err(e) => return e,
        }
    }
}

/// `Ok`: the service asked for another connection, and this one was in use.
async fn connection(bot: &Slack, token: &Secret, key: &str, door: &dyn Door) -> Result<(), AdapterFailure> {
    let opened = bot.api.call_with("apps.connections.open", &json!({}), token, key).await?;
    let address = opened.text("url").ok_or_else(|| bot.api.unavailable("it names no address for events"))?;
    let mut socket = Socket::open(SERVICE, address, bot.api.root(), HOSTS, vec![token.clone()]).await?;
    let mut greeted = false;
    loop {
        let text = match socket.next(IDLE).await? {
            Frame::Text(text) => text,
            Frame::Closed(_) => return Err(bot.api.unavailable("the connection for events was closed")),
        };
        let envelope: serde_json::Value = serde_json::from_str(&text)
            .map_err(|_| bot.api.unavailable("it sent something that is no JSON"))?;
        let payload = envelope.at("payload");
        // Without it own messages could not be told, nor those of other installations.
        let own = bot.own().ok_or_else(|| bot.api.unavailable("it is not known who we are"))?;
        let event = match envelope.text("type") {
            Some("hello") => {
                greeted = true;
                None
            }
            Some("disconnect") if envelope.text("reason") == Some("link_disabled") => {
                let why = "Socket Mode is switched off for the app".to_owned();
                return Err(AdapterFailure::Settings { key: key.to_owned(), why });
            }
            Some("disconnect") if greeted => return Ok(()),
            Some("disconnect") => return Err(bot.api.unavailable("it asks to connect again")),
            Some("events_api") => bot.reader(&own).callback(payload),
            Some("interactive") => bot.reader(&own).interactive(payload),
            Some("slash_commands") => bot.reader(&own).slash(&|name| payload.text(name).map(str::to_owned)),
            _ => None,
        };
        let taken = match event {
            Some(event) => door.offer(event).await,
            None => Taken::Done,
        };
        // What is not acknowledged comes again.
        if let (Taken::Done, Some(id)) = (taken, envelope.text("envelope_id")) {
            socket.send(json!({ "envelope_id": id }).to_string()).await?;
        }
    }
}
