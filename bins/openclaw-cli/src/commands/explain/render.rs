//! An answer as text, 80 columns.

use oc_text::visible::visible;
use oc_types::{Effect, Explanation, KeyPath, Origin, TraceStep};

const COLUMNS: usize = 80;
/// Longest piece of text taken from a configuration.
const CAP: usize = 400;

/// Renders an answer.
pub fn text(e: &Explanation) -> String {
    let mut out = String::new();
    line(&mut out, 0, &format!("{}: {} ({})", e.subject, e.verdict, e.reason));
    for (key, value) in &e.facts {
        let shown = match value {
            serde_json::Value::String(s) => s.clone(),
            serde_json::Value::Bool(_) | serde_json::Value::Number(_) => value.to_string(),
            serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => continue,
        };
        line(&mut out, 2, &format!("{key}: {shown}"));
    }
    let d = &e.decided_by;
    line(&mut out, 2, &format!("decided by {}, rule {}", d.layer, d.rule));
    line(&mut out, 4, &place(d.key_path.as_ref(), &d.source, d.unset));
    if !e.trace.is_empty() {
        out.push_str("\nRules, in order:\n");
        e.trace.iter().for_each(|s| step(&mut out, s));
    }
    if !e.flip.is_empty() {
        out.push_str("\nTo change the answer:\n");
    }
    for f in &e.flip {
        if f.change.starts_with("--") {
            // It is copied into a shell: it stays on one line, however long.
            out.push_str(&format!("  {}\n", visible(&f.change, 4 * CAP)));
        } else {
            line(&mut out, 2, &f.change);
        }
        let more = if f.opens.is_empty() { String::new() } else { format!("; {}", f.opens) };
        line(&mut out, 4, &format!("-> {}{more}", f.verdict));
    }
    if !e.notes.is_empty() {
        out.push_str("\nNotes:\n");
        e.notes.iter().for_each(|n| line(&mut out, 2, n));
    }
    out
}

fn step(out: &mut String, s: &TraceStep) {
    let effect = match s.effect {
        Effect::Keeps => "keeps",
        Effect::Removes => "removes",
        Effect::Admits => "admits",
        Effect::Holds => "holds",
        Effect::Inert => "no effect",
        Effect::Absent => "not set",
    };
    line(out, 2, &format!("{}, {}: {effect}", s.layer, s.rule));
    line(out, 4, &place(s.key_path.as_ref(), &s.source, s.unset));
    if !s.detail.is_empty() {
        line(out, 4, &s.detail);
    }
}

fn place(key: Option<&KeyPath>, source: &Origin, unset: bool) -> String {
    match (key, unset, source) {
        (None, _, Origin::Builtin) => "built in".to_owned(),
        (None, _, source) => format!("at {source}"),
        (Some(key), false, Origin::Env { behind: None, .. } | Origin::CommandLine) => {
            format!("{key} from {source}")
        }
        (Some(key), true, Origin::Default) => format!("{key} (unset, default)"),
        (Some(key), true, source) => format!("{key} (unset; nearest: {source})"),
        (Some(key), false, source) => format!("{key} at {source}"),
    }
}

/// One paragraph, wrapped at spaces.
pub fn line(out: &mut String, indent: usize, text: &str) {
    let text = visible(text, 4 * CAP);
    let mut column = 0;
    for word in text.split(' ') {
        let width = word.chars().count();
        if column == 0 {
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if column + 1 + width > COLUMNS {
            out.push('\n');
            out.push_str(&" ".repeat(indent + 2));
            column = indent + 2;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out.push('\n');
}
