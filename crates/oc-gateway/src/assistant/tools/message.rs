//! `message`: a text to a conversation of a chat account (agent-runtime 3).
//!
//! The conversation at hand needs no rule. Another one of the same channel, and one of another channel, need
//! `tools.message.crossContext.allowWithinProvider` and `.allowAcrossProviders`; what goes there says where it comes from. A target is an id
//! of the service and never a name (SP-402, SP-418), and an account that is switched off sends nothing (SP-423).

mod plan;
mod target;
#[cfg(test)]
mod tests;

use std::sync::Weak;

use oc_channels::inbox::Route;
use oc_channels::turn::Reply;
use oc_policy::sandbox::SandboxPlan;
use oc_sandbox::executor::{ExecutorError, Pending, Place as Where};
use oc_sandbox::gate::{
    Caller, Forbidden, Handled, Judging, Outcome, Snapshot, ToolCall, ToolHandler, ToolResult,
};
use serde_json::{Map, Value, json};

use super::{pretty, text};
use crate::server::state::Gateway;
pub use plan::{Order, Own, Reach, judge, own_now as whereabouts, route, route_back};
pub use target::conversation;

/// Longest text, in characters.
const LONGEST: usize = 20_000;
/// What is not sent.
const FILES: [&str; 8] =
    ["media", "path", "buffer", "filePath", "mediaUrl", "mediaUrls", "attachments", "file"];

/// The call with the conversation written out that it goes to.
fn meaning(mut call: ToolCall, order: &Order) -> ToolCall {
    for other in ["to", "targets"] {
        call.arguments.remove(other);
    }
    let Route { channel, account, to } = &order.route;
    for (name, value) in
        [("channel", channel.as_str()), ("accountId", account.as_str()), ("target", to.conversation.as_str())]
    {
        call.arguments.insert(name.to_owned(), value.into());
    }
    call
}

/// The handler.
#[derive(Debug)]
pub struct Message {
    gateway: Weak<Gateway>,
}

impl Message {
    /// Over a gateway.
    #[must_use]
    pub fn new(gateway: Weak<Gateway>) -> Self {
        Self { gateway }
    }

    /// Where the message of a call goes, or the rule that refuses. Without a gateway nothing is permitted.
    async fn judged(&self, snapshot: &Snapshot, call: &ToolCall) -> Result<Order, Forbidden> {
        let gateway = self.gateway.upgrade().ok_or_else(|| Forbidden {
            rule: "stopping",
            key: None,
            why: "the gateway is stopping".to_owned(),
        })?;
        let place = gateway.snapshot().place();
        let own = plan::own(place.clone(), &call.caller).await;
        plan::judge(&place, snapshot, call, own.as_ref())
    }
}

/// The text, when the arguments can be used.
fn checked(arguments: &Map<String, Value>) -> Result<&str, String> {
    match text(arguments, "action") {
        None => return Err("`action` is missing".to_owned()),
        Some("send") => {}
        Some(_) => return Err("`action`: only `send` is carried out".to_owned()),
    }
    if let Some(name) = FILES.into_iter().find(|n| arguments.get(*n).is_some_and(|v| !v.is_null())) {
        return Err(format!("`{name}`: files are not sent; send a text"));
    }
    let words = text(arguments, "message").ok_or("`message` is missing")?;
    if words.chars().count() > LONGEST {
        return Err(format!("`message` has more than {LONGEST} characters"));
    }
    if oc_channels::delivery::is_silent(words) {
        return Err("`message` is a word that is never sent".to_owned());
    }
    Ok(words)
}

impl ToolHandler for Message {
    fn tool(&self) -> &str {
        "message"
    }

    fn check(&self, call: &ToolCall) -> Result<(), String> {
        checked(&call.arguments)?;
        target::named(&call.arguments).map(drop)
    }

    fn forbids<'a>(
        &'a self,
        call: &'a ToolCall,
        snapshot: &'a Snapshot,
        _: Option<&'a SandboxPlan>,
    ) -> Judging<'a> {
        Box::pin(async move { self.judged(snapshot, call).await.err() })
    }

    fn forbids_behind<'a>(
        &'a self,
        call: &'a ToolCall,
        who: &'a Caller,
        snapshot: &'a Snapshot,
        _: Option<&'a SandboxPlan>,
    ) -> Judging<'a> {
        Box::pin(async move {
            // They are asked about the place that the call means, and not about the one that they would mean.
            let theirs = match self.judged(snapshot, call).await {
                Ok(order) => meaning(call.by(who), &order),
                Err(forbidden) => return Some(forbidden),
            };
            self.judged(snapshot, &theirs).await.err()
        })
    }

    fn run<'a>(&'a self, handled: Handled<'a>) -> Pending<'a, ToolResult> {
        Box::pin(async move {
            let gone =
                |cause: &str| ExecutorError::Unavailable { place: Where::Gateway, cause: cause.to_owned() };
            let gateway = self.gateway.upgrade().ok_or_else(|| gone("the gateway is stopping"))?;
            let place = gateway.snapshot().place();
            let own = plan::own(place.clone(), &handled.call.caller).await;
            let order = match plan::judge(&place, handled.snapshot, handled.call, own.as_ref()) {
                Ok(order) => order,
                Err(forbidden) => return Ok(ToolResult::text(Outcome::Failed, forbidden.why)),
            };
            let to = format!("{}:{}", order.route.channel, order.route.to.conversation.as_str());
            if handled.call.arguments.get("dryRun").and_then(Value::as_bool) == Some(true) {
                let shown =
                    json!({ "dryRun": true, "to": to, "account": order.route.account, "text": order.text });
                return Ok(ToolResult::text(Outcome::Done, pretty(&shown)));
            }
            let channels = gateway.channels().ok_or_else(|| gone("no chat is served by this gateway"))?;
            let sent = channels.ingress().say(&order.route, &Reply::text(order.text)).await;
            Ok(match sent {
                Ok(sent) => {
                    let id = sent.into_iter().filter_map(|s| s.id).next_back();
                    let told = json!({ "sent": true, "to": to, "messageId": id });
                    ToolResult::text(Outcome::Done, pretty(&told)).with("to", to)
                }
                Err(why) => {
                    ToolResult::text(Outcome::Failed, format!("it was not sent: {why}")).with("to", to)
                }
            })
        })
    }
}
