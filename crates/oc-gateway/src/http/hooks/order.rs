//! What a request of a hook comes to: a text, where it is heard, where the answer goes. Pure.

use std::time::Duration;

use oc_agent::turn::said::HookForm;
use oc_text::external::ExternalSource;
use serde::Deserialize;

/// Longest text, in characters.
const LONGEST: usize = 200_000;
/// Longest time that can be asked for.
const LONGEST_TIME: Duration = Duration::from_secs(3600);

/// Who named a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Nobody.
    Nobody,
    /// The request.
    Request(String),
    /// The configuration.
    Owner(String),
    /// The configuration, with parts that the request filled in.
    Filled(String),
}

/// Who named a recipient, and whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recipient {
    /// Where the session's conversation is, when it is one.
    Last,
    /// The configuration.
    Owner {
        /// The channel.
        channel: String,
        /// The conversation.
        to: String,
    },
    /// The request had a part in it: only conversations that there were already.
    Request {
        /// The channel.
        channel: String,
        /// The conversation.
        to: String,
    },
}

/// A turn that a hook asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// What the hook says.
    pub text: String,
    /// Its name.
    pub name: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// The session.
    pub session: Named,
    /// Where the text comes from.
    pub from: ExternalSource,
    /// Whether it is in an envelope.
    pub form: HookForm,
    /// Who gets the answer; `None`: nobody.
    pub recipient: Option<Recipient>,
    /// How long it may take.
    pub timeout: Option<Duration>,
}

impl Order {
    /// A text in an envelope, for the session of hooks.
    pub(super) fn of(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            name: None,
            agent: None,
            session: Named::Nobody,
            from: ExternalSource::Webhook,
            form: HookForm::Fenced,
            recipient: Some(Recipient::Last),
            timeout: None,
        }
    }

    /// Whether its text can be taken.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if self.text.trim().is_empty() || self.text.chars().count() > LONGEST {
            return Err("the message is a text of 1 to 200000 characters");
        }
        Ok(())
    }
}

/// Seconds as a time.
pub(super) fn time(seconds: Option<u64>) -> Option<Duration> {
    seconds.map(|s| Duration::from_secs(s).clamp(Duration::from_secs(1), LONGEST_TIME))
}

/// The body of `POST <hooks.path>/agent`. Members that are not here are passed over: model and thinking are the agent's own, and what is
/// safe to believe is the owner's to say.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    message: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    agent_id: Option<String>,
    #[serde(default)]
    session_key: Option<String>,
    #[serde(default)]
    deliver: Option<bool>,
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    timeout_seconds: Option<u64>,
}

impl Body {
    /// As an order.
    pub(super) fn order(self) -> Order {
        let full = |text: Option<String>| text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        let recipient = match (full(self.channel), full(self.to)) {
            _ if self.deliver == Some(false) => None,
            (Some(channel), Some(to)) if channel != "last" => Some(Recipient::Request { channel, to }),
            _ => Some(Recipient::Last),
        };
        Order {
            name: full(self.name),
            // A blank one is refused where it is looked for; it does not mean the default agent (SP-120).
            agent: self.agent_id,
            session: full(self.session_key).map_or(Named::Nobody, Named::Request),
            recipient,
            timeout: time(self.timeout_seconds),
            ..Order::of(&self.message)
        }
    }
}
