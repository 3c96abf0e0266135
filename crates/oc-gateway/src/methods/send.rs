//! `send`: a message of a client to a conversation of a chat account (gateway 6).

use oc_channels::adapter::{Destination, Outgoing};
use oc_channels::delivery::chunk::chunks;
use oc_channels::inbox::Route;
use oc_channels::rules::Rules;
use oc_policy::inbound::ConversationId;
use oc_types::{AccountId, ChannelId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::params::{invalid, parse, unavailable};
use super::{Call, Waiting};
use crate::protocol::frame::Failure;
use crate::server::state::Gateway;

/// Longest message, in characters.
const LONGEST: usize = 20_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Send {
    to: String,
    message: String,
    channel: Option<String>,
    #[serde(default)]
    account_id: Option<String>,
    #[serde(default)]
    media_url: Option<Value>,
    #[serde(default)]
    media_urls: Option<Value>,
    #[serde(default)]
    gif_playback: Option<Value>,
    #[serde(default)]
    session_key: Option<Value>,
    idempotency_key: String,
}

/// Sends; the text is cut to what the service takes, the pieces go in order.
pub fn send(call: Call) -> Waiting {
    Box::pin(async move {
        let wanted: Send = parse("send", &call.params)?;
        let has = |v: &Option<Value>| v.as_ref().is_some_and(|v| !v.is_null() && *v != json!([]));
        if has(&wanted.media_url) || has(&wanted.media_urls) {
            return Err(invalid("files are not sent yet; send the text alone"));
        }
        let _ = (&wanted.gif_playback, &wanted.session_key);
        let named = wanted.channel.as_deref().map(str::trim).filter(|c| !c.is_empty());
        let channel = ChannelId::parse(named.ok_or_else(|| invalid("channel is missing"))?)
            .map_err(|e| invalid(&e.to_string()))?;
        let to = ConversationId::new(&wanted.to);
        let text = wanted.message.trim();
        if to.as_str().is_empty() || text.is_empty() || text.chars().count() > LONGEST {
            return Err(invalid("to and message are texts; message has at most 20000 characters"));
        }
        let key: String = wanted
            .idempotency_key
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .take(48)
            .collect();
        if key.is_empty() {
            return Err(invalid("idempotencyKey is missing"));
        }
        let account = wanted.account_id.unwrap_or_else(|| AccountId::DEFAULT.to_owned());
        if call.gateway.snapshot().tree.path(&["channels", channel.as_str()]).is_none() {
            return Err(invalid(&format!("channels.{channel} is not configured")));
        }
        let route = Route {
            channel: channel.clone(),
            account,
            to: Destination { conversation: to, thread: None, reply_to: None },
        };
        let last = self::text(&call.gateway, &route, text, &key.to_lowercase()).await?;
        Ok(json!({ "runId": wanted.idempotency_key, "messageId": last, "channel": channel.as_str() }))
    })
}

/// Sends a text to a conversation: cut to what the service takes, the pieces in order. The id of the last one.
pub(crate) async fn text(
    gateway: &Gateway,
    route: &Route,
    text: &str,
    key: &str,
) -> Result<Option<String>, Failure> {
    let channels = gateway.channels().ok_or_else(|| unavailable("no chat is served by this gateway"))?;
    let rules = Rules::new(gateway.snapshot().tree.clone())
        .map_err(|_| unavailable("the access rules cannot be used"))?;
    let limit = rules.chunk(&route.channel, &route.account);
    let courier = channels.ingress().courier();
    let order = courier.order(route);
    let _turn = order.lock().await;
    let mut last = None;
    for (n, piece) in chunks(text, &limit).into_iter().enumerate() {
        let outgoing = Outgoing { text: piece, ..Outgoing::default() };
        let sent = courier.send(route, &outgoing, &format!("{key}-{n}")).await;
        last = sent.map_err(|e| unavailable(&e.to_string()))?.id;
    }
    Ok(last)
}
