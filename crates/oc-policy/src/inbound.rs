//! What comes in: a message as data, with ids typed by kind (SP-403).

/// The kind of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConversationKind {
    /// One other person.
    Direct,
    /// A group chat.
    Group,
    /// A channel or room of a server.
    Channel,
    /// The service did not say, or said a word we do not know: the strictest rule applies (SP-415).
    Unknown,
}

impl ConversationKind {
    /// Reads a service's word; `dm` is `direct`, anything unknown stays [`ConversationKind::Unknown`].
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "direct" | "dm" => Self::Direct,
            "group" => Self::Group,
            "channel" => Self::Channel,
            _ => Self::Unknown,
        }
    }
}
