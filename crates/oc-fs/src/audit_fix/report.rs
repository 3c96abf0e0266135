//! What a fix did, or would do: as JSON and as text.

use std::path::Path;

use oc_audit::fix::{self, ModeChange, ModeTarget};
use oc_audit::text_block::{Block, short_home};
use oc_config::Locations;
use serde_json::{Value, json};

use crate::narrow::Outcome;

/// What was done, or would be.
#[derive(Debug, Default)]
pub struct FixReport {
    pub(super) config_written: bool,
    pub(super) dry_run: bool,
    pub(super) changes: Vec<String>,
    pub(super) diff: String,
    pub(super) actions: Vec<(ModeChange, Outcome)>,
    pub(super) errors: Vec<String>,
}

impl FixReport {
    /// Whether a configuration file is another now.
    #[must_use]
    pub fn config_written(&self) -> bool {
        self.config_written
    }

    /// The difference of the configuration files, credentials hidden.
    #[must_use]
    pub fn diff(&self) -> &str {
        &self.diff
    }

    /// What went wrong.
    #[must_use]
    pub fn errors(&self) -> &[String] {
        &self.errors
    }

    /// The fix object.
    #[must_use]
    pub fn json(&self, places: &Locations) -> Value {
        let actions: Vec<Value> = self.actions.iter().map(|(c, o)| action(c, o)).collect();
        let mut out = json!({
            "ok": self.errors.is_empty(),
            "stateDir": places.state_dir.to_string_lossy(),
            "configPath": places.config.to_string_lossy(),
            "configWritten": self.config_written,
            "changes": self.changes,
            "actions": actions,
            "errors": self.errors,
        });
        if self.dry_run
            && let Value::Object(members) = &mut out
        {
            members.insert("dryRun".to_owned(), true.into());
            members.insert("diff".to_owned(), self.diff.clone().into());
        }
        out
    }

    /// The block between heading and findings.
    #[must_use]
    pub fn text(&self, places: &Locations, colour: bool) -> String {
        let mut out = Block::new(colour);
        out.blank();
        out.bold(if self.dry_run { "FIX (dry run, nothing was changed)" } else { "FIX" });
        let short =
            |path: &Path| short_home(&oc_text::visible(&path.display().to_string(), 1_000), &places.home);
        let mut quiet = true;
        for change in &self.changes {
            quiet = false;
            out.indented(if self.dry_run { "would set " } else { "set " }, &oc_text::visible(change, 1_000));
        }
        for (change, outcome) in &self.actions {
            let path = short(&change.path);
            match outcome {
                Outcome::Changed { before, after } => {
                    quiet = false;
                    let verb = if self.dry_run { "would chmod" } else { "chmod" };
                    out.indented("", &format!("{verb} {after:04o} {path} (was {before:04o})"));
                }
                Outcome::Skipped(fix::Skip::Already | fix::Skip::Missing) => {}
                Outcome::Skipped(skip) => {
                    quiet = false;
                    out.indented("", &format!("left alone {path}: {}", skip.as_str()));
                }
                Outcome::Failed(why) => {
                    quiet = false;
                    out.indented("", &format!("failed {path}: {why}"));
                }
            }
        }
        for error in &self.errors {
            quiet = false;
            out.indented("error: ", &oc_text::visible(error, 1_000));
        }
        if quiet {
            out.indented("", "nothing to change");
        }
        let mut text = out.finish();
        if self.dry_run && !self.diff.is_empty() {
            text.push('\n');
            text.push_str(&self.diff);
        } else if !self.dry_run && !quiet {
            text.push_str("  `openclaw security undo` puts it back.\n");
        }
        text
    }
}

fn action(change: &ModeChange, outcome: &Outcome) -> Value {
    let mode = match (outcome, change.target) {
        (Outcome::Changed { after, .. }, _) => *after,
        (_, ModeTarget::Exact(bits) | ModeTarget::AtMost(bits)) => bits,
    };
    let mut out = json!({ "kind": "chmod", "path": change.path.to_string_lossy(), "mode": mode });
    let (ok, more) = match outcome {
        Outcome::Changed { .. } => (true, None),
        Outcome::Skipped(skip) => (false, Some(("skipped", skip.as_str().to_owned()))),
        Outcome::Failed(why) => (false, Some(("error", why.clone()))),
    };
    if let Value::Object(members) = &mut out {
        members.insert("ok".to_owned(), ok.into());
        if let Some((name, text)) = more {
            members.insert(name.to_owned(), text.into());
        }
    }
    out
}
