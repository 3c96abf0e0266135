//! Inbound access: may this message reach an agent, and as what? (channels 1 to 5)
//!
//! [`AccessPolicy::decide`] takes a message, the approved senders and the pending requests as data, and gives a [`Decision`]: an
//! [`Admission`] that only this module can make, or the reason why there is none, with every rule that was consulted. It has no effects;
//! an adapter downloads, stores or answers nothing before it has an admission (SP-400).
//!
//! Order: switched off, own messages, other bots; direct or room rules; routing; command gate; mention gate.

use std::sync::Arc;

use oc_types::{AgentId, DecidedBy, Effect, KeyPath, Node, Trace};

use crate::command::gate::CommandGrant;
use crate::inbound::{ConversationId, ConversationKind, EventKind, Inbound};
use crate::routing::Router;
use crate::session_key::SessionKey;

mod account;
mod after;
mod approving;
mod direct;
pub mod explain;
mod identity;
mod pairing;
mod place;
mod reason;
mod room;
mod rules;
mod sender_list;
mod settings;
#[cfg(test)]
mod tests;
mod validate;

pub use account::{AccountSettings, count};
pub use approving::{lists_people, may_be_heard};
pub use explain::explain_message;
pub use identity::store_entry;
pub use pairing::{
    Approved, MAX_PENDING, PairingNotice, PairingView, PendingRequest, REQUEST_LIFETIME_MS, is_expired,
};
pub use reason::Reason;
use rules::AccessIndex;
pub use rules::AccessRules;
pub use validate::{AccessIssue, validate};

pub(crate) use identity::whatsapp_number;
use identity::{Family, SenderKeys};
pub(crate) use settings::Settings;
use settings::Steps;

/// Leave to compare names: only `dangerouslyAllowNameMatching: true` at the channel or its account makes one (SP-402).
#[derive(Debug)]
pub struct NameMatching(());

impl NameMatching {
    fn from_settings(settings: &Settings<'_>) -> Option<Self> {
        settings.is_on("dangerouslyAllowNameMatching").then_some(Self(()))
    }
}

/// The access rules of a configuration.
#[derive(Debug)]
pub struct AccessPolicy<'a> {
    config: &'a Node,
    router: Router<'a>,
    index: Arc<AccessIndex>,
}

/// A message that may go to an agent. Only [`AccessPolicy::decide`] makes one.
#[derive(Clone, Debug)]
pub struct Admission {
    conversation: ConversationId,
    kind: ConversationKind,
    agent: AgentId,
    session_key: SessionKey,
    commands: CommandGrant,
    meant: Option<bool>,
    named: Option<bool>,
}

impl Admission {
    /// The conversation that was authorised; replies go there and nowhere else (SP-418).
    #[must_use]
    pub fn conversation(&self) -> &ConversationId {
        &self.conversation
    }

    /// Direct chat or room.
    #[must_use]
    pub fn kind(&self) -> ConversationKind {
        self.kind
    }

    /// The agent that answers.
    #[must_use]
    pub fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// The session it belongs to.
    #[must_use]
    pub fn session_key(&self) -> &SessionKey {
        &self.session_key
    }

    /// Whether the sender may use commands. In a direct chat without that right commands are ignored.
    #[must_use]
    pub fn commands(&self) -> CommandGrant {
        self.commands
    }

    /// In a room: whether the message counts as meant for the bot. `None` in direct chats.
    #[must_use]
    pub fn effective_was_mentioned(&self) -> Option<bool> {
        self.meant
    }

    /// In a room: whether the bot is named or answered to, so without commands that pass the mention gate by themselves. `None` in direct
    /// chats.
    #[must_use]
    pub fn was_named(&self) -> Option<bool> {
        self.named
    }
}

/// What becomes of a message.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It goes to an agent.
    Allow(Admission),
    /// It reaches nobody; the sender may ask to be let in.
    Pairing(PairingNotice),
    /// It is not answered, and kept as pending context of the room.
    ContextOnly(Reason),
    /// It is dropped.
    Drop(Reason),
}

impl Outcome {
    /// The stable word: `allow`, `pairing`, `context_only`, `drop`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Allow(_) => "allow",
            Self::Pairing(_) => "pairing",
            Self::ContextOnly(_) => "context_only",
            Self::Drop(_) => "drop",
        }
    }

    /// Why it is not `allow`.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Allow(_) => None,
            Self::Pairing(_) => Some(Reason::DmPairingRequired),
            Self::ContextOnly(reason) | Self::Drop(reason) => Some(*reason),
        }
    }
}

/// The outcome, the rule that decided and every rule consulted.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What becomes of the message.
    pub outcome: Outcome,
    /// More about the reason (an inert entry, an unreadable store); empty when there is none.
    pub detail: String,
    /// The rule that decided.
    pub decided_by: DecidedBy,
    /// All rules consulted, in order; empty in what [`AccessPolicy::judge`] gives.
    pub trace: Trace,
}

/// Layer, rule and key of the rule that let a message through.
type By = (&'static str, &'static str, KeyPath);

/// A stage that ends the message's way.
#[derive(Debug)]
struct Stop {
    outcome: Outcome,
    layer: &'static str,
    rule: &'static str,
    path: KeyPath,
    detail: String,
}

impl Stop {
    fn drop(reason: Reason, layer: &'static str, rule: &'static str, path: KeyPath) -> Box<Self> {
        Box::new(Self { outcome: Outcome::Drop(reason), layer, rule, path, detail: String::new() })
    }

    fn with(mut self: Box<Self>, detail: String) -> Box<Self> {
        self.detail = detail;
        self
    }
}

/// What the sender rules of a conversation yield for the gates that follow.
#[derive(Debug)]
struct Passed<'a> {
    commands: Vec<crate::command::gate::Authorizer>,
    when_off: crate::command::gate::WhenOff,
    /// The mention rule; `None` where none is asked (direct chats, group direct messages).
    mention: Option<MentionRule>,
    /// Senders of a Discord room that alone may go on, asked after the command gate.
    users: Option<(sender_list::SenderList<'a>, Reason)>,
    /// The rule that let it through.
    by: By,
}

/// Whether a mention is needed, and which key says so.
#[derive(Clone, Debug)]
struct MentionRule {
    required: bool,
    path: KeyPath,
}

/// Everything one decision looks at.
struct Case<'a, 'm> {
    settings: Settings<'a>,
    family: Family,
    message: &'m Inbound,
    pairing: &'m PairingView,
    /// The sender, with names only behind the break-glass key.
    sender: SenderKeys,
    steps: Steps<'a>,
}

impl<'a> AccessPolicy<'a> {
    /// Checks what access depends on and prepares the routing table.
    ///
    /// # Errors
    /// Every setting that makes the configuration unusable: unknown policy words, `open` without `"*"`, an unknown `dmScope`, a
    /// binding to an agent that does not exist is no issue here, it refuses the messages it would win (SP-120).
    pub fn new(config: &'a Node) -> Result<Self, Vec<AccessIssue>> {
        let mut issues = validate(config);
        match Router::new(config) {
            Ok(router) if issues.is_empty() => {
                let index = Arc::new(AccessIndex::of(router.index()));
                Ok(Self { config, router, index })
            }
            Ok(_) => Err(issues),
            Err(e) => {
                issues.push(AccessIssue {
                    path: KeyPath::dotted("session.dmScope"),
                    message: e.to_string(),
                    because: None,
                });
                Err(issues)
            }
        }
    }

    /// Decides about one message, and tells every rule that was consulted.
    #[must_use]
    pub fn decide(&self, message: &Inbound, pairing: &PairingView) -> Decision {
        self.decide_telling(message, pairing, Some(Trace::new()))
    }

    /// The same decision for whoever carries it out: the outcome and the rule that decided, without the trace, which costs more than the
    /// decision.
    #[must_use]
    pub fn judge(&self, message: &Inbound, pairing: &PairingView) -> Decision {
        self.decide_telling(message, pairing, None)
    }

    fn decide_telling(&self, message: &Inbound, pairing: &PairingView, trace: Option<Trace>) -> Decision {
        let settings = Settings::of(self.config, &message.channel, &message.account);
        let family = Family::of(&message.channel);
        let matching = NameMatching::from_settings(&settings);
        let sender = SenderKeys::of(family, message, matching.as_ref());
        let steps = Steps { config: self.config, trace };
        let mut case = Case { settings, family, message, pairing, sender, steps };
        let (outcome, layer, rule, path, detail) = match self.run(&mut case) {
            Ok((admission, (layer, rule, path))) => {
                (Outcome::Allow(admission), layer, rule, path, String::new())
            }
            Err(stop) => {
                let effect = match stop.outcome {
                    Outcome::Pairing(_) | Outcome::ContextOnly(_) => Effect::Holds,
                    Outcome::Drop(_) | Outcome::Allow(_) => Effect::Removes,
                };
                let reason = stop.outcome.reason().map_or("", Reason::explained);
                case.steps.add(stop.layer, stop.rule, effect, || {
                    let more = if stop.detail.is_empty() { "" } else { "; " };
                    (stop.path.clone(), format!("{reason}{more}{}", stop.detail))
                });
                (stop.outcome, stop.layer, stop.rule, stop.path, stop.detail)
            }
        };
        let by = settings::step(self.config, layer, rule, path, Effect::Keeps, String::new());
        Decision {
            outcome,
            detail,
            decided_by: DecidedBy {
                layer: by.layer,
                rule: by.rule,
                key_path: by.key_path,
                source: by.source,
                unset: by.unset,
            },
            trace: case.steps.trace.unwrap_or_default(),
        }
    }

    /// The session a message would belong to, were it admitted.
    #[must_use]
    pub fn session_of(&self, message: &Inbound) -> Option<SessionKey> {
        after::route_of(&self.router, message).ok().map(|r| r.session_key)
    }

    /// The agent a message would go to, were it admitted.
    pub(crate) fn agent_of(&self, message: &Inbound) -> Option<AgentId> {
        after::route_of(&self.router, message).ok().map(|r| r.agent)
    }

    fn run(&self, case: &mut Case<'a, '_>) -> Result<(Admission, By), Box<Stop>> {
        before(case)?;
        let passed = match case.message.kind {
            ConversationKind::Direct => direct::decide(case)?,
            ConversationKind::Group | ConversationKind::Channel => room::decide(case)?,
            ConversationKind::Unknown => {
                // SP-415: both rule sets must let it through, and nobody is offered pairing.
                direct::decide(case).map_err(|mut stop| {
                    stop.outcome = Outcome::Drop(stop.outcome.reason().unwrap_or(Reason::DmDisabled));
                    stop
                })?;
                room::decide(case)?
            }
        };
        after::decide(self, case, passed)
    }
}

/// What is refused whoever the sender is.
fn before(case: &mut Case<'_, '_>) -> Result<(), Box<Stop>> {
    if let Some(switch) = case.settings.switched_off() {
        return Err(Stop::drop(Reason::ChannelDisabled, "channel", "enabled", switch.path()));
    }
    let section = || KeyPath::dotted("channels").key(case.message.channel.as_str());
    if case.message.event == EventKind::Unknown {
        return Err(Stop::drop(Reason::EventUnknown, "transport", "event", section()));
    }
    if case.message.from_me && !case.is_self_chat() {
        return Err(Stop::drop(Reason::FromMe, "transport", "own-message", section()));
    }
    if case.message.sender.is_bot {
        let mut allowed = case.settings.get("allowBots");
        if case.family == Family::Slack
            && let Some(entry) = room::slack_entry(case)
            && entry.get("allowBots").is_set()
        {
            allowed = entry.get("allowBots");
        }
        if allowed.as_bool() != Some(true) {
            return Err(Stop::drop(Reason::BotMessage, "transport", "allowBots", allowed.path()));
        }
        case.steps.add("transport", "allowBots", Effect::Keeps, || {
            (allowed.path(), "messages of other bots are let in")
        });
    }
    Ok(())
}

impl<'a> Case<'a, '_> {
    /// The owner writing to the bot's own WhatsApp number.
    fn is_self_chat(&self) -> bool {
        self.family == Family::WhatsApp
            && self.message.kind == ConversationKind::Direct
            && self.message.self_phone.is_some()
            && identity::phone_of(self.family, self.message.conversation.as_str()) == self.message.self_phone
    }

    fn list(&self, setting: &settings::Setting<'a>) -> sender_list::SenderList<'a> {
        sender_list::SenderList::of(setting, self.family)
    }

    fn config(&self) -> &'a Node {
        self.settings.config
    }
}
