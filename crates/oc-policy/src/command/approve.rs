//! `/approve`: which request, and what was decided (`approve-text.jsonl`).

/// What a person decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApproveWord {
    /// This once.
    AllowOnce,
    /// This and the same again.
    AllowAlways,
    /// No.
    Deny,
}

impl ApproveWord {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::AllowOnce => "allow-once",
            Self::AllowAlways => "allow-always",
            Self::Deny => "deny",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "allow" | "once" | "allow-once" | "allowonce" => Some(Self::AllowOnce),
            "always" | "allow-always" | "allowalways" => Some(Self::AllowAlways),
            "deny" | "reject" | "block" => Some(Self::Deny),
            _ => None,
        }
    }
}

/// An `/approve` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApproveText {
    /// Complete.
    Decision {
        /// Id or code of the request.
        id: String,
        /// What was decided.
        decision: ApproveWord,
    },
    /// The command is there, but not what it needs.
    Incomplete,
}

/// Reads `/approve <id> <decision>`, `/approve <decision> <id>` or, as the seed writes it, `/approve <code>` (allow once).
/// `None` when the text is not this command.
#[must_use]
pub fn approve_text(text: &str) -> Option<ApproveText> {
    let text = text.trim();
    let (head, rest) = text.split_once(|c: char| c.is_whitespace() || c == ':').unwrap_or((text, ""));
    if !head.eq_ignore_ascii_case("/approve") {
        return None;
    }
    let words: Vec<&str> = rest.split_whitespace().collect();
    let (id, decision) = match words.as_slice() {
        [] => return Some(ApproveText::Incomplete),
        [code] if ApproveWord::parse(code).is_some() => return Some(ApproveText::Incomplete),
        [code] => ((*code).to_owned(), ApproveWord::AllowOnce),
        [first, rest @ ..] => {
            match (ApproveWord::parse(first), rest.first().and_then(|w| ApproveWord::parse(w))) {
                (Some(decision), _) => (rest.join(" "), decision),
                (None, Some(decision)) => ((*first).to_owned(), decision),
                (None, None) => return Some(ApproveText::Incomplete),
            }
        }
    };
    Some(ApproveText::Decision { id, decision })
}
