//! Why has this session this tool, or not: every rule consulted, and the smallest change that would flip it (design 4).
//!
//! A change that is offered has been tried on a copy of the configuration first: it leads to the verdict it claims.

mod flip;
mod layers;
mod present;
#[cfg(test)]
mod tests;
pub mod what_if;

use oc_types::{DecidedBy, Effect, Explanation, KeyPath, Node, Origin, TraceStep};
use serde_json::{Map, Value, json};

use crate::inventory::Inventory;
use crate::layer::Layer;
use crate::owner_only::{OWNER_ONLY, Ownership, is_owner_only};
use crate::tool_name::canonical;
use crate::tool_policy::{CompiledPolicy, Context, Refusal, Stack, Warning};

/// The verdict words of this subject.
pub const ALLOWED: &str = "allowed";
/// A layer took the tool away.
pub const DENIED: &str = "denied";
/// The tool is not offered in the first place.
pub const ABSENT: &str = "absent";

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The configuration.
    pub config: &'a Node,
    /// The tools that exist.
    pub inventory: &'a Inventory,
    /// For whom.
    pub context: Context<'a>,
    /// The tool, in any spelling.
    pub tool: &'a str,
    /// Whether the model in use sees images by itself; unknown is `None`.
    pub model_sees_images: Option<bool>,
}

/// Answers the question.
///
/// # Errors
/// [`Refusal`]: the evaluation itself is refused, for example for a malformed session key.
///
/// ```
/// use oc_policy::explain_tool::{Question, explain};
/// use oc_policy::{inventory::Inventory, tool_policy::Context};
/// use oc_types::{Node, Origin};
///
/// let config = serde_json::json!({"tools": {"profile": "messaging"}});
/// let answer = explain(&Question {
///     config: &Node::from_json(&config, &Origin::Default),
///     inventory: &Inventory::standard(),
///     context: Context::session("agent:main:main"),
///     tool: "exec",
///     model_sees_images: None,
/// })?;
/// assert_eq!(answer.verdict, "denied");
/// assert_eq!(answer.decided_by.layer, "profile");
/// assert_eq!(answer.flip[0].change, r#"--set 'tools.alsoAllow=["exec"]'"#);
/// # Ok::<(), oc_policy::tool_policy::Refusal>(())
/// ```
pub fn explain(question: &Question<'_>) -> Result<Explanation, Refusal> {
    let (policy, warnings) = CompiledPolicy::compile_with(question.config, question.inventory.clone());
    let answer = answer(question, &policy, &warnings, Advice::Given)?;
    let flips = flip::flips(question, &answer);
    Ok(answer.finish(flips))
}

/// The same verdict with its rules, over a policy of that configuration and inventory which is compiled already: no change is tried that would
/// flip it, and no name suggested, which is most of the work of [`explain`].
///
/// # Errors
/// As [`explain`].
pub fn reason(question: &Question<'_>, policy: &CompiledPolicy) -> Result<Explanation, Refusal> {
    Ok(answer(question, policy, &[], Advice::Spared)?.finish(Vec::new()))
}

/// Whether an answer also says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Advice {
    Given,
    Spared,
}

fn answer(
    question: &Question<'_>,
    policy: &CompiledPolicy,
    warnings: &[Warning],
    advice: Advice,
) -> Result<Answer, Refusal> {
    let stack = policy.stack(&question.context)?;
    let name = canonical(question.tool).into_owned();
    let mut answer = Answer::new(question, &stack, &name);
    if let Some(step) = present::absent(question, &stack, &name, advice)? {
        answer.absent(step);
        layers::trace(question, &stack, &name, &mut answer);
        present::aftermath(question, &stack, &name, &mut answer);
    } else {
        answer.steps.push(present::there(question, &name));
        owner(question, &name, &mut answer);
        layers::trace(question, &stack, &name, &mut answer);
    }
    layers::notes(question, &stack, &name, warnings, &mut answer);
    let read_only = stack.policy_agent().and_then(|a| crate::read_only_mode::expand(question.config, a));
    if let Some(expansion) = read_only.filter(|x| x.deny().contains(&name.as_str())) {
        answer.notes.push(format!("{} {}", expansion.key, expansion.step().detail));
    }
    Ok(answer)
}

/// An answer in the making.
#[derive(Debug)]
struct Answer {
    verdict: &'static str,
    reason: String,
    decided: Option<DecidedBy>,
    steps: Vec<TraceStep>,
    notes: Vec<String>,
    facts: Map<String, Value>,
}

impl Answer {
    fn new(question: &Question<'_>, stack: &Stack<'_>, name: &str) -> Self {
        let mut facts = Map::new();
        facts.insert("tool".to_owned(), name.into());
        facts.insert("agentId".to_owned(), json!(stack.policy_agent().map(|a| a.as_str())));
        facts.insert("sandboxed".to_owned(), stack.runs().is_sandboxed().into());
        let owner = question.inventory.get(name).and_then(|t| t.owner());
        if let Some(plugin) = owner {
            facts.insert("plugin".to_owned(), plugin.into());
        }
        Self {
            verdict: ALLOWED,
            reason: String::new(),
            decided: None,
            steps: Vec::new(),
            notes: Vec::new(),
            facts,
        }
    }

    /// The first step that removes decides.
    fn removed(&mut self, step: TraceStep) {
        if self.decided.is_none() {
            self.verdict = DENIED;
            self.reason = format!("{}: {}", step.layer, step.rule);
            self.decided = Some(decided(&step));
        }
        self.steps.push(step);
    }

    fn absent(&mut self, step: TraceStep) {
        self.verdict = ABSENT;
        self.reason = step.rule.clone();
        self.decided = Some(decided(&step));
        self.steps.push(step);
    }

    fn finish(self, flip: Vec<oc_types::Flip>) -> Explanation {
        let nothing = || DecidedBy {
            layer: "none".to_owned(),
            rule: "no layer removes it".to_owned(),
            key_path: None,
            source: Origin::Builtin,
            unset: false,
        };
        Explanation {
            subject: "tool".to_owned(),
            verdict: self.verdict.to_owned(),
            reason: if self.reason.is_empty() { "no layer removes it".to_owned() } else { self.reason },
            decided_by: self.decided.unwrap_or_else(nothing),
            trace: self.steps,
            flip,
            notes: self.notes,
            facts: self.facts,
        }
    }
}

fn decided(step: &TraceStep) -> DecidedBy {
    DecidedBy {
        layer: step.layer.clone(),
        rule: step.rule.clone(),
        key_path: step.key_path.clone(),
        source: step.source.clone(),
        unset: step.unset,
    }
}

fn owner(question: &Question<'_>, name: &str, answer: &mut Answer) {
    if !is_owner_only(name) {
        return;
    }
    let proven = question.context.owner == Ownership::Proven;
    let step = TraceStep {
        layer: Layer::OwnerOnly.word().to_owned(),
        rule: "owner-only tool".to_owned(),
        key_path: None,
        source: Origin::Builtin,
        unset: false,
        effect: if proven { Effect::Keeps } else { Effect::Removes },
        detail: if proven {
            "the sender is the owner".to_owned()
        } else {
            format!("{} is for a proven owner; no allow list brings it back", OWNER_ONLY.join(", "))
        },
    };
    if proven { answer.steps.push(step) } else { answer.removed(step) }
}

/// A step about a key that is not set: it points to the nearest enclosing one that is.
fn unset_step(
    config: &Node,
    layer: &str,
    rule: &str,
    key: KeyPath,
    effect: Effect,
    detail: String,
) -> TraceStep {
    let (node, _, there) = config.nearest(&key);
    TraceStep {
        layer: layer.to_owned(),
        rule: rule.to_owned(),
        source: node.origin.clone(),
        key_path: Some(key),
        unset: !there,
        effect,
        detail,
    }
}
