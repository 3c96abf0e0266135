//! Where a message may go. Pure but for [`own`] and [`own_now`], which read where the conversation at hand is.

use oc_channels::adapter::Destination;
use oc_channels::inbox::Route;
use oc_channels::rules::Rules;
use oc_channels::session_settings::SendOverride;
use oc_fs::session_store::Entry;
use oc_policy::inbound::{ConversationId, ConversationKind};
use oc_policy::inventory::Tool;
use oc_policy::session_key::SessionKey;
use oc_sandbox::gate::{Caller, Forbidden, Snapshot, ToolCall};
use oc_types::{AccountId, ChannelId, KeyPath, Node};
use serde_json::Value;

use super::super::text;
use super::{checked, target};
use crate::assistant::elsewhere::without_conversation;
use crate::assistant::session_view::{ANY_KIND, entry, send_of};
use crate::methods::Place;

/// How far a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Into the conversation that the turn is in.
    Own,
    /// Into another one of the same channel.
    SameChannel,
    /// Into one of another channel.
    OtherChannel,
}

/// A message that may be sent.
#[derive(Clone, Debug)]
pub struct Order {
    /// Where it goes.
    pub route: Route,
    /// Its text, with the mark of where it comes from, credentials masked.
    pub text: String,
    /// How far it goes.
    pub reach: Reach,
}

/// The conversation at hand.
#[derive(Clone, Debug)]
pub struct Own {
    /// Where it is; `None` when the session is in no chat.
    pub route: Option<Route>,
    /// What the session says about being answered.
    pub send: Option<SendOverride>,
}

/// Reads where the session of a caller is, of the channel and account that its turn came through. `None`: that cannot be read, and nothing is
/// to be sent.
pub async fn own(place: Place, caller: &Caller) -> Option<Own> {
    let caller = caller.clone();
    tokio::task::spawn_blocking(move || read(&place, &caller)).await.ok().flatten()
}

/// The same where waiting is allowed. What cannot be read is nowhere, and nothing is sent.
#[must_use]
pub fn own_now(place: &Place, caller: &Caller) -> Own {
    read(place, caller).unwrap_or(Own { route: None, send: Some(SendOverride::Deny) })
}

fn read(place: &Place, caller: &Caller) -> Option<Own> {
    let key = SessionKey::parse(&caller.session).ok()?;
    let key = place.canonical(&caller.agent, &key);
    match entry(&place.store(&caller.agent), &key) {
        Ok(entry) => Some(Own { route: route(&entry, caller), send: send_of(&entry) }),
        Err(e) => {
            tracing::error!(target: "assistant", session = key, error = %e, "nothing is sent");
            None
        }
    }
}

/// Where the entry says that answers go, when that is where the turn came from.
#[must_use]
pub fn route(entry: &Entry, caller: &Caller) -> Option<Route> {
    let context = entry.get("deliveryContext")?;
    let of = |name: &str| context.get(name).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty());
    let channel = ChannelId::parse(of("channel")?).ok()?;
    let account = of("accountId").unwrap_or(AccountId::DEFAULT).to_owned();
    let here = caller.channel.as_deref().is_some_and(|c| ChannelId::parse(c).is_ok_and(|c| c == channel));
    let same = caller.account.as_deref().unwrap_or(AccountId::DEFAULT) == account;
    let to = Destination {
        conversation: ConversationId::new(of("to")?),
        thread: of("threadId").map(str::to_owned),
        reply_to: None,
    };
    (here && same).then_some(Route { channel, account, to })
}

/// Where the turn of a caller was when it began.
#[must_use]
pub fn route_back(caller: &Caller) -> Option<Route> {
    let channel = ChannelId::parse(caller.channel.as_deref()?).ok()?;
    let account = caller.account.as_deref().unwrap_or(AccountId::DEFAULT).to_owned();
    let conversation = ConversationId::new(caller.back.conversation.as_deref()?);
    let to = Destination { conversation, thread: caller.back.thread.clone(), reply_to: None };
    Some(Route { channel, account, to })
}

/// The conversation at hand: for a turn the one it began in, whoever wrote in its session since; for any other caller the one of now.
fn at_hand(caller: &Caller, own: Option<&Own>) -> Option<Route> {
    match caller.back.transcript {
        Some(_) => route_back(caller),
        None => own.and_then(|o| o.route.clone()),
    }
}

fn forbidden(rule: &'static str, key: Option<&str>, why: impl Into<String>) -> Forbidden {
    Forbidden { rule, key: key.map(KeyPath::dotted), why: why.into() }
}

/// Decides where a message goes, and whether it may.
///
/// # Errors
/// The rule that refuses.
pub fn judge(
    place: &Place,
    snapshot: &Snapshot,
    call: &ToolCall,
    own: Option<&Own>,
) -> Result<Order, Forbidden> {
    let arguments = &call.arguments;
    let unusable = |why: String| forbidden("arguments", None, why);
    let words = checked(arguments).map_err(unusable)?;
    let target = target::named(arguments).map_err(unusable)?;
    // Words of another session come from a conversation that is not known here, so none is at hand, and every one counts as of another channel:
    // otherwise the rules about those would end at the next session.
    let lent = without_conversation(&call.caller, &call.behind);
    let own_route = at_hand(&call.caller, own).filter(|_| !lent);
    let named = text(arguments, "channel").or(call.caller.channel.as_deref());
    let named = named.ok_or_else(|| {
        forbidden("no-channel", None, "this session is in no chat; give `channel` and `target`")
    })?;
    let channel = ChannelId::parse(named).map_err(|e| unusable(e.to_string()))?;
    if channel.as_str() == "webchat" {
        let why = "a web chat gets your answer and nothing else";
        return Err(forbidden("no-channel", None, why));
    }
    let here = !lent
        && call.caller.channel.as_deref().is_some_and(|c| ChannelId::parse(c).is_ok_and(|c| c == channel));
    let account = text(arguments, "accountId").map(str::to_owned).unwrap_or_else(|| {
        let own = call.caller.account.clone().filter(|_| here);
        own.unwrap_or_else(|| AccountId::DEFAULT.to_owned())
    });
    let at_hand = own_route.as_ref().filter(|r| r.channel == channel && r.account == account);
    let conversation = match (target, at_hand) {
        (Some(written), Some(own)) if written == own.to.conversation.as_str() => own.to.conversation.clone(),
        (Some(written), _) => target::conversation(&channel, written).map_err(unusable)?,
        (None, Some(own)) => own.to.conversation.clone(),
        (None, None) => {
            return Err(forbidden("no-target", None, "give `target`, the id of the conversation"));
        }
    };
    let at_hand = at_hand.filter(|r| r.to.conversation == conversation);
    let reach = match (at_hand, here) {
        (Some(_), _) => Reach::Own,
        (None, true) => Reach::SameChannel,
        (None, false) => Reach::OtherChannel,
    };
    permitted(&place.config, reach, &channel)?;
    scoped(snapshot, &call.caller, &channel)?;
    delivered(place, &call.caller, own, reach, &channel)?;
    let to = Destination {
        conversation,
        thread: text(arguments, "threadId")
            .map(str::to_owned)
            .or_else(|| at_hand.and_then(|r| r.to.thread.clone())),
        reply_to: text(arguments, "replyTo").map(str::to_owned),
    };
    let words = snapshot.redactor().redact(words);
    let text = if reach == Reach::Own { words } else { marked(&place.config, &call.caller, &words) };
    Ok(Order { route: Route { channel, account, to }, text, reach })
}

/// The rules about conversations other than the one at hand.
fn permitted(config: &Node, reach: Reach, channel: &ChannelId) -> Result<(), Forbidden> {
    if config.path(&["channels", channel.as_str()]).is_none() {
        return Err(forbidden("no-channel", None, format!("channels.{channel} is not configured")));
    }
    let at = |name: &str| config.path(&["tools", "message", "crossContext", name]);
    // What is there and no truth value permits nothing.
    let on = |name: &str, unset: bool| at(name).map_or(unset, |n| n.as_bool() == Some(true));
    let older =
        config.path(&["tools", "message", "allowCrossContextSend"]).and_then(Node::as_bool) == Some(true);
    match reach {
        Reach::Own => Ok(()),
        Reach::SameChannel if older || on("allowWithinProvider", true) => Ok(()),
        Reach::SameChannel => Err(forbidden(
            "cross-context",
            Some("tools.message.crossContext.allowWithinProvider"),
            "from here messages go to this conversation alone",
        )),
        Reach::OtherChannel if older || on("allowAcrossProviders", false) => Ok(()),
        Reach::OtherChannel => Err(forbidden(
            "cross-context",
            Some("tools.message.crossContext.allowAcrossProviders"),
            "from here messages do not go to another channel",
        )),
    }
}

/// Channels that tool lists name (tool-policy 2.2).
fn scoped(snapshot: &Snapshot, caller: &Caller, channel: &ChannelId) -> Result<(), Forbidden> {
    let refused = |why: String| forbidden("channel-scope", None, why);
    let stack = snapshot.policy().stack(&caller.context()).map_err(|e| refused(e.to_string()))?;
    let filtered = stack.filter(&[Tool::core("message")]);
    if filtered.message_scope().permits(channel.as_str()) {
        Ok(())
    } else {
        Err(refused(format!("the tool lists of this session keep `message` away from {channel}")))
    }
}

/// The send policy. Of a conversation that is not at hand the kind is not known, so a refusal of any kind counts (SP-415).
fn delivered(
    place: &Place,
    caller: &Caller,
    own: Option<&Own>,
    reach: Reach,
    channel: &ChannelId,
) -> Result<(), Forbidden> {
    let unclear = |why: String| forbidden("send-policy", None, why);
    let own = own.ok_or_else(|| unclear("the session cannot be read".to_owned()))?;
    let rules = Rules::new(place.config.clone())
        .map_err(|_| unclear("the access rules cannot be used".to_owned()))?;
    let session = SessionKey::parse(&caller.session).map_err(|e| unclear(e.to_string()))?;
    let kinds: &[ConversationKind] = match reach {
        Reach::Own => std::slice::from_ref(&caller.conversation),
        Reach::SameChannel | Reach::OtherChannel => &ANY_KIND,
    };
    for kind in kinds {
        rules.may_deliver(&session, channel, *kind, own.send).map_err(|key| Forbidden {
            rule: "send-policy",
            key: Some(key),
            why: "delivery is switched off for this session".to_owned(),
        })?;
    }
    Ok(())
}

/// The text with a mark of where it comes from (`tools.message.crossContext.marker`).
fn marked(config: &Node, caller: &Caller, words: &str) -> String {
    let at = |name: &str| config.path(&["tools", "message", "crossContext", "marker", name]);
    if at("enabled").and_then(Node::as_bool) == Some(false) {
        return words.to_owned();
    }
    let channel = caller.channel.as_deref().unwrap_or("another session");
    let part = |name: &str| at(name).and_then(Node::as_str).map(|t| t.replace("{channel}", channel));
    let prefix = part("prefix").unwrap_or_else(|| format!("[from {channel}] "));
    format!("{prefix}{words}{}", part("suffix").unwrap_or_default())
}
