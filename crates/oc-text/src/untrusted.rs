//! What comes with a message and was not written for the model: names, subjects, quotes, forwarded text, earlier messages, the words of
//! another session, the output of a job. Each goes into a labelled envelope of [`crate::external`]; nothing of it ever stands in a
//! system prompt (agent-runtime 5, SP-416, SP-421).
//!
//! Ids of envelopes are arguments: this crate has no randomness.

#[cfg(test)]
mod tests;

use crate::external::{fence, one_line, without_markers};

/// Longest quoted or forwarded text, in characters.
pub const QUOTE_CAP: usize = 4_000;
/// Longest entry of topics, purposes and earlier messages, in characters.
pub const ENTRY_CAP: usize = 400;
/// All topics and purposes of one conversation together, in characters.
pub const METADATA_CAP: usize = 800;

/// What an envelope holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// Where a message was written and by whom, as the chat service says.
    Conversation,
    /// A message that this one answers.
    Quoted,
    /// A message that somebody handed on.
    Forwarded,
    /// Messages of the room that were not for the assistant.
    EarlierMessages,
    /// The words of another session, a sub-agent's among them.
    OtherSession,
    /// What a command or a job in the background printed.
    Output,
    /// A summary that a model made of earlier messages.
    Summary,
    /// Text that was taken out of a file or picture.
    Attachment,
}

impl Label {
    /// The label in the envelope.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Conversation => "Conversation",
            Self::Quoted => "Quoted message",
            Self::Forwarded => "Forwarded message",
            Self::EarlierMessages => "Earlier messages",
            Self::OtherSession => "Another session",
            Self::Output => "Output",
            Self::Summary => "Summary of earlier messages",
            Self::Attachment => "Attachment",
        }
    }
}

/// One envelope. `rows`: names are the program's own words, values are untrusted and come out on one line each. `id`: 16 random
/// hexadecimal characters.
#[must_use]
pub fn envelope<'t>(
    label: Label,
    rows: impl IntoIterator<Item = (&'t str, &'t str)>,
    text: &str,
    id: &str,
) -> String {
    fence(label.words(), rows, text, id)
}

/// The sender's own words, which stand outside of envelopes: what looks like a marker is replaced, so that nobody opens or closes an
/// envelope, and control characters but line breaks and tabs go.
#[must_use]
pub fn own_words(text: &str) -> String {
    let kept: String = text
        .replace("\r\n", "\n")
        .chars()
        .map(|c| if c == '\r' { '\n' } else { c })
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    without_markers(&kept)
}

/// An earlier message.
#[derive(Clone, Copy, Debug)]
pub struct Earlier<'t> {
    /// Who wrote it, as the service shows the name.
    pub name: &'t str,
    /// The sender's stable id.
    pub id: &'t str,
    /// The text.
    pub text: &'t str,
}

/// Earlier messages one below the other. Further lines of a message are indented, so that none looks like a message of its own.
#[must_use]
pub fn earlier_messages(messages: &[Earlier<'_>]) -> String {
    let line = |m: &Earlier<'_>| {
        let text = capped(&own_words(m.text), QUOTE_CAP).replace('\n', "\n    ");
        let name = capped(&one_line(m.name), 80).replace(['(', ')', ':'], " ");
        format!("- {} ({}): {text}", name.trim(), capped(&one_line(m.id), 80))
    };
    messages.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Topics, purposes and the like, one a line, each and all together cut to their caps.
#[must_use]
pub fn metadata<'t>(entries: impl IntoIterator<Item = (&'t str, &'t str)>) -> String {
    let mut out = String::new();
    for (name, value) in entries {
        let value = capped(&one_line(value), ENTRY_CAP);
        if value.is_empty() {
            continue;
        }
        let room = METADATA_CAP.saturating_sub(out.chars().count());
        let line: String = format!("{name}: {value}\n").chars().take(room).collect();
        out.push_str(&line);
    }
    out.trim_end().to_owned()
}

/// At most so many characters; what is cut ends with `…`.
#[must_use]
pub fn capped(text: &str, cap: usize) -> String {
    match text.char_indices().nth(cap) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
    }
}
