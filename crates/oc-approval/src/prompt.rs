//! A request as a person sees it (SP-190 to SP-193; seed B: command, working directory, agent, session key, expiry).
//!
//! Everything comes from the record, which was made of the plan that is judged again and run. Characters that cannot be seen are
//! written out, credentials are masked; what an answer binds are the exact bytes. A command that does not fit whole is not approvable in
//! that place.

#[cfg(test)]
mod tests;

use oc_text::redact::Redactor;
use oc_text::visible::{is_plain, visible};
use unicode_width::UnicodeWidthChar;

use crate::life_cycle::{Decision, Record, State, Target};

/// Columns of a prompt.
pub const WIDTH: usize = 80;
/// Column in which values start.
const INDENT: usize = 13;
/// Room for the longest `\u{10ffff}` spelling of every byte of the longest command.
const UNCUT: usize = usize::MAX;

/// A prompt and whether it may be approved where it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Lines of at most [`WIDTH`] columns.
    pub text: String,
    /// Whether an allowing answer may be given to it.
    pub approvable: Approvable,
}

/// Whether a request may be approved where it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approvable {
    /// All of it is shown.
    Here,
    /// It does not fit; it can only be denied here.
    NotHere,
}

/// The prompt of a request. `limit`: most characters of a message in that place.
#[must_use]
pub fn prompt(record: &Record, now_ms: u64, limit: usize) -> Prompt {
    let mut lines = vec!["A command waits for your approval.".to_owned()];
    lines.extend(facts(record, now_ms));
    lines.extend(answers(record));
    let text = joined(&lines);
    if text.chars().count() <= limit {
        return Prompt { text, approvable: Approvable::Here };
    }
    let request = &record.request;
    let count = request.command.chars().count();
    let mut lines = vec![
        format!("A command of {count} characters waits for approval."),
        "It is too long to be shown here, so it cannot be approved here.".to_owned(),
    ];
    row(&mut lines, "Agent", &shown(&request.agent_id));
    row(&mut lines, "Session", &shown(&request.session_key));
    row(&mut lines, "Expires", &expiry(record, now_ms));
    row(&mut lines, "Code", &record.code);
    lines.push(format!("See it whole: `openclaw approvals watch`. Refuse it here: `/deny {}`", record.code));
    let text = joined(&lines.iter().flat_map(|l| folded(l, WIDTH)).collect::<Vec<_>>());
    Prompt { text: text.chars().take(limit).collect(), approvable: Approvable::NotHere }
}

/// What is asked, one fact a row, complete whatever its length.
#[must_use]
pub fn facts(record: &Record, now_ms: u64) -> Vec<String> {
    let request = &record.request;
    let mut out = Vec::new();
    row(&mut out, "Command", &shown(&request.command));
    let words = |argv: &[String]| argv.iter().map(|w| shown(w)).collect::<Vec<_>>().join(" ");
    // The words after wildcards and quotes, when the text alone does not show them.
    if request.segments.iter().any(|s| s.argv.iter().any(|w| !request.command.contains(w.as_str()))) {
        let means: Vec<String> = request.segments.iter().map(|s| words(&s.argv)).collect();
        row(&mut out, "Means", &means.join(" ; "));
    }
    row(&mut out, "Directory", &shown(&request.cwd));
    row(&mut out, "Agent", &shown(&request.agent_id));
    row(&mut out, "Session", &shown(&request.session_key));
    row(&mut out, "Expires", &expiry(record, now_ms));
    for part in &request.segments {
        let word = part.argv.first().map_or_else(String::new, |w| shown(w));
        match &part.resolved_path {
            Some(path) if *path == word => row(&mut out, "Program", &shown(path)),
            Some(path) => row(&mut out, "Program", &format!("{word} = {}", shown(path))),
            None => row(&mut out, "Program", &format!("{word}: not found")),
        }
    }
    let host = match &request.node_id {
        Some(node) => format!("{} {}", request.host.word(), shown(node)),
        None => request.host.word().to_owned(),
    };
    row(&mut out, "Host", &host);
    for file in record.binding.operands() {
        row(&mut out, "Script", &shown(&file.path));
    }
    if !request.env_keys.is_empty() {
        let names: Vec<String> = request.env_keys.iter().map(|k| shown(k)).collect();
        row(&mut out, "Sets", &names.join(", "));
    }
    row(&mut out, "Rules", &format!("security {}, ask {}", request.security.word(), request.ask.word()));
    row(&mut out, "Code", &record.code);
    row(&mut out, "Id", &shown(&record.id));
    if !request.command.chars().all(is_plain) {
        note(&mut out, "characters that cannot be seen are written as `\\n`, `\\t` or `\\u{..}`");
    }
    for warning in &request.warnings {
        note(&mut out, &shown(warning));
    }
    out
}

/// How it can be answered.
fn answers(record: &Record) -> Vec<String> {
    if record.state != State::Pending {
        return Vec::new();
    }
    let code = &record.code;
    let mut ways = Vec::new();
    let targets = record.request.targets();
    for decision in record.request.allowed_decisions() {
        match decision {
            Decision::AllowOnce if targets.is_empty() => ways.push(format!("once: `/approve {code}`")),
            Decision::AllowOnce => ways.extend(targets.iter().map(|t| match t {
                Target::Sandbox => format!("once, in the sandbox: `/approve {code} once sandbox`"),
                Target::Host => format!("once, on the host: `/approve {code} once host`"),
            })),
            Decision::AllowAlways => ways.push(format!("always: `/approve {code} always`")),
            Decision::Deny => ways.push(format!("no: `/deny {code}`")),
        }
    }
    ways.into_iter().map(|w| format!("  {w}")).collect()
}

/// Text of a requester, for one line: credentials masked, everything visible, nothing cut.
#[must_use]
pub fn shown(text: &str) -> String {
    visible(&Redactor::standard().redact(text), UNCUT)
}

/// `in 4 min 10 s` or `expired`.
#[must_use]
pub fn expiry(record: &Record, now_ms: u64) -> String {
    if record.is_late(now_ms) {
        return "expired".to_owned();
    }
    format!("in {}", span(record.expires_at_ms.saturating_sub(now_ms)))
}

/// A time in words: `4 min 10 s`, `12 s`, `2 h 5 min`.
#[must_use]
pub fn span(ms: u64) -> String {
    let s = ms.div_ceil(1000);
    match (s / 3600, (s % 3600) / 60, s % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

fn row(out: &mut Vec<String>, label: &str, value: &str) {
    let mut first = true;
    for part in folded(value, WIDTH - INDENT) {
        let label = if first { label } else { "" };
        out.push(format!("  {label:<width$}{part}", width = INDENT - 2));
        first = false;
    }
}

fn note(out: &mut Vec<String>, text: &str) {
    let mut line = String::from("  Note:");
    for word in text.split(' ') {
        if columns(&line) + 1 + columns(word) > WIDTH && line.len() > 8 {
            out.push(line);
            line = "       ".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    out.extend(folded(&line, WIDTH));
}

/// Cut hard every `width` columns: a break between words would hide how many blanks there are.
fn folded(text: &str, width: usize) -> Vec<String> {
    let mut out = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    for c in text.chars() {
        let w = c.width().unwrap_or(1);
        if used + w > width {
            out.push(std::mem::take(&mut line));
            used = 0;
        }
        line.push(c);
        used += w;
    }
    out.push(line);
    out
}

fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(1)).sum()
}

fn joined(lines: &[String]) -> String {
    lines.iter().flat_map(|l| [l.as_str(), "\n"]).collect()
}
