//! What chat commands change about a session. The store belongs to the gateway; a change touches the one session and no configuration.

use std::fmt;

use oc_policy::command::exec::ExecDirective;
use oc_policy::elevated::Level;
use oc_policy::session_key::SessionKey;
use thiserror::Error;

use crate::adapter::Pending;

/// `/verbose`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verbose {
    /// Nothing about tools.
    Off,
    /// That tools run.
    On,
    /// What they gave, too.
    Full,
}

/// `/reasoning`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reasoning {
    /// Not shown.
    Off,
    /// Shown.
    On,
    /// Shown while it comes.
    Stream,
}

/// `/send`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SendOverride {
    /// Deliver, whatever `session.sendPolicy` says.
    Allow,
    /// Deliver nothing.
    Deny,
    /// As configured.
    Inherit,
}

/// `/queue`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueueMode {
    /// What arrives while a turn runs becomes one turn.
    Collect,
    /// Each message becomes a turn of its own.
    Followup,
    /// Handed to the running turn; queued when it takes nothing.
    Steer,
    /// Handed to the running turn and answered again afterwards.
    SteerBacklog,
    /// Ends the running turn.
    Interrupt,
}

impl QueueMode {
    /// Reads a word of the configuration or of `/queue`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "collect" => Self::Collect,
            "followup" | "follow-up" | "queue" => Self::Followup,
            "steer" => Self::Steer,
            "steer-backlog" | "steer+backlog" => Self::SteerBacklog,
            "interrupt" | "abort" => Self::Interrupt,
            _ => return None,
        })
    }

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Collect => "collect",
            Self::Followup => "followup",
            Self::Steer => "steer",
            Self::SteerBacklog => "steer-backlog",
            Self::Interrupt => "interrupt",
        }
    }
}

/// What is set in a session; `None`: as configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionView {
    /// `thinkingLevel`.
    pub think: Option<String>,
    /// `verboseLevel`.
    pub verbose: Option<Verbose>,
    /// `reasoningLevel`.
    pub reasoning: Option<Reasoning>,
    /// `elevatedLevel`.
    pub elevated: Option<Level>,
    /// `execHost`.
    pub exec_host: Option<String>,
    /// `execSecurity`.
    pub exec_security: Option<String>,
    /// `execAsk`.
    pub exec_ask: Option<String>,
    /// `execNode`.
    pub exec_node: Option<String>,
    /// `modelOverride`, as `provider/model`.
    pub model: Option<String>,
    /// `groupActivation`: `Some(true)` a mention is needed, `Some(false)` it is not.
    pub mention_needed: Option<bool>,
    /// `sendPolicy`.
    pub send: Option<SendOverride>,
    /// `queueMode`.
    pub queue: Option<QueueMode>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingChange {
    /// Thinking level, a word the runtime knows; `None` removes it.
    Think(Option<String>),
    /// Verbose level.
    Verbose(Verbose),
    /// Reasoning level.
    Reasoning(Reasoning),
    /// Elevated level.
    Elevated(Level),
    /// Defaults of `exec`; members that are `None` stay.
    Exec(ExecDirective),
    /// Model; `None` is the configured one.
    Model(Option<String>),
    /// Whether a mention is needed in this room.
    MentionNeeded(bool),
    /// Delivery.
    Send(SendOverride),
    /// Queue mode; `None` is the configured one.
    Queue(Option<QueueMode>),
}

/// Why a setting was not changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingsFailure {
    /// The value means nothing to the runtime.
    #[error("{0}")]
    Value(String),
    /// The store cannot be used now.
    #[error("the session store cannot be used now")]
    Unavailable,
}

/// The settings of sessions.
pub trait SessionSettings: fmt::Debug + Send + Sync {
    /// What is set.
    fn view<'a>(&'a self, session: &'a SessionKey) -> Pending<'a, SessionView>;
    /// Changes one setting of one session.
    fn change<'a>(
        &'a self,
        session: &'a SessionKey,
        change: SettingChange,
    ) -> Pending<'a, Result<(), SettingsFailure>>;
    /// Begins a new conversation in the session: a new transcript, counters at zero, session values of `exec` and elevation gone (SP-115).
    fn renew<'a>(&'a self, session: &'a SessionKey) -> Pending<'a, Result<(), SettingsFailure>>;
    /// Shortens the conversation's beginning to a summary.
    fn compact<'a>(
        &'a self,
        session: &'a SessionKey,
        wish: Option<String>,
    ) -> Pending<'a, Result<String, SettingsFailure>>;
    /// What `/status` shows beyond the settings: model, tokens, sandbox. Lines of text.
    fn status<'a>(&'a self, session: &'a SessionKey) -> Pending<'a, Vec<String>>;
}
