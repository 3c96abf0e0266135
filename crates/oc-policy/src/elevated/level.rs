//! The level in force: how far an approved sender's `exec` goes.

use oc_types::{Effect, KeyPath, Node, Origin, TraceStep};
use serde::Serialize;
use thiserror::Error;

use super::gate::ElevatedGate;

/// How far elevation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// `exec` stays where the sandbox settings put it.
    Off,
    /// The host, approvals apply. The same as [`Level::Ask`].
    On,
    /// The host, approvals apply.
    Ask,
    /// The host, security `full`, no question asked.
    Full,
}

/// A word that is no level.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{key} is {found}; use off, on, ask or full")]
pub struct UnknownLevel {
    key: KeyPath,
    found: String,
}

impl Level {
    /// Reads a word of a directive or of the configuration.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "off" => Self::Off,
            "on" => Self::On,
            "ask" => Self::Ask,
            "full" => Self::Full,
            _ => return None,
        })
    }

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Ask => "ask",
            Self::Full => "full",
        }
    }

    /// What a directive in a room without a mention of the bot may set: only `off` (channels 6).
    #[must_use]
    pub fn unmentioned_in_room(self) -> Option<Self> {
        (self == Self::Off).then_some(self)
    }
}

/// What was asked for, nearest first. A session's value ends with the session (SP-115).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The directive inside the message.
    pub inline: Option<Level>,
    /// The session's value.
    pub session: Option<Level>,
}

/// Where the level comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LevelSource {
    /// The gate did not let the sender pass.
    Gate,
    /// The directive inside the message.
    Inline,
    /// The session's value.
    Session,
    /// `agents.defaults.elevatedDefault`.
    Config,
    /// The product's default.
    Default,
}

/// The level in force.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelDecision {
    /// The level.
    pub level: Level,
    /// Where it comes from.
    pub source: LevelSource,
    /// The step that `explain` shows.
    pub step: TraceStep,
}

/// Decides the level: directive, else the session's value, else `agents.defaults.elevatedDefault`, else `on`; `off` when the gate
/// refuses. The last default means that an approved sender's `exec` leaves the sandbox without any directive; the step says so.
///
/// # Errors
/// [`UnknownLevel`]: `elevatedDefault` is none of the words (SP-119).
pub fn level(gate: &ElevatedGate, config: &Node, asked: Asked) -> Result<LevelDecision, UnknownLevel> {
    let key = KeyPath::dotted("agents.defaults.elevatedDefault");
    let set = config.at(&key).filter(|n| !n.is_null());
    let configured = match set {
        None => None,
        Some(n) => Some(n.as_str().and_then(Level::parse).ok_or_else(|| UnknownLevel {
            key: key.clone(),
            found: n.as_str().map_or_else(
                || format!("a {}", n.value.type_name()),
                |s| format!("{:?}", s.chars().take(40).collect::<String>()),
            ),
        })?),
    };
    let (level, source, detail) = match (gate.is_allowed(), asked.inline, asked.session, configured) {
        (false, ..) => {
            (Level::Off, LevelSource::Gate, "the gate refused, so exec stays where it is".to_owned())
        }
        (true, Some(l), ..) => (l, LevelSource::Inline, "a directive in the message".to_owned()),
        (true, None, Some(l), _) => (l, LevelSource::Session, "the value of the session".to_owned()),
        (true, None, None, Some(l)) => (l, LevelSource::Config, format!("the default is {}", l.word())),
        (true, None, None, None) => (
            Level::On,
            LevelSource::Default,
            "unset, which means on: exec of an approved sender leaves the sandbox without a directive; \
             set it to \"off\" to require one"
                .to_owned(),
        ),
    };
    let from_key = matches!(source, LevelSource::Config | LevelSource::Default);
    let nearest = config.nearest(&key);
    let step = TraceStep {
        layer: "elevated".to_owned(),
        rule: "level".to_owned(),
        source: if from_key { nearest.0.origin.clone() } else { Origin::Builtin },
        unset: from_key && !nearest.2,
        key_path: from_key.then_some(key),
        effect: if level == Level::Off { Effect::Keeps } else { Effect::Admits },
        detail,
    };
    Ok(LevelDecision { level, source, step })
}

/// Whether the tool policy of the session permits `exec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExecPolicy {
    /// It does.
    Permits,
    /// It does not: elevation is useless then.
    Denies,
}

/// What elevation does to one `exec` call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExecElevation {
    /// Nothing.
    Off,
    /// The host, approvals apply.
    Ask,
    /// The host, security `full`, no question asked.
    Full,
}

/// Applies the level to a call; `parameter` is the call's own `elevated`. A call cannot go further than the level allows, and a denied
/// `exec` stays denied (SP-115).
#[must_use]
pub fn for_exec(
    gate: &ElevatedGate,
    level: Level,
    parameter: Option<bool>,
    policy: ExecPolicy,
) -> ExecElevation {
    if !gate.is_allowed() || policy == ExecPolicy::Denies {
        return ExecElevation::Off;
    }
    match (parameter, level) {
        (Some(false), _) | (None, Level::Off) => ExecElevation::Off,
        (Some(true) | None, Level::Full) => ExecElevation::Full,
        (Some(true), Level::Off | Level::On | Level::Ask) | (None, Level::On | Level::Ask) => {
            ExecElevation::Ask
        }
    }
}
