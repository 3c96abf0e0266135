//! What leaves the gate: credentials masked (SP-014), and paths of the host taken out of what a sandboxed session reads (SP-245).

use oc_policy::sandbox::{AGENT_MOUNT, SandboxPlan};
use oc_text::Redactor;
use serde_json::Value as Json;

use super::answer::{Content, ToolResult};

/// Masks a result. A remark says so, because a model that writes a masked text back would destroy the value.
pub(super) fn redacted(redactor: &Redactor, result: ToolResult) -> ToolResult {
    let mut masked = false;
    let mut clean = |text: String| {
        if !redactor.may_find(&text) {
            return text;
        }
        let out = redactor.redact(&text);
        masked |= out != text;
        out
    };
    let content: Vec<Content> = result
        .content
        .into_iter()
        .map(|c| match c {
            Content::Text { text } => Content::Text { text: clean(text) },
            image @ Content::Image { .. } => image,
        })
        .collect();
    let details = result.details.into_iter().map(|(k, v)| (k, strings(v, &mut clean))).collect();
    let mut out = ToolResult { outcome: result.outcome, content, details };
    if masked {
        let text = "[values that look like credentials are masked in this result; do not write it back]";
        out.content.push(Content::Text { text: text.to_owned() });
        out.details.insert("masked".to_owned(), true.into());
    }
    out
}

fn strings(value: Json, clean: &mut impl FnMut(String) -> String) -> Json {
    match value {
        Json::String(s) => clean(s).into(),
        Json::Array(items) => items.into_iter().map(|v| strings(v, clean)).collect(),
        Json::Object(members) => {
            Json::Object(members.into_iter().map(|(k, v)| (k, strings(v, clean))).collect())
        }
        other => other,
    }
}

/// Directories of the host and what they are called inside, longest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Aliases(Vec<(String, String)>);

impl Aliases {
    /// For a sandboxed session. `working` is the directory of the host that it works in.
    pub fn of(plan: &SandboxPlan, working: &str, agent_workspace: &str, state_dir: &str) -> Self {
        let workdir = plan.settings.docker.workdir.value.clone();
        let mut pairs = vec![
            (working.to_owned(), workdir),
            (agent_workspace.to_owned(), AGENT_MOUNT.to_owned()),
            (state_dir.to_owned(), "(host)".to_owned()),
        ];
        pairs.retain(|(from, _)| from.len() > 1);
        pairs.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
        Self(pairs)
    }

    /// The text with the host's directories renamed.
    pub fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |t, (from, to)| t.replace(from.as_str(), to))
    }
}
