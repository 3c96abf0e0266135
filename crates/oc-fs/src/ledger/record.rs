//! One record of the ledger. Ids and words only: never a message, a command text, a file's content or a secret (design 3.8).

use std::borrow::Cow;

use oc_text::Redactor;
use oc_text::visible::{is_plain, visible};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// Longest text of one field, in characters; longer ones are cut and end in `…`.
pub const FIELD_CAP: usize = 512;
/// Longest name of a member of [`Entry::inputs`], in characters.
const KEY_CAP: usize = 64;
/// Bytes of all texts of most entries.
const LOOKED_OVER: usize = 1024;
/// Most members of [`Entry::inputs`].
pub const MAX_INPUTS: usize = 48;

/// What a record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Whether a call may act, and where; written before it acts.
    Decision,
    /// What came of a call that was allowed.
    Outcome,
    /// An unfinished line of a killed writer was set aside.
    Recovery,
}

impl Kind {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Outcome => "outcome",
            Self::Recovery => "recovery",
        }
    }
}

/// What is recorded; the chain adds number, time and hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// What the record tells.
    pub kind: Kind,
    /// Who asked: the surface, and the sender where one is known (`model`, `http`, `telegram:12345`).
    pub actor: String,
    /// The agent concerned; empty when none is.
    pub agent: String,
    /// The session's key; empty when there is none.
    pub session: String,
    /// What it is about (`tool:exec`).
    pub subject: String,
    /// `allowed`, `denied`; of an outcome `done`, `failed`.
    pub verdict: String,
    /// The deciding rule: layer and stable word.
    pub rule: String,
    /// The key that holds the rule; `None` for a built-in one.
    pub key_path: Option<String>,
    /// Where that key stands.
    pub source: Option<String>,
    /// Which configuration was in force: SHA-256 of what was read.
    pub config_gen: String,
    /// The approval that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_id: Option<String>,
    /// The call: the same in its decision and its outcome.
    pub call: String,
    /// What the decision was made from (ids and digests), so that it can be made again.
    pub inputs: Map<String, Json>,
}

impl Entry {
    /// The entry as it is stored: every text masked (SP-014) and cut, so that a record has a bounded length. Most are so already.
    #[must_use]
    pub(super) fn bounded(&self, redactor: &Redactor) -> Cow<'_, Self> {
        if self.is_bounded(redactor) {
            return Cow::Borrowed(self);
        }
        let clean = |text: &str| visible(&redactor.redact(text), FIELD_CAP);
        Cow::Owned(Self {
            kind: self.kind,
            actor: clean(&self.actor),
            agent: clean(&self.agent),
            session: clean(&self.session),
            subject: clean(&self.subject),
            verdict: clean(&self.verdict),
            rule: clean(&self.rule),
            key_path: self.key_path.as_deref().map(clean),
            source: self.source.as_deref().map(clean),
            config_gen: clean(&self.config_gen),
            approval_id: self.approval_id.as_deref().map(clean),
            call: clean(&self.call),
            inputs: self
                .inputs
                .iter()
                .take(MAX_INPUTS)
                .map(|(k, v)| (visible(k, KEY_CAP), scalar(v, &clean)))
                .collect(),
        })
    }

    /// Whether nothing of it has to be masked, written out or cut: one look over all texts together.
    fn is_bounded(&self, redactor: &Redactor) -> bool {
        let texts = [&self.actor, &self.agent, &self.session, &self.subject, &self.verdict, &self.rule];
        let more = [&self.config_gen, &self.call];
        let optional = [&self.key_path, &self.source, &self.approval_id];
        let mut all = String::with_capacity(LOOKED_OVER);
        let mut take = |text: &str| {
            all.push_str(text);
            all.push('\n');
            text.len() <= FIELD_CAP && is_visible(text)
        };
        let mut plain = texts.into_iter().chain(more).chain(optional.into_iter().flatten()).all(|t| take(t));
        plain &= self.inputs.len() <= MAX_INPUTS;
        plain &= self.inputs.iter().all(|(key, value)| {
            key.len() <= KEY_CAP
                && is_visible(key)
                && match value {
                    Json::String(text) => take(text),
                    Json::Null | Json::Bool(_) | Json::Number(_) => true,
                    Json::Array(_) | Json::Object(_) => false,
                }
        });
        plain && !redactor.may_find(&all)
    }
}

/// Whether a text shows as it is, whoever prints it.
fn is_visible(text: &str) -> bool {
    text.chars().all(is_plain)
}

/// Only plain values are kept: nothing nested gets in, whatever a caller hands over.
fn scalar(value: &Json, clean: &impl Fn(&str) -> String) -> Json {
    match value {
        Json::String(s) => clean(s).into(),
        Json::Null | Json::Bool(_) | Json::Number(_) => value.clone(),
        Json::Array(_) | Json::Object(_) => clean(&value.to_string()).into(),
    }
}

/// A stored record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Number, from 1, without gaps.
    pub seq: u64,
    /// When it was written (RFC 3339, UTC, milliseconds).
    pub ts: String,
    /// Hash of the record before; zeros for the first.
    pub prev: String,
    /// SHA-256 over `prev` and the line without this member, in lower-case hexadecimal.
    pub hash: String,
    /// What is recorded.
    #[serde(flatten)]
    pub entry: Entry,
}
