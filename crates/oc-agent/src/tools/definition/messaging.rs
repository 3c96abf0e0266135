//! `message`.

use super::{Entry, flag, object, text, texts};

pub(super) const TABLE: &[Entry] = &[Entry {
    name: "message",
    summary: "send a message to a conversation",
    description: "Sends a message or a reaction to a conversation. Your answer to the conversation at hand needs no tool; after a `message` to it that says \
                  everything, answer only NO_REPLY.",
    schema: || {
        object(
            &["action"],
            &[
                ("action", text("`send`, `react` or another action of the channel")),
                ("channel", text("The channel; the one at hand when absent")),
                ("target", text("The conversation; the one at hand when absent")),
                ("targets", texts("Several conversations")),
                ("accountId", text("Which account of the channel")),
                ("message", text("The text")),
                ("media", text("An address or file to send along")),
                ("path", text("A file to send along")),
                ("replyTo", text("Id of the message that is answered")),
                ("threadId", text("Which thread")),
                ("emoji", text("The reaction")),
                ("messageId", text("The message that is reacted to or changed")),
                ("dryRun", flag("Only say what would be sent")),
            ],
        )
    },
}];
