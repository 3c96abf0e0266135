//! The text of a file with its credentials replaced, line for line.

use std::collections::HashSet;
use std::path::Path;

use jsonc_parser::ast::{self, ObjectPropName};
use jsonc_parser::common::Ranged;
use oc_text::Redactor;
use oc_text::redact::SENTINEL;
use oc_types::{KeyPath, Segment};
use serde_json::Value as Json;

use super::hidden_leaves;
use crate::document::{self, Format, Frame, json5_positions};

/// Shortest credential that is also looked for elsewhere in the text (in a comment, say), in bytes.
const MIN_ELSEWHERE: usize = 6;

/// Most different credentials that are looked for elsewhere: each costs a pass over the text. A text with more is not shown.
const MAX_ELSEWHERE: usize = 500;

/// The text with the same leaves hidden as in the other views, the same texts hidden wherever else they occur, and credentials in
/// comments masked. Line breaks stay where they are, so lines can be compared. `None` when the text cannot be read: then nothing of
/// it may be shown.
#[must_use]
pub fn redacted_text(file: &Path, text: &str, format: Format) -> Option<String> {
    let frame = Frame::root(file.to_string_lossy().as_ref());
    let tree = document::parse(&frame, text.as_bytes(), format).ok()?.node.to_json();
    let hidden: HashSet<KeyPath> = hidden_leaves(&tree).into_iter().collect();
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut out = match format {
        Format::Json5 | Format::Yaml => {
            let parsed = json5_positions(bare)?;
            let mut ranges = Vec::new();
            json5_ranges(&KeyPath::root(), &parsed, &hidden, &mut ranges);
            replaced(bare, ranges)?
        }
        Format::Toml => {
            let doc = toml_edit::Document::parse(bare).ok()?;
            let mut ranges = Vec::new();
            for path in &hidden {
                ranges.push(toml_range(doc.as_item(), path)?);
            }
            replaced(bare, ranges)?
        }
    };
    let mut secrets: Vec<String> = Vec::new();
    for path in &hidden {
        texts(at(&tree, path), &mut secrets);
    }
    secrets.retain(|s| s.len() >= MIN_ELSEWHERE && s != SENTINEL);
    secrets.sort_by(|a, b| (b.len(), b).cmp(&(a.len(), a)));
    secrets.dedup();
    if secrets.len() > MAX_ELSEWHERE {
        return None;
    }
    for secret in &secrets {
        out = out.replace(secret.as_str(), SENTINEL);
    }
    Some(Redactor::standard().redact(&out))
}

fn at<'a>(tree: &'a Json, path: &KeyPath) -> Option<&'a Json> {
    path.segments().iter().try_fold(tree, |here, s| match s {
        Segment::Key(k) => here.get(k),
        Segment::Index(i) => here.get(*i),
    })
}

/// Every text in a value.
fn texts(value: Option<&Json>, out: &mut Vec<String>) {
    match value {
        Some(Json::String(s)) => out.push(s.clone()),
        Some(Json::Object(o)) => o.values().for_each(|v| texts(Some(v), out)),
        Some(Json::Array(a)) => a.iter().for_each(|v| texts(Some(v), out)),
        _ => {}
    }
}

/// The places of hidden leaves; of a key that stands twice, both.
fn json5_ranges(
    path: &KeyPath,
    value: &ast::Value<'_>,
    hidden: &HashSet<KeyPath>,
    out: &mut Vec<std::ops::Range<usize>>,
) {
    if hidden.contains(path) {
        out.push(value.range().start..value.range().end);
        return;
    }
    match value {
        ast::Value::Object(o) => {
            for p in &o.properties {
                let name = match &p.name {
                    ObjectPropName::String(s) => s.value.as_ref(),
                    ObjectPropName::Word(w) => w.value,
                };
                json5_ranges(&path.key(name), &p.value, hidden, out);
            }
        }
        ast::Value::Array(a) => {
            a.elements.iter().enumerate().for_each(|(i, e)| json5_ranges(&path.index(i), e, hidden, out));
        }
        ast::Value::StringLit(_)
        | ast::Value::NumberLit(_)
        | ast::Value::BooleanLit(_)
        | ast::Value::NullKeyword(_) => {}
    }
}

fn toml_range(root: &toml_edit::Item, path: &KeyPath) -> Option<std::ops::Range<usize>> {
    let mut here = root;
    for s in path.segments() {
        here = match s {
            Segment::Key(k) => here.get(k.as_str())?,
            Segment::Index(i) => here.get(*i)?,
        };
    }
    here.span()
}

fn replaced(text: &str, mut ranges: Vec<std::ops::Range<usize>>) -> Option<String> {
    ranges.sort_by_key(|r| r.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for r in ranges {
        if r.start < done {
            continue;
        }
        out.push_str(text.get(done..r.start)?);
        out.push_str(&format!("\"{SENTINEL}\""));
        let lines = text.get(r.clone())?.matches('\n').count();
        out.push_str(&"\n".repeat(lines));
        done = r.end;
    }
    out.push_str(text.get(done..)?);
    Some(out)
}
