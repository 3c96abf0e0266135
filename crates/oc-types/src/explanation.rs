//! A decision's answer (design 4): verdict, the rule that decided, every rule consulted, and the smallest change that flips it.
//!
//! One type for all subjects: `--json`, `openclaw explain`, logs and refusal texts are rendered from it.

use serde::Serialize;

use crate::{KeyPath, Origin};

/// What a consulted rule did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Let it pass unchanged.
    Keeps,
    /// Took it away or refused it: this decided, unless an earlier step did.
    Removes,
    /// Admitted it: nothing further is asked at this stage.
    Admits,
    /// Held it back for a person (pairing, approval).
    Holds,
    /// The rule is there, but does not apply here (shadowed, replaced, ignored).
    Inert,
    /// Nothing is configured at this step.
    Absent,
}

/// One rule that was consulted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TraceStep {
    /// Layer or stage, a stable word (`profile`, `groupPolicy`, `inventory`).
    pub layer: String,
    /// The rule inside the layer, a stable word or the entry that matched.
    pub rule: String,
    /// The key that holds the rule; empty for built-in rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_path: Option<KeyPath>,
    /// Where that key stands; for an unset key the nearest enclosing one that exists.
    pub source: Origin,
    /// Whether the key itself is unset (then `source` is the nearest enclosing key, or a default).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unset: bool,
    /// What it did.
    pub effect: Effect,
    /// One sentence for a person.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// The ordered list of rules consulted.
pub type Trace = Vec<TraceStep>;

/// The rule that decided.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DecidedBy {
    /// Layer or stage.
    pub layer: String,
    /// Rule inside it.
    pub rule: String,
    /// Its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_path: Option<KeyPath>,
    /// Where that key stands.
    pub source: Origin,
    /// Whether the key itself is unset.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unset: bool,
}

/// A change that leads to another verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Flip {
    /// The change: `--set PATH=VALUE`, `--unset PATH`, other flags, or a command line.
    pub change: String,
    /// The verdict it leads to.
    pub verdict: String,
    /// What else it opens or means; empty when nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub opens: String,
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// `tool`, `command`, `message`, `sandbox`, `connection`, `config`.
    pub subject: String,
    /// The verdict word of that subject.
    pub verdict: String,
    /// A stable word, optionally `: detail`.
    pub reason: String,
    /// The rule that decided.
    pub decided_by: DecidedBy,
    /// Every rule consulted, in order.
    pub trace: Trace,
    /// Changes that flip the verdict, smallest first.
    pub flip: Vec<Flip>,
    /// Further remarks.
    pub notes: Vec<String>,
    /// Further facts of the subject (`pairingCreated`, `tools`, `effective` ...), flattened into the JSON object.
    #[serde(flatten)]
    pub facts: serde_json::Map<String, serde_json::Value>,
}
