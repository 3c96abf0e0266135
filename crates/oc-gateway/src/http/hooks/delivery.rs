//! Where the answer to a hook goes, and whether it may: the send policy of the conversation that it goes to, and of the session that it
//! comes from (SP-415).

use oc_channels::adapter::Destination;
use oc_channels::inbox::Route;
use oc_channels::rules::Rules;
use oc_channels::session_settings::SendOverride;
use oc_policy::inbound::ConversationId;
use oc_policy::session_key::SessionKey;
use oc_types::{AccountId, AgentId, ChannelId, KeyPath};
use serde_json::Value;

use super::order::Recipient;
use crate::assistant::session_view::{ANY_KIND, send_of};
use crate::methods::Place;

/// An answer's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    /// Where it goes.
    pub route: Route,
    /// The sessions that are asked: that of the hook, and those of the conversation.
    sessions: Vec<Asked>,
}

/// A session that is asked whether an answer may go out.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    key: SessionKey,
    /// What the session itself says.
    own: Option<SendOverride>,
}

impl Delivery {
    /// Where an answer goes; `None`: nowhere, there is no conversation. Reads the session store; not for the reactor.
    ///
    /// # Errors
    /// Why it goes nowhere though somebody is named.
    pub(super) fn of(
        place: &Place,
        agent: &AgentId,
        key: &str,
        recipient: &Recipient,
    ) -> Result<Option<Self>, &'static str> {
        let all = place.store(agent).read().map_err(|_| "the session store cannot be read")?;
        let chats = || all.iter().filter_map(|(key, entry)| Chat::of(key, entry));
        let found = match recipient {
            Recipient::Owner { channel, to } => Chat {
                key: "",
                channel: channel.clone(),
                to: to.clone(),
                account: AccountId::DEFAULT.to_owned(),
                thread: None,
            },
            Recipient::Last => match chats().find(|chat| chat.key == key) {
                Some(found) => found,
                None => return Ok(None),
            },
            Recipient::Request { channel, to } => {
                // The conversation itself before a thread of it.
                let same = chats().filter(|chat| chat.channel == *channel && chat.to == *to);
                same.min_by_key(|chat| chat.thread.is_some())
                    .ok_or("the recipient that the request names has had no conversation with this agent")?
            }
        };
        let of_it = chats().filter(|chat| chat.is_in(&found)).map(|chat| chat.key);
        let mut keys: Vec<&str> = std::iter::once(key).chain(of_it).collect();
        keys.dedup();
        let asked = |key: &str| {
            let parsed = SessionKey::parse(key).map_err(|_| "a session key in the store is not right")?;
            Ok(Asked { key: parsed, own: all.get(key).and_then(own) })
        };
        let sessions = keys.into_iter().map(asked).collect::<Result<_, &'static str>>()?;
        let channel = ChannelId::parse(&found.channel).map_err(|_| "the channel is not known")?;
        let to = Destination {
            conversation: ConversationId::new(&found.to),
            thread: found.thread,
            reply_to: None,
        };
        Ok(Some(Self { route: Route { channel, account: found.account, to }, sessions }))
    }

    /// Whether the send policy lets it go: of a conversation whose kind is not known a refusal of any kind counts.
    ///
    /// # Errors
    /// What refuses.
    pub(super) fn permitted(&self, rules: &Rules) -> Result<(), KeyPath> {
        for Asked { key, own } in &self.sessions {
            for kind in ANY_KIND {
                rules.may_deliver(key, &self.route.channel, kind, *own)?;
            }
        }
        Ok(())
    }
}

/// A session that is a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Chat<'s> {
    key: &'s str,
    channel: String,
    to: String,
    account: String,
    thread: Option<String>,
}

impl<'s> Chat<'s> {
    fn of(key: &'s str, entry: &Value) -> Option<Self> {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        let (channel, to) = (text("lastChannel")?, text("lastTo")?);
        let thread = entry.get("lastThreadId").and_then(id).or_else(|| {
            let context = entry.get("deliveryContext")?;
            let is = |name: &str, wanted: &str| context.get(name).and_then(Value::as_str) == Some(wanted);
            (is("channel", &channel) && is("to", &to)).then(|| context.get("threadId").and_then(id))?
        });
        let account = text("lastAccountId").unwrap_or_else(|| AccountId::DEFAULT.to_owned());
        Some(Self { key, channel, to, account, thread })
    }

    /// Whether it is in the same conversation: the same thread of it, or any when the other one is in none.
    fn is_in(&self, other: &Chat<'_>) -> bool {
        (&self.channel, &self.to, &self.account) == (&other.channel, &other.to, &other.account)
            && (other.thread.is_none() || self.thread == other.thread)
    }
}

/// The id of a thread: a text, or the number that other programs write.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|t| !t.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What an entry says about being answered. One that is no object refuses.
fn own(entry: &Value) -> Option<SendOverride> {
    entry.as_object().map_or(Some(SendOverride::Deny), send_of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::transcripts::place;
    use serde_json::json;
    use std::sync::Arc;

    const GROUP: &str = "agent:main:telegram:group:-700";
    const HOOK: &str = "agent:main:hook:x";

    /// The way of an answer, with these entries in the store, and what the policy says of it.
    fn sent(policy: &Value, entries: &Value, wanted: &Recipient) -> Result<Option<Route>, String> {
        let tmp = tempfile::tempdir().unwrap();
        let here = place(tmp.path(), json!({"session": {"sendPolicy": policy}}));
        let file = here.locations.state_dir.join("agents/main/sessions/sessions.json");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, entries.to_string()).unwrap();
        let found = Delivery::of(&here, &AgentId::normalized("main"), HOOK, wanted)?;
        let Some(found) = found else { return Ok(None) };
        let rules = Rules::new(Arc::clone(&here.config)).unwrap();
        found.permitted(&rules).map(|()| Some(found.route)).map_err(|key| key.to_string())
    }

    fn chat(more: &Value) -> Value {
        let mut entry = json!({"sessionId": "s", "updatedAt": 1, "lastChannel": "telegram", "lastTo": "-700", "chatType": "group"});
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        entry
    }

    fn deny(fit: &Value) -> Value {
        json!({"rules": [{"action": "deny", "match": fit}]})
    }

    fn named() -> [Recipient; 2] {
        let (channel, to) = ("telegram".to_owned(), "-700".to_owned());
        [Recipient::Owner { channel: channel.clone(), to: to.clone() }, Recipient::Request { channel, to }]
    }

    #[test]
    fn sp_415_the_send_policy_of_the_conversation_counts_for_the_answer_to_a_hook() {
        let plain = json!({GROUP: chat(&json!({}))});
        let told = json!({GROUP: chat(&json!({"sendPolicy": "deny"}))});
        let odd = json!({GROUP: chat(&json!({"sendPolicy": 5}))});
        let own = json!({GROUP: chat(&json!({})), HOOK: {"sessionId": "h", "sendPolicy": "deny"}});
        let freed = json!({GROUP: chat(&json!({"sendPolicy": "allow"}))});
        for wanted in named() {
            assert!(sent(&json!({}), &plain, &wanted).unwrap().is_some());
            for kind in ["group", "direct", "channel"] {
                let refused = sent(&deny(&json!({"chatType": kind})), &plain, &wanted);
                assert_eq!(refused.unwrap_err(), "session.sendPolicy.rules[0]", "{wanted:?} {kind}");
            }
            let prefix = deny(&json!({"keyPrefix": "telegram:group:"}));
            assert_eq!(sent(&prefix, &plain, &wanted).unwrap_err(), "session.sendPolicy.rules[0]");
            assert!(sent(&prefix, &freed, &wanted).unwrap().is_some(), "the session itself says allow");
            let hooks = deny(&json!({"keyPrefix": "hook:"}));
            assert!(sent(&hooks, &freed, &wanted).is_err(), "nothing of a hook goes out");
            for entries in [&told, &odd, &own] {
                assert_eq!(sent(&json!({}), entries, &wanted).unwrap_err(), "sendPolicy", "{entries}");
            }
        }
        let broken = sent(&json!({}), &json!([]), &named()[0]);
        assert_eq!(broken.unwrap_err(), "the session store cannot be read");
        let last = json!({HOOK: chat(&json!({"sendPolicy": "deny"}))});
        assert_eq!(sent(&json!({}), &last, &Recipient::Last).unwrap_err(), "sendPolicy");
    }

    #[test]
    fn an_answer_goes_to_the_thread_that_the_conversation_is_in() {
        let thread = |entry: Value, wanted: &Recipient| {
            sent(&json!({}), &entry, wanted).unwrap().map(|route| route.to.thread)
        };
        let [owner, request] = named();
        for (more, at) in [
            (json!({"lastThreadId": "7"}), Some("7".to_owned())),
            (json!({"lastThreadId": 7}), Some("7".to_owned())),
            (
                json!({"deliveryContext": {"channel": "telegram", "to": "-700", "threadId": "8"}}),
                Some("8".to_owned()),
            ),
            (json!({"deliveryContext": {"channel": "telegram", "to": "-701", "threadId": "8"}}), None),
            (json!({}), None),
        ] {
            assert_eq!(thread(json!({HOOK: chat(&more)}), &Recipient::Last), Some(at.clone()), "{more}");
            assert_eq!(thread(json!({GROUP: chat(&more)}), &request), Some(at), "{more}");
            assert_eq!(thread(json!({GROUP: chat(&more)}), &owner), Some(None), "{more}");
        }
        let two = json!({
            "agent:main:telegram:group:-700:topic:7": chat(&json!({"lastThreadId": "7", "sendPolicy": "deny"})),
            GROUP: chat(&json!({})),
        });
        assert!(sent(&json!({}), &two, &request).is_err(), "one of them is not to be answered");
        assert_eq!(thread(json!({"agent:main:main": {"sessionId": "s"}}), &Recipient::Last), None);
        assert!(sent(&json!({}), &json!({}), &request).is_err());
    }
}
