//! Model credentials: logins that have run out.

use std::path::PathBuf;

use oc_types::Severity;

use super::{Note, Step};
use crate::facts::{Kind, TextFact};
use crate::{AuditContext, Wanted};

/// The `auth-profiles.json` of every agent directory on disk.
fn profile_files(ctx: &AuditContext<'_>) -> Vec<(String, PathBuf)> {
    let agents = ctx.facts.places.state_dir.join("agents");
    let Some(listing) = ctx.facts.listing(&agents) else { return Vec::new() };
    listing
        .entries
        .iter()
        .filter(|e| e.kind == Kind::Directory)
        .map(|e| {
            let id = e.name.display().to_string();
            (id, agents.join(&e.name).join("agent/auth-profiles.json"))
        })
        .collect()
}

/// The listing of `agents/`, then each agent's profiles.
pub fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    wanted.list(ctx.facts.places.state_dir.join("agents"));
    for (_, file) in profile_files(ctx) {
        wanted.text(file, Wanted::SMALL_FILE);
    }
}

/// Profiles whose `expires` lies in the past, and files that cannot be read as profiles.
pub fn examine(ctx: &AuditContext<'_>, notes: &mut Vec<Note>) {
    for (agent, file) in profile_files(ctx) {
        let text = match ctx.facts.text(&file) {
            TextFact::Text(text) => text,
            TextFact::Missing => continue,
            TextFact::Unusable(why) => {
                let text = format!(
                    "{} cannot be read ({why}): agent {agent} has no model credentials",
                    file.display()
                );
                notes.push(note("credentials.unreadable", Severity::Critical, text));
                continue;
            }
        };
        let Ok(json) = serde_json::from_str::<serde_json::Value>(text) else {
            notes.push(note(
                "credentials.unreadable",
                Severity::Critical,
                format!(
                    "{} is no JSON: agent {agent} has no model credentials until it is repaired",
                    file.display()
                ),
            ));
            continue;
        };
        let profiles = json.get("profiles").and_then(|p| p.as_object()).into_iter().flatten();
        for (name, profile) in profiles {
            let expires = profile.get("expires").and_then(serde_json::Value::as_f64);
            let refreshable =
                profile.get("refresh").is_some_and(|r| r.as_str().is_some_and(|s| !s.is_empty()));
            if expires.is_some_and(|ms| ms > 0.0 && ms < ctx.facts.now_ms as f64) && !refreshable {
                notes.push(note(
                    "credentials.expired",
                    Severity::Warn,
                    format!(
                        "the login {name} of agent {agent} has expired and cannot renew itself: log in again"
                    ),
                ));
            }
        }
    }
}

fn note(id: &str, severity: Severity, text: String) -> Note {
    Note { step: Step::Credentials, id: id.to_owned(), severity, text, keys: Vec::new(), repairs: Vec::new() }
}
