//! The mention gate itself (`mention-gate.jsonl`).

use crate::command::gate::CommandGrant;

/// What the gate looks at.
#[derive(Clone, Copy, Debug)]
pub struct MentionFacts {
    /// In a room (a direct chat never needs the bypass).
    pub room: bool,
    /// A mention is required here.
    pub required: bool,
    /// A mention could have been noticed at all.
    pub detectable: bool,
    /// The bot is mentioned.
    pub mentioned: bool,
    /// Meant without being named: a reply to the bot.
    pub implicit: bool,
    /// Somebody is mentioned.
    pub any: bool,
    /// Text commands count here.
    pub text_commands: bool,
    /// The text is a control command.
    pub command: bool,
    /// Whether the sender may use commands.
    pub grant: CommandGrant,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MentionVerdict {
    /// The message counts as meant for the bot.
    pub effective: bool,
    /// Not answered: a mention is required and there is none.
    pub skip: bool,
    /// Let through because it is an authorised control command that names nobody.
    pub bypass: bool,
}

/// Decides. Only an authorised sender's control command passes without a mention (SP-410).
#[must_use]
pub fn mention_gate(facts: &MentionFacts) -> MentionVerdict {
    let bypass = facts.room
        && facts.required
        && !facts.mentioned
        && !facts.any
        && facts.text_commands
        && facts.command
        && facts.grant.is_authorized();
    let effective = facts.mentioned || facts.implicit || bypass;
    MentionVerdict { effective, skip: facts.required && facts.detectable && !effective, bypass }
}
