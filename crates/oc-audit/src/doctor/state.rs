//! Directories, files and their modes; leftovers of older releases.

use std::path::{Path, PathBuf};

use oc_types::Severity;

use super::{Note, Repair, Step};
use crate::facts::{Kind, TextFact};
use crate::{AuditContext, Wanted};

/// State directories of older releases, below the home directory.
const LEGACY: [&str; 3] = [".clawdbot", ".moltbot", ".moldbot"];

/// How many of the latest sessions must have their transcript.
const RECENT: usize = 5;

struct Places {
    state: PathBuf,
    config: PathBuf,
    credentials: PathBuf,
    sessions: PathBuf,
    store: PathBuf,
    legacy: Vec<PathBuf>,
    /// Folders of the time before agents, and where they belong now.
    moved: [(PathBuf, PathBuf); 2],
}

impl Places {
    fn of(ctx: &AuditContext<'_>) -> Self {
        let p = &ctx.facts.places;
        let agent = p.state_dir.join("agents/main");
        let sessions = agent.join("sessions");
        let default_dir = p.state_dir == p.home.join(".openclaw");
        Self {
            state: p.state_dir.clone(),
            config: p.config.clone(),
            credentials: p.credentials.clone(),
            store: sessions.join("sessions.json"),
            legacy: if default_dir { LEGACY.iter().map(|n| p.home.join(n)).collect() } else { Vec::new() },
            moved: [
                (p.state_dir.join("sessions"), sessions.clone()),
                (p.state_dir.join("agent"), agent.join("agent")),
            ],
            sessions,
        }
    }
}

/// Modes and kinds of the places, and the session store.
pub fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    let p = Places::of(ctx);
    for path in [&p.state, &p.config, &p.credentials, &p.sessions, &p.store] {
        wanted.stat(path);
    }
    for path in p.legacy.iter().chain(p.moved.iter().flat_map(|(a, b)| [a, b])) {
        wanted.stat(path);
    }
    wanted.text(&p.store, Wanted::SMALL_FILE);
    for (_, transcript) in recent_transcripts(ctx, &p) {
        wanted.stat(transcript);
    }
}

/// Session key and transcript path of the latest sessions.
fn recent_transcripts(ctx: &AuditContext<'_>, places: &Places) -> Vec<(String, PathBuf)> {
    let TextFact::Text(text) = ctx.facts.text(&places.store) else { return Vec::new() };
    let Ok(serde_json::Value::Object(entries)) = serde_json::from_str(text) else { return Vec::new() };
    let mut all: Vec<(f64, String, PathBuf)> = entries
        .iter()
        .filter_map(|(key, e)| {
            let id = e.get("sessionId")?.as_str()?;
            // An id that could leave the folder is nobody's transcript (sessions-routing 4).
            let plain =
                !id.is_empty() && id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            plain.then(|| {
                let updated = e.get("updatedAt").and_then(serde_json::Value::as_f64).unwrap_or(0.0);
                (updated, key.clone(), places.sessions.join(format!("{id}.jsonl")))
            })
        })
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    all.into_iter().take(RECENT).map(|(_, key, path)| (key, path)).collect()
}

/// What is missing, too open, or left over.
pub fn examine(ctx: &AuditContext<'_>, notes: &mut Vec<Note>) {
    let p = Places::of(ctx);
    let state = ctx.facts.path(&p.state);
    if matches!(state.kind, Kind::Missing) {
        notes.push(note(
            "state.missing",
            Severity::Critical,
            format!("{} does not exist: nothing can be stored", p.state.display()),
            vec![Repair::CreateDirectory { path: p.state.clone() }],
        ));
    } else {
        too_open(ctx, &p.state, 0o700, "state.mode", Severity::Warn, notes);
        for (path, what) in [(&p.credentials, "credentials"), (&p.sessions, "sessions of the main agent")] {
            if matches!(ctx.facts.path(path).kind, Kind::Missing) {
                notes.push(note(
                    "state.directory-missing",
                    Severity::Info,
                    format!("the folder for the {what}, {}, does not exist yet", path.display()),
                    vec![Repair::CreateDirectory { path: path.clone() }],
                ));
            }
        }
    }
    too_open(ctx, &p.config, 0o600, "state.config-mode", Severity::Critical, notes);
    let present: Vec<&PathBuf> = p.legacy.iter().filter(|d| ctx.facts.path(d).is_dir()).collect();
    for old in present {
        let repairs = if state.exists() {
            Vec::new()
        } else {
            vec![Repair::MoveDirectory { from: old.clone(), to: p.state.clone(), leave_link: true }]
        };
        notes.push(note(
            "state.legacy-directory",
            Severity::Warn,
            format!(
                "{} is the state directory of an older release; look through it and remove it",
                old.display()
            ),
            repairs,
        ));
    }
    for (from, to) in &p.moved {
        if ctx.facts.path(from).is_dir() {
            let free = !ctx.facts.path(to).exists();
            notes.push(note(
                "state.legacy-layout",
                Severity::Warn,
                format!("{} belongs to {} now", from.display(), to.display()),
                if free {
                    vec![Repair::MoveDirectory { from: from.clone(), to: to.clone(), leave_link: false }]
                } else {
                    Vec::new()
                },
            ));
        }
    }
    for (key, transcript) in recent_transcripts(ctx, &p) {
        if matches!(ctx.facts.path(&transcript).kind, Kind::Missing) {
            notes.push(note(
                "state.transcript-missing",
                Severity::Warn,
                format!("session {key} has no transcript: {} does not exist", transcript.display()),
                Vec::new(),
            ));
        }
    }
}

/// Group or others may do anything at all with it. Links are judged by their target, and never changed.
fn too_open(
    ctx: &AuditContext<'_>,
    path: &Path,
    mode: u32,
    id: &str,
    severity: Severity,
    notes: &mut Vec<Note>,
) {
    let fact = ctx.facts.path(path);
    let (bits, link) = match &fact.kind {
        Kind::File | Kind::Directory => (fact.mode, false),
        Kind::Symlink(target) => (target.mode.unwrap_or(0), true),
        Kind::Missing | Kind::Special | Kind::Unknown(_) => return,
    };
    if bits & 0o077 == 0 {
        return;
    }
    let text = if link {
        format!(
            "{} is a link to something with mode {:04o}; it should be {mode:04o}: change the target yourself",
            path.display(),
            bits & 0o777
        )
    } else {
        format!("{} has mode {:04o}; it should be {mode:04o}", path.display(), bits & 0o777)
    };
    let repairs = if link { Vec::new() } else { vec![Repair::Chmod { path: path.to_owned(), mode }] };
    notes.push(note(id, severity, text, repairs));
}

fn note(id: &str, severity: Severity, text: String, repairs: Vec<Repair>) -> Note {
    Note { step: Step::State, id: id.to_owned(), severity, text, keys: Vec::new(), repairs }
}
