//! One evaluation: the line analysed, decided, and whether somebody can be asked.

use oc_policy::elevated::{self, Asked, ElevatedGate, ExecElevation, ExecPolicy, LevelDecision, Turn};
use oc_policy::exec_route::Host;
use oc_policy::explain_tool;
use oc_policy::inventory::Inventory;
use oc_policy::sandbox::{Sandboxing, is_sandboxed_for};
use oc_policy::tool_policy::Context;
use oc_types::{DecidedBy, KeyPath, Node};

use super::{Approvers, ExplainError, Question, settings};
use crate::allowlist::Rule;
use crate::analysis::{Request, analyse};
use crate::decision::{
    self, Code, Decision, File, LineFacts, Requested, SessionOverride, Verdict, decide, unanswered,
};
use crate::plan::{Miss, Plan, Standing};

/// What an evaluation found.
pub(super) struct State {
    pub(super) sandboxing: Sandboxing,
    pub(super) gate: ElevatedGate,
    pub(super) level: LevelDecision,
    pub(super) elevation: ExecElevation,
    pub(super) requested: Requested,
    pub(super) plan: Plan,
    pub(super) decision: Decision,
    /// The layer of the tool policy that denies `exec`.
    pub(super) denied_tool: Option<DecidedBy>,
    pub(super) reach: Reach,
    pub(super) verdict: Verdict,
    pub(super) reason: String,
}

/// Whether a question reaches somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Operator,
    /// By the forwarding of `approvals.exec`.
    Chat,
    Nobody,
    Unknown,
}

impl State {
    /// Evaluates for a configuration, a text and one more entry of the allow list.
    pub(super) fn of(
        q: &Question<'_>,
        config: &Node,
        text: &str,
        more: Option<&Rule>,
    ) -> Result<Self, ExplainError> {
        let agent = &q.subject.agent;
        let sandboxing = is_sandboxed_for(config, agent, Some(&q.subject.session))?;
        let denied_tool = denied_tool(q, config)?;
        let gate = elevated::gate(config, agent, q.channel, &q.sender, Turn::Person);
        let level = elevated::level(&gate, config, Asked { inline: q.directive, session: None })?;
        let policy = if denied_tool.is_some() { ExecPolicy::Denies } else { ExecPolicy::Permits };
        let elevation = elevated::for_exec(&gate, level.level, None, policy);
        let rules = settings::rules(config, agent, q.approvals, q.request.home, q.state_directory, more);
        let plan = analyse(&Request { text, ..q.request }, &rules, q.view);
        let requested = Requested::read(config, agent);
        let file = q.approvals.file(agent);
        let decide = |file: &File, line: &LineFacts| {
            decide(&decision::Question {
                requested: &requested,
                session: &SessionOverride::default(),
                call: q.call,
                runs: sandboxing.runs,
                elevated: elevation,
                file,
                line,
            })
        };
        let mut line = LineFacts::of(&plan);
        let mut decision = decide(&file, &line);
        if decision.route == Host::Node {
            // The node reads the line, under its own file; here only what nobody may ask for is seen, and no code in arguments.
            let here = plan.miss.as_ref().is_some_and(|m| m.is_refusal() && m.word != "no-directory");
            if !here {
                line = LineFacts { standing: Standing::Hit, code: Code::Inline, miss: None };
            }
            decision = decide(&File::Absent, &line);
            if decision.verdict == Verdict::Allow {
                decision.reason = "node".to_owned();
            }
        }
        let reach = reach(q, config);
        let (verdict, reason) = if denied_tool.is_some() {
            (Verdict::Deny, "tool-policy".to_owned())
        } else if decision.verdict == Verdict::Ask && reach == Reach::Nobody {
            match unanswered(&decision, &line) {
                found if found.verdict == Verdict::Allow => (Verdict::Allow, found.reason.to_owned()),
                _ => (Verdict::Deny, "no-approval-route".to_owned()),
            }
        } else {
            let by_line = plan.miss.as_ref().filter(|m| decision.reason == m.text());
            (decision.verdict, by_line.map_or_else(|| decision.reason.clone(), short))
        };
        Ok(Self {
            sandboxing,
            gate,
            level,
            elevation,
            requested,
            plan,
            decision,
            denied_tool,
            reach,
            verdict,
            reason,
        })
    }
}

/// The stable word; of an option also its name.
fn short(miss: &Miss) -> String {
    match option(miss) {
        Some(option) => format!("option: {option}"),
        None => miss.word.clone(),
    }
}

/// The option that a miss is about.
pub(super) fn option(miss: &Miss) -> Option<&str> {
    let found = miss.detail.split(' ').find(|w| w.len() > 1 && w.starts_with('-'));
    found.filter(|_| miss.word == "option")
}

fn denied_tool(q: &Question<'_>, config: &Node) -> Result<Option<DecidedBy>, ExplainError> {
    let answer = explain_tool::explain(&explain_tool::Question {
        config,
        inventory: &Inventory::standard(),
        context: Context {
            session_key: Some(q.subject.session.as_str()),
            channel: q.channel,
            sender: oc_policy::sender::Sender {
                id: q.sender.id,
                e164: q.sender.e164,
                username: q.sender.username,
                name: q.sender.name,
            },
            ids_from: oc_policy::tool_policy::IdsFrom::Adapter,
            ..Context::default()
        },
        tool: "exec",
        model_sees_images: None,
    })?;
    Ok((answer.verdict != explain_tool::ALLOWED).then_some(answer.decided_by))
}

fn reach(q: &Question<'_>, config: &Node) -> Reach {
    let forwards = config.at(&forwarding()).and_then(Node::as_bool) == Some(true);
    let agents = config.path(&["approvals", "exec", "agentFilter"]).and_then(Node::entries);
    let forwards =
        forwards && agents.is_none_or(|a| a.is_empty() || a.iter().any(|a| a == q.subject.agent.as_str()));
    match q.approvers {
        Approvers::Present => Reach::Operator,
        Approvers::Absent | Approvers::Unknown if forwards => Reach::Chat,
        Approvers::Absent => Reach::Nobody,
        Approvers::Unknown => Reach::Unknown,
    }
}

/// The key that forwards requests to chats.
pub(super) fn forwarding() -> KeyPath {
    KeyPath::dotted("approvals.exec.enabled")
}
