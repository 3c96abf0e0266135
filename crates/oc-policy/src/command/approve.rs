//! `/approve` and `/deny`: which request, and what was decided (`approve-text.jsonl`; exec-approval 10).

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

/// Where it may run, when the request leaves that open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApproveTarget {
    /// On the host.
    Host,
    /// In the sandbox.
    Sandbox,
}

impl ApproveTarget {
    fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "host" => Some(Self::Host),
            "sandbox" => Some(Self::Sandbox),
            _ => None,
        }
    }
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

/// An `/approve` or `/deny` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApproveText {
    /// Complete.
    Decision {
        /// Id or code of the request.
        id: String,
        /// What was decided.
        decision: ApproveWord,
        /// Where, when it is said.
        target: Option<ApproveTarget>,
    },
    /// The command is there, but not what it needs.
    Incomplete,
}

/// Reads `/approve <id> <decision> [host|sandbox]`, `/approve <decision> <id> [host|sandbox]`, `/deny <id>` or, as the seed writes it,
/// `/approve <code>` (allow once). `None` when the text is neither command.
#[must_use]
pub fn approve_text(text: &str) -> Option<ApproveText> {
    let text = text.trim();
    let (head, rest) = text.split_once(|c: char| c.is_whitespace() || c == ':').unwrap_or((text, ""));
    let mut words: Vec<&str> = rest.split_whitespace().collect();
    if head.eq_ignore_ascii_case("/deny") {
        return Some(match words.as_slice() {
            [code] => {
                ApproveText::Decision { id: (*code).to_owned(), decision: ApproveWord::Deny, target: None }
            }
            _ => ApproveText::Incomplete,
        });
    }
    if !head.eq_ignore_ascii_case("/approve") {
        return None;
    }
    // A place is the third word; two words are an id and a decision, whatever the id looks like.
    let target = if words.len() == 3 { words.last().and_then(|w| ApproveTarget::parse(w)) } else { None };
    if target.is_some() {
        words.pop();
    }
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
    Some(ApproveText::Decision { id, decision, target })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_denials_are_read() {
        use ApproveTarget::{Host, Sandbox};
        use ApproveWord::{AllowAlways, AllowOnce, Deny};
        let decision =
            |id: &str, decision, target| Some(ApproveText::Decision { id: id.to_owned(), decision, target });
        for (text, want) in [
            ("/approve abc", decision("abc", AllowOnce, None)),
            ("/approve abc once host", decision("abc", AllowOnce, Some(Host))),
            ("/APPROVE abc ALWAYS Sandbox", decision("abc", AllowAlways, Some(Sandbox))),
            ("/approve once abc sandbox", decision("abc", AllowOnce, Some(Sandbox))),
            ("/approve host once", decision("host", AllowOnce, None)),
            ("/deny abc", decision("abc", Deny, None)),
            ("/Deny: abc", decision("abc", Deny, None)),
            ("/deny", Some(ApproveText::Incomplete)),
            ("/deny a b", Some(ApproveText::Incomplete)),
            ("/approve abc host", Some(ApproveText::Incomplete)),
            ("/denyabc", None),
            ("deny abc", None),
        ] {
            assert_eq!(approve_text(text), want, "{text}");
        }
    }
}
