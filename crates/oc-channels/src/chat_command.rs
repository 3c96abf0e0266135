//! Commands of a chat: recognised text as a typed value, and who may use it (channels 6).
//!
//! Recognition and the channel's gate are `oc-policy`'s; here is what each command means, and what its sender needs beyond the gate.

use oc_policy::command::CommandText;
use oc_policy::command::approve::{ApproveText, approve_text};
use oc_policy::command::exec::{ExecDirective, exec_directive};
use oc_policy::elevated::Level;
use oc_policy::owner_only::Ownership;
use oc_types::Node;

use crate::session_settings::{QueueMode, Reasoning, SendOverride, Verbose};
use crate::turn::Authority;

mod desk;
mod inline;
#[cfg(test)]
mod tests;
mod words;

pub use desk::{Asker, CommandDesk, Done};
pub use inline::{Inline, inline};

/// The argument of a command that shows or sets something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg<T> {
    /// None: show what is set.
    Show,
    /// A value.
    Set(T),
    /// A word that is no value: it changes nothing.
    Wrong(String),
}

impl<T> Arg<T> {
    fn read(rest: &str, parse: impl Fn(&str) -> Option<T>) -> Self {
        let word = rest.trim();
        if word.is_empty() {
            return Self::Show;
        }
        parse(&word.to_ascii_lowercase())
            .map_or_else(|| Self::Wrong(word.chars().take(40).collect()), Self::Set)
    }
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatCommand {
    /// `/help`
    Help,
    /// `/commands`
    Commands,
    /// `/whoami`
    Whoami,
    /// `/status`
    Status,
    /// `/approve`, `/deny`
    Approve(ApproveText),
    /// `/stop` or an abort word.
    Stop,
    /// `/new`, `/reset`: a new conversation; what follows is its first message.
    New {
        /// The first message; may be empty.
        rest: String,
    },
    /// `/compact`
    Compact {
        /// What the summary shall keep.
        wish: Option<String>,
    },
    /// `/activation mention|always`: whether a mention is needed in this room.
    Activation(Arg<bool>),
    /// `/send on|off|inherit`
    Send(Arg<SendOverride>),
    /// `/think LEVEL`
    Think(Arg<String>),
    /// `/verbose on|full|off`
    Verbose(Arg<Verbose>),
    /// `/reasoning on|off|stream`
    Reasoning(Arg<Reasoning>),
    /// `/elevated on|off|ask|full`
    Elevated(Arg<Level>),
    /// `/exec host= security= ask= node=`
    Exec(ExecDirective),
    /// `/model NAME|default`
    Model(Arg<Option<String>>),
    /// `/queue MODE|default`
    Queue(Arg<Option<QueueMode>>),
    /// A command that this product does not carry out in a chat; the reply says where it is to be had.
    Elsewhere(&'static str),
}

/// What a sender needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Needs {
    /// The right to use commands here.
    Commands,
    /// To be an owner as well, by an entry that names them (SP-408, SP-413).
    Owner,
}

/// Why a command is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommandRefusal {
    /// The sender may not use commands here: nothing is said.
    Unauthorized,
    /// Only an owner may.
    NotOwner,
    /// Only in rooms.
    NotARoom,
    /// In a room without naming the bot only what narrows counts.
    NotNamed,
}

/// Where and as whom a command is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The sender's rights.
    pub authority: Authority,
    /// In a room.
    pub room: bool,
    /// In a room: the bot is named or answered to.
    pub named: bool,
}

/// The names of commands that have their place elsewhere.
const ELSEWHERE: [&str; 14] = [
    "skill",
    "allowlist",
    "context",
    "tts",
    "subagents",
    "config",
    "debug",
    "usage",
    "restart",
    "models",
    "bash",
    "dock-telegram",
    "dock-discord",
    "dock-slack",
];

impl ChatCommand {
    /// Reads a recognised text. `None`: it is no command.
    #[must_use]
    pub fn read(text: &CommandText) -> Option<Self> {
        if text.abort {
            return Some(Self::Stop);
        }
        // `/deny` belongs to the product's own vocabulary and is no key of the table.
        if let Some(approve) = approve_text(&text.normalized) {
            return Some(Self::Approve(approve));
        }
        let key = text.command?;
        let rest = text.normalized.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim());
        Some(match key {
            "help" => Self::Help,
            "commands" => Self::Commands,
            "whoami" => Self::Whoami,
            "status" => Self::Status,
            "stop" => Self::Stop,
            "new" | "reset" => Self::New { rest: rest.to_owned() },
            "compact" => Self::Compact { wish: (!rest.is_empty()).then(|| rest.to_owned()) },
            "activation" => Self::Activation(Arg::read(rest, |w| match w {
                "mention" => Some(true),
                "always" => Some(false),
                _ => None,
            })),
            "send" => Self::Send(Arg::read(rest, |w| match w {
                "on" | "allow" => Some(SendOverride::Allow),
                "off" | "deny" => Some(SendOverride::Deny),
                "inherit" | "default" => Some(SendOverride::Inherit),
                _ => None,
            })),
            "think" => Self::Think(Arg::read(rest, |w| {
                let known = ["off", "minimal", "low", "medium", "high", "xhigh", "max"];
                known.contains(&w).then(|| w.to_owned())
            })),
            "verbose" => Self::Verbose(Arg::read(rest, |w| match w {
                "off" => Some(Verbose::Off),
                "on" => Some(Verbose::On),
                "full" => Some(Verbose::Full),
                _ => None,
            })),
            "reasoning" => Self::Reasoning(Arg::read(rest, |w| match w {
                "off" => Some(Reasoning::Off),
                "on" => Some(Reasoning::On),
                "stream" => Some(Reasoning::Stream),
                _ => None,
            })),
            "elevated" => Self::Elevated(Arg::read(rest, Level::parse)),
            "exec" => Self::Exec(exec_directive(&text.normalized)),
            "model" => Self::Model(Arg::read(rest, |_| match rest.to_ascii_lowercase().as_str() {
                "default" | "inherit" => Some(None),
                _ if is_model_name(rest) => Some(Some(rest.to_owned())),
                _ => None,
            })),
            "queue" => Self::Queue(Arg::read(rest, |w| match w {
                "default" | "reset" | "inherit" => Some(None),
                _ => QueueMode::parse(w).map(Some),
            })),
            other => Self::Elsewhere(ELSEWHERE.iter().find(|k| **k == other)?),
        })
    }

    /// The same for a whole message: lines after the first belong to the first message of a new conversation.
    #[must_use]
    pub fn of_message(text: &CommandText, raw: &str) -> Option<Self> {
        let command = Self::read(text)?;
        Some(match command {
            Self::New { rest } => {
                let more = further_lines(raw);
                let parts = [rest.as_str(), more.as_str()];
                Self::New { rest: parts.into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n") }
            }
            other => other,
        })
    }

    /// Reads a message's text; switches below `commands` count.
    #[must_use]
    pub fn of(text: &str, bot: Option<&str>, config: &Node) -> Option<Self> {
        Self::read(&CommandText::read(text, bot, config))
    }

    /// What the sender needs.
    #[must_use]
    pub fn needs(&self) -> Needs {
        match self {
            Self::Activation(_)
            | Self::Send(_)
            | Self::Elsewhere("config" | "debug" | "bash" | "restart" | "allowlist") => Needs::Owner,
            Self::Help
            | Self::Commands
            | Self::Whoami
            | Self::Status
            | Self::Approve(_)
            | Self::Stop
            | Self::New { .. }
            | Self::Compact { .. }
            | Self::Think(_)
            | Self::Verbose(_)
            | Self::Reasoning(_)
            | Self::Elevated(_)
            | Self::Exec(_)
            | Self::Model(_)
            | Self::Queue(_)
            | Self::Elsewhere(_) => Needs::Commands,
        }
    }

    /// Whether the sender may use it here and now.
    ///
    /// # Errors
    /// [`CommandRefusal`].
    pub fn permit(&self, at: &Standing) -> Result<(), CommandRefusal> {
        if !at.authority.commands.is_authorized() {
            return Err(CommandRefusal::Unauthorized);
        }
        if self.needs() == Needs::Owner && at.authority.owner != Ownership::Proven {
            return Err(CommandRefusal::NotOwner);
        }
        if matches!(self, Self::Activation(_)) && !at.room {
            return Err(CommandRefusal::NotARoom);
        }
        if at.room && !at.named && !self.narrows_only() {
            return Err(CommandRefusal::NotNamed);
        }
        Ok(())
    }

    /// Whether it may stand in a room without the bot being named: everything but what could widen what a session may execute.
    fn narrows_only(&self) -> bool {
        match self {
            Self::Exec(d) => {
                let deny = d.security.as_deref() == Some("deny");
                deny && d.host.is_none() && d.ask.is_none() && d.node.is_none() && d.invalid.is_empty()
            }
            Self::Elevated(Arg::Set(level)) => level.unmentioned_in_room().is_some(),
            _ => true,
        }
    }
}

/// A text that begins with a directive and goes on: the text without it. The directive does nothing then (channels 6: it never persists).
/// `raw` is the whole text, of which commands read the first line alone.
#[must_use]
pub fn beside_directive(text: &CommandText, raw: &str) -> Option<String> {
    let key = text.command?;
    let rest = text.normalized.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim());
    let tail = match key {
        "exec" => exec_directive(&text.normalized).cleaned,
        "think" | "verbose" | "reasoning" | "elevated" => {
            let (word, tail) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let value =
                CommandText { normalized: format!("/{key} {word}"), command: Some(key), abort: false };
            let known = match ChatCommand::read(&value)? {
                ChatCommand::Think(arg) => !matches!(arg, Arg::Wrong(_)),
                ChatCommand::Verbose(arg) => !matches!(arg, Arg::Wrong(_)),
                ChatCommand::Reasoning(arg) => !matches!(arg, Arg::Wrong(_)),
                ChatCommand::Elevated(arg) => !matches!(arg, Arg::Wrong(_)),
                _ => false,
            };
            if !known {
                return None;
            }
            tail.trim().to_owned()
        }
        _ => return None,
    };
    let more = further_lines(raw);
    let joined =
        [tail.as_str(), more.as_str()].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n");
    (!joined.is_empty()).then_some(joined)
}

/// What follows the first line.
pub(crate) fn further_lines(raw: &str) -> String {
    raw.trim().split_once('\n').map_or_else(String::new, |(_, more)| more.trim().to_owned())
}

/// `provider/model` or a name: letters, digits and `-_.:/@`, at most 200.
fn is_model_name(text: &str) -> bool {
    text.len() <= 200
        && !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/@".contains(c))
}
