//! Rooms or defaults that switch inner reasoning or tool output on (seed: reasoning and verbose output in groups).

use oc_types::{KeyPath, Severity};

use super::open_doors;
use crate::{AuditContext, Findings, Wanted, agents};

/// Most sessions that a finding lists.
const LISTED: usize = 12;

pub(super) fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    for dir in agents::directories(ctx) {
        wanted.text(agents::session_store(&dir), Wanted::SMALL_FILE);
    }
}

/// The settings: stored member, default keys, finding.
const SETTINGS: [(&str, [&str; 2], &str); 2] = [
    ("reasoningLevel", ["reasoningDefault", "reasoningLevel"], "sessions.reasoning_in_group"),
    ("verboseLevel", ["verboseDefault", "verboseLevel"], "sessions.verbose_in_group"),
];

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let rooms = open_doors::admitted_rooms(ctx);
    for (member, defaults, id) in SETTINGS {
        if !rooms.is_empty() {
            for key in defaults {
                let keys = ["agents", "defaults", key];
                if ctx.text(&keys).is_some_and(is_on) || ctx.flag(&keys) == Some(true) {
                    let path = KeyPath::keys(keys);
                    out.report(id, Severity::Warn)
                        .detail(format!("`{path}` is on, and rooms get what it shows"))
                        .key(ctx.key_at(&path));
                }
            }
        }
        for dir in agents::directories(ctx) {
            let store = agents::session_store(&dir);
            let sessions = in_rooms(ctx.facts.text(&store).as_str().unwrap_or_default(), member);
            if !sessions.is_empty() {
                let shown: Vec<&str> = sessions.iter().take(LISTED).map(String::as_str).collect();
                out.report(id, Severity::Warn)
                    .detail(format!(
                        "{}: `{member}` is on for {} sessions of rooms: {}",
                        store.display(),
                        sessions.len(),
                        shown.join(", ")
                    ))
                    .path(store);
            }
        }
    }
}

fn is_on(word: &str) -> bool {
    !matches!(word.trim().to_lowercase().as_str(), "" | "off" | "false" | "none")
}

/// The sessions of rooms whose entry has `member` on.
fn in_rooms(text: &str, member: &str) -> Vec<String> {
    if !text.contains(member) {
        return Vec::new();
    }
    let Ok(serde_json::Value::Object(sessions)) = serde_json::from_str(text) else { return Vec::new() };
    let on = |v: &serde_json::Value| match v.get(member) {
        Some(serde_json::Value::String(s)) => is_on(s),
        Some(serde_json::Value::Bool(b)) => *b,
        _ => false,
    };
    let room = |key: &str| key.contains(":group:") || key.contains(":channel:");
    sessions.iter().filter(|(k, v)| room(k) && on(v)).map(|(k, _)| k.clone()).collect()
}
