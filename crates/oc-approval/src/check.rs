//! `openclaw exec check`: one question in, one verdict out, under a fixed policy (exec-approval 14).
//!
//! Route gateway, enforcement `allowlist`, ask `on-miss`, not elevated, fallback `deny`, reads `non-sensitive`, no approvals file.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::allowlist::{Allowlist, Rule};
use crate::analysis::{Request, Rules, analyse};
use crate::decision::Verdict;
use crate::host_view::HostView;
use crate::plan::{Match, Plan, Standing};
use crate::safe_bin::usage::Terminal;

/// One question.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Question {
    /// Comes back in the answer.
    pub id: String,
    /// The command line.
    pub cmd: String,
    /// The working directory, absolute.
    pub cwd: String,
    /// `env` of the request.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The environment of the host of execution: `PATH` and `HOME` count.
    #[serde(default)]
    pub base_env: BTreeMap<String, String>,
    /// Listed programs.
    #[serde(default)]
    pub safe_bins: SafeBins,
    /// Allowed programs.
    #[serde(default)]
    pub allowlist: Vec<String>,
    /// Whether the run gets a terminal.
    #[serde(default)]
    pub pty: bool,
}

/// `"default"` or a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(untagged)]
pub enum SafeBins {
    /// The product's default list.
    #[default]
    Unset,
    /// A word; only `default` is one.
    Word(DefaultWord),
    /// These.
    Names(Vec<String>),
}

/// The word `default`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DefaultWord {
    /// The product's default list.
    Default,
}

/// One verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The question's; `null` when it could not be read.
    pub id: Option<String>,
    /// What happens.
    pub verdict: Verdict,
    /// The commands; empty when the line could not be read.
    pub segments: Vec<AnsweredSegment>,
    /// Stable word, or `word: detail`.
    pub reason: String,
}

/// One command of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AnsweredSegment {
    /// As analysed.
    pub argv: Vec<String>,
    /// The program as found.
    pub resolved_path: Option<String>,
    /// `safe-bin`, `allowlist:<pattern>`, `skill` or nothing.
    pub matched: Option<String>,
}

/// Answers one line of JSON.
#[must_use]
pub fn answer_line(line: &[u8], view: &dyn HostView) -> Answer {
    match serde_json::from_slice::<Question>(line) {
        Ok(question) => answer(&question, view),
        Err(_) => bad_request(),
    }
}

/// The answer to a line that is no question.
#[must_use]
pub fn bad_request() -> Answer {
    Answer { id: None, verdict: Verdict::Deny, segments: Vec::new(), reason: "bad-request".to_owned() }
}

/// Answers one question.
#[must_use]
pub fn answer(question: &Question, view: &dyn HostView) -> Answer {
    let plan = plan(question, view);
    Answer {
        id: Some(question.id.clone()),
        verdict: match plan.standing() {
            Standing::Hit => Verdict::Allow,
            Standing::Miss => Verdict::Ask,
            Standing::Refused => Verdict::Deny,
        },
        reason: plan.miss.as_ref().map_or_else(|| "ok".to_owned(), crate::plan::Miss::text),
        segments: plan
            .segments
            .iter()
            .map(|s| AnsweredSegment {
                argv: s.argv.clone(),
                resolved_path: s.executable.as_ref().map(|e| e.path.clone()),
                matched: s.matched.as_ref().map(matched_text),
            })
            .collect(),
    }
}

/// The plan behind an answer.
#[must_use]
pub fn plan(question: &Question, view: &dyn HostView) -> Plan {
    let home = question.base_env.get("HOME").map(String::as_str);
    let listed: Vec<Rule> = question
        .allowlist
        .iter()
        .map(|p| Rule { pattern: p.clone(), arguments: None, directory: None })
        .collect();
    let mut rules = Rules { allowlist: Allowlist::compile(&listed, home), ..Rules::default() };
    if let SafeBins::Names(names) = &question.safe_bins {
        rules.safe_bins.clone_from(names);
    }
    let overrides: Vec<(String, String)> = question.env.iter().map(|(n, v)| (n.clone(), v.clone())).collect();
    let request = Request {
        text: &question.cmd,
        directory: &question.cwd,
        path: question.base_env.get("PATH").map(String::as_str),
        home,
        overrides: &overrides,
        terminal: if question.pty { Terminal::Present } else { Terminal::Absent },
    };
    analyse(&request, &rules, view)
}

/// The stable text of what admits a command.
#[must_use]
pub fn matched_text(by: &Match) -> String {
    match by {
        Match::SafeBin => "safe-bin".to_owned(),
        Match::Allowlist(pattern) => format!("allowlist:{pattern}"),
        Match::Skill => "skill".to_owned(),
    }
}
