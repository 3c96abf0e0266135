//! What is asked, whatever the form. Pure.

use oc_agent::turn::said::{People, PersonMessage, Said, Surroundings};
use oc_policy::owner_only::Ownership;
use oc_sandbox::gate::CallSender;
use serde_json::Value;

/// Most text of a request, in characters.
const LONGEST: usize = 200_000;
/// Most messages of a request.
const MOST_MESSAGES: usize = 2000;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The status of the answer.
    pub status: u16,
    /// The member that is wrong.
    pub param: Option<&'static str>,
    /// A word for programs.
    pub code: Option<&'static str>,
    /// What is wrong.
    pub why: String,
}

impl Wrong {
    /// A request that is not right.
    pub(super) fn new(param: Option<&'static str>, why: impl Into<String>) -> Self {
        Self { status: 400, param, code: None, why: why.into() }
    }

    /// Something that this gateway does not do.
    pub(super) fn unsupported(param: &'static str, why: impl Into<String>) -> Self {
        Self { code: Some("unsupported_parameter"), ..Self::new(Some(param), why) }
    }
}

/// Who says something in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    /// `system`, `developer`, `instructions`.
    Instruction,
    /// `user`.
    User,
    /// `assistant`.
    Assistant,
    /// `tool`, `function`.
    Tool,
}

impl Voice {
    /// Reads a role.
    pub(super) fn of(role: &str) -> Option<Self> {
        match role {
            "system" | "developer" => Some(Self::Instruction),
            "user" => Some(Self::User),
            "assistant" => Some(Self::Assistant),
            "tool" | "function" => Some(Self::Tool),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Instruction => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// A request, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// `model`, as it was written.
    pub model: String,
    /// `user`.
    pub user: Option<String>,
    /// Whether the answer comes in pieces.
    pub stream: bool,
    /// Whether the pieces end with the count of tokens.
    pub count: bool,
    instructions: String,
    earlier: Vec<(Voice, String)>,
    now: String,
}

impl Asked {
    /// Of a list of messages, oldest first. What the last of `user` in a row say is answered.
    pub(super) fn of(
        body: &Value,
        messages: Vec<(Voice, String)>,
        param: &'static str,
    ) -> Result<Self, Wrong> {
        let length: usize = messages.iter().map(|(_, text)| text.chars().count()).sum();
        if length > LONGEST || messages.len() > MOST_MESSAGES {
            let why = format!("at most {LONGEST} characters in {MOST_MESSAGES} messages are taken");
            return Err(Wrong { code: Some("context_length_exceeded"), ..Wrong::new(Some(param), why) });
        }
        let (instructions, mut others): (Vec<_>, Vec<_>) =
            messages.into_iter().partition(|(voice, _)| *voice == Voice::Instruction);
        let joined = |parts: Vec<(Voice, String)>| {
            parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n\n")
        };
        let last =
            others.iter().rposition(|(voice, _)| *voice != Voice::User).map_or(0, |at| at.saturating_add(1));
        let now = joined(others.split_off(last));
        if now.trim().is_empty() {
            return Err(Wrong::new(
                Some(param),
                "the last message has to be one of the role user, with a text",
            ));
        }
        let text = |name: &'static str| match body.get(name) {
            None | Some(Value::Null) => Ok(None),
            // What names somebody and is no name is an error, and never means somebody else (SP-120).
            Some(value) => match value.as_str().map(str::trim).filter(|t| !t.is_empty()) {
                Some(text) => Ok(Some(text.to_owned())),
                None => Err(Wrong::new(Some(name), format!("`{name}` is a text that is not blank"))),
            },
        };
        Ok(Self {
            model: text("model")?.unwrap_or_else(|| "openclaw".to_owned()),
            user: text("user")?,
            stream: body.get("stream").and_then(Value::as_bool) == Some(true),
            count: body.pointer("/stream_options/include_usage").and_then(Value::as_bool) == Some(true),
            instructions: joined(instructions),
            earlier: others,
            now,
        })
    }

    /// As words of a person. A session that goes on has the earlier messages already; to a fresh one they are told as what they are: text
    /// that the caller brought.
    pub(super) fn said(&self, sender: CallSender, owner: Ownership, fresh: bool) -> Said {
        let text = if self.instructions.trim().is_empty() {
            self.now.clone()
        } else {
            format!("What the program that asks wants you to heed:\n{}\n\n{}", self.instructions, self.now)
        };
        let earlier = self.earlier.iter().filter(|_| fresh);
        let earlier = earlier.map(|(voice, text)| (voice.word().to_owned(), String::new(), text.clone()));
        let surroundings = Surroundings { earlier: earlier.collect(), ..Surroundings::default() };
        Said::People(People::one(PersonMessage::new(sender, owner, text)).amid(surroundings))
    }
}

/// The text of a `content`: a text, or parts that are all text.
pub(super) fn content(value: Option<&Value>, param: &'static str) -> Result<String, Wrong> {
    match value {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Array(parts)) => {
            let mut out = Vec::with_capacity(parts.len());
            for part in parts {
                let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
                let text = match kind {
                    "text" | "input_text" | "output_text" => part.get("text"),
                    "refusal" => part.get("refusal"),
                    _ => {
                        return Err(Wrong::unsupported(
                            param,
                            "only parts of text are taken, no files and no pictures",
                        ));
                    }
                };
                let text = text.and_then(Value::as_str);
                out.push(text.ok_or_else(|| Wrong::new(Some(param), "a part of text has no text"))?);
            }
            Ok(out.join("\n"))
        }
        Some(_) => Err(Wrong::new(Some(param), "`content` is a text or a list of parts")),
    }
}

/// Refuses members that ask for something that is not done here.
pub(super) fn nothing_else(body: &Value, refused: &[(&'static str, &str)]) -> Result<(), Wrong> {
    let asks = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(all) => !all.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Object(_) => true,
    };
    match refused.iter().find(|(name, _)| body.get(*name).is_some_and(asks)) {
        Some((name, why)) => Err(Wrong::unsupported(name, *why)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(messages: &[(Voice, &str)]) -> Result<Asked, Wrong> {
        Asked::of(&json!({}), messages.iter().map(|(v, t)| (*v, (*t).to_owned())).collect(), "messages")
    }

    #[test]
    fn the_last_words_of_the_user_are_answered_and_the_rest_is_told_to_a_fresh_session_alone() {
        let asked = of(&[
            (Voice::Instruction, "be short"),
            (Voice::User, "one"),
            (Voice::Assistant, "two"),
            (Voice::User, "three"),
            (Voice::User, "four"),
        ]);
        let asked = asked.unwrap();
        let text = |fresh| match asked.said(CallSender::default(), Ownership::NotProven, fresh) {
            Said::People(people) => format!("{people:?}"),
            other => panic!("{other:?}"),
        };
        assert!(text(true).contains("be short\\n\\nthree\\n\\nfour"), "{}", text(true));
        assert!(text(true).contains("\"two\"") && !text(false).contains("\"two\""));
        assert!(of(&[(Voice::User, "one"), (Voice::Assistant, "two")]).is_err(), "nothing is asked");
        assert!(of(&[(Voice::Instruction, "x")]).is_err());
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(of(&[(Voice::User, &long)]).unwrap_err().code, Some("context_length_exceeded"));
    }

    #[test]
    fn only_text_is_taken() {
        let parts = json!([{ "type": "text", "text": "a" }, { "type": "input_text", "text": "b" }]);
        assert_eq!(content(Some(&parts), "messages").unwrap(), "a\nb");
        for other in [
            json!([{ "type": "image_url", "image_url": { "url": "data:" } }]),
            json!([{ "type": "text" }]),
            json!(5),
        ] {
            assert!(content(Some(&other), "messages").is_err(), "{other}");
        }
    }
}
