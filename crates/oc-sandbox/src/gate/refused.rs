//! A refusal: a stable word, one sentence for the caller, the whole explanation for the operator.

use std::fmt;

use oc_types::{DecidedBy, Effect, Explanation, KeyPath, Node, Origin, TraceStep};
use serde::Serialize;
use serde_json::Map;

use super::call::Caller;

/// Which stage of the gate refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The session, its room or the configuration cannot be judged.
    Session,
    /// The tool policy.
    Policy,
    /// A way to the host or to a device that is shut for sandboxed sessions (tool-policy 6.1).
    HostDoor,
    /// An argument: an internal name, a wrong type, a wish for more than the session has (SP-176, SP-238).
    Arguments,
    /// The command: refused, or nobody allowed it.
    Approval,
    /// No sandbox can be had for a session that must have one (SP-239).
    Place,
    /// The decision could not be recorded, so nothing was done.
    Ledger,
    /// The tool is allowed, and this program does not carry it out.
    NotBuilt,
    /// The tool is allowed, and is not what it was when it was seen first.
    Withheld,
}

impl Stage {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Policy => "policy",
            Self::HostDoor => "host-door",
            Self::Arguments => "arguments",
            Self::Approval => "approval",
            Self::Place => "place",
            Self::Ledger => "ledger",
            Self::NotBuilt => "not-built",
            Self::Withheld => "withheld",
        }
    }
}

/// A call that does not act.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    stage: Stage,
    sentence: String,
    explanation: Box<Explanation>,
    /// Whom of those behind the call it was refused for; `None`: its own caller.
    of: Option<String>,
}

impl Refused {
    /// A refusal with its explanation. `sentence`: what happened and what to do, without paths of the host (SP-245).
    #[must_use]
    pub fn new(stage: Stage, sentence: impl Into<String>, explanation: Explanation) -> Self {
        Self { stage, sentence: sentence.into(), explanation: Box::new(explanation), of: None }
    }

    /// A refusal by one rule of the program.
    #[must_use]
    pub fn built_in(stage: Stage, tool: &str, rule: &str, sentence: impl Into<String>) -> Self {
        let sentence = sentence.into();
        let step = TraceStep {
            layer: stage.word().to_owned(),
            rule: rule.to_owned(),
            key_path: None,
            source: Origin::Builtin,
            unset: false,
            effect: Effect::Removes,
            detail: sentence.clone(),
        };
        Self::new(stage, sentence, explanation(tool, rule, step))
    }

    /// A refusal by one key of the configuration.
    #[must_use]
    pub fn by_key(
        stage: Stage,
        tool: &str,
        rule: &str,
        config: &Node,
        key: KeyPath,
        sentence: impl Into<String>,
    ) -> Self {
        let sentence = sentence.into();
        let (node, _, there) = config.nearest(&key);
        let step = TraceStep {
            layer: stage.word().to_owned(),
            rule: rule.to_owned(),
            source: node.origin.clone(),
            key_path: Some(key),
            unset: !there,
            effect: Effect::Removes,
            detail: sentence.clone(),
        };
        Self::new(stage, sentence, explanation(tool, rule, step))
    }

    /// Puts further rules that were consulted before the one that decided.
    pub(super) fn consulted(&mut self, steps: &[TraceStep]) {
        let deciding = std::mem::replace(&mut self.explanation.trace, steps.to_vec());
        self.explanation.trace.extend(deciding.into_iter().filter(|d| !steps.contains(d)));
    }

    /// With the sentence changed.
    pub(super) fn reworded(self, change: impl FnOnce(&str) -> String) -> Self {
        Self { sentence: change(&self.sentence), ..self }
    }

    /// The same refusal, of somebody who stands behind the call. The sentence does not name them: whoever reads it is not in their session.
    pub(super) fn of(self, who: &Caller) -> Self {
        let sentence = format!("{} (so it is for somebody who stands behind this call)", self.sentence);
        Self { sentence, of: Some(who.whereabouts()), ..self }
    }

    /// Whom of those behind the call it was refused for: one line for the ledger. `None`: its own caller.
    #[must_use]
    pub fn whom(&self) -> Option<&str> {
        self.of.as_deref()
    }

    /// Which stage refused.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The sentence for the caller.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// Every rule consulted.
    #[must_use]
    pub fn explanation(&self) -> &Explanation {
        &self.explanation
    }
}

fn explanation(tool: &str, rule: &str, step: TraceStep) -> Explanation {
    Explanation {
        subject: "tool".to_owned(),
        verdict: "denied".to_owned(),
        reason: format!("{}: {rule}", step.layer),
        decided_by: DecidedBy {
            layer: step.layer.clone(),
            rule: step.rule.clone(),
            key_path: step.key_path.clone(),
            source: step.source.clone(),
            unset: step.unset,
        },
        trace: vec![step],
        flip: Vec::new(),
        notes: Vec::new(),
        facts: Map::from_iter([("tool".to_owned(), tool.into())]),
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Refused {}
