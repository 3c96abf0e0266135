//! What a chat is asked about a command, as the seed draws it: the command, the directory, the agent, the session, the expiry.
//!
//! A command that cannot be shown whole is not offered for approval there (exec-approval 9.1).

use oc_policy::command::approve::ApproveWord;
use oc_text::{visible, visible_lines};

/// Longest command that is shown whole, in characters; a longer one can be answered at the terminal alone.
pub const MAX_COMMAND: usize = 1_500;

/// A request that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalPrompt {
    /// The request's id.
    pub id: String,
    /// The code a person types.
    pub code: String,
    /// The command.
    pub command: String,
    /// Its directory.
    pub directory: String,
    /// The agent.
    pub agent: String,
    /// The session.
    pub session: String,
    /// Where it would run: `sandbox`, `gateway`, `node NAME`, or what a person has to choose.
    pub host: String,
    /// The program that the first word means, when it is known.
    pub program: Option<String>,
    /// Security and ask mode in force.
    pub mode: String,
    /// Names of environment variables that are set for it; never values.
    pub environment: Vec<String>,
    /// Remarks of the analysis.
    pub warnings: Vec<String>,
    /// What may be answered.
    pub decisions: Vec<ApproveWord>,
    /// When it ends, Unix milliseconds.
    pub expires_ms: i64,
    /// Ids of the people who alone may press buttons; empty: no buttons.
    pub pressers: Vec<String>,
}

impl ApprovalPrompt {
    /// Whether the command is shown whole; if not, it is not answered here.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.command.chars().count() <= MAX_COMMAND
    }

    /// The text of the prompt.
    #[must_use]
    pub fn text(&self, now_ms: i64) -> String {
        let command = visible_lines(&self.command, MAX_COMMAND * 4);
        if !self.is_whole() {
            // Without its code: it cannot be answered from here by mistake.
            return format!(
                "A command of {} waits for approval and is too long to be shown here. Look at it with `openclaw approvals list` on the gateway's machine.",
                visible(&self.agent, 80),
            );
        }
        let mut out = format!("Approve this command?\n\n```\n{}\n```\n", command.replace("```", "` ` `"));
        let mut row = |name: &str, value: &str| {
            if !value.trim().is_empty() {
                out.push_str(&format!("{name}: {}\n", visible(value, 300)));
            }
        };
        row("Directory", &self.directory);
        row("Agent", &self.agent);
        row("Session", &self.session);
        row("Runs on", &self.host);
        row("Program", self.program.as_deref().unwrap_or_default());
        row("Mode", &self.mode);
        row("Sets", &self.environment.join(", "));
        for warning in &self.warnings {
            row("Careful", warning);
        }
        let seconds = self.expires_ms.saturating_sub(now_ms).max(0) / 1000;
        row("Ends in", &format!("{} min {:02} s", seconds / 60, seconds % 60));
        out.push('\n');
        let code = visible(&self.code, 40);
        if self.decisions.contains(&ApproveWord::AllowOnce) {
            out.push_str(&format!("Allow once: /approve {code}\n"));
        }
        if self.decisions.contains(&ApproveWord::AllowAlways) {
            out.push_str(&format!("Allow always: /approve {code} always\n"));
        }
        out.push_str(&format!("Refuse: /deny {code}"));
        out
    }
}
