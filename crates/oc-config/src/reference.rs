//! The key list of the reference page, generated from the tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::schema::{Kind, Lowered, Place, notes, places};
use crate::validate::expected_text;

#[cfg(test)]
mod tests;

/// The list as Markdown, one table a section. Accounts take their channel's keys and are not repeated.
#[must_use]
pub fn keys_markdown() -> String {
    let mut sections: BTreeMap<usize, (String, Vec<Place>)> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    for place in places() {
        let name = place.pattern.split(['.', '[']).next().unwrap_or_default().to_owned();
        let at = order.iter().position(|s| *s == name).unwrap_or_else(|| {
            order.push(name.clone());
            order.len() - 1
        });
        sections.entry(at).or_insert_with(|| (name, Vec::new())).1.push(place);
    }
    let mut out = String::new();
    for (name, places) in sections.into_values() {
        let _ = writeln!(out, "### `{name}`\n\n| key | takes | default | |\n|---|---|---|---|");
        for place in places.iter().filter(|p| is_listed(p)) {
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} |",
                place.pattern,
                takes(&place.key.kind),
                default(&place.pattern),
                remarks(place)
            );
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn is_listed(place: &Place) -> bool {
    let object = place.key.kind.shape().is_some() || matches!(place.key.kind, Kind::List(Kind::Object(_)));
    let told = notes::of(&place.pattern).is_some() || place.key.product || place.key.dangerous.is_some();
    !place.pattern.contains(".accounts.*.") && (!object || told || !place.pattern.contains('.'))
}

fn takes(kind: &Kind) -> String {
    expected_text(kind).replace('|', "\\|").replace('*', "\\*")
}

fn default(pattern: &str) -> String {
    let general = pattern.split_once('.').and_then(|(first, rest)| {
        let (_, key) = rest.split_once('.')?;
        (first == "channels").then(|| format!("channels.*.{key}"))
    });
    let row = crate::defaults::table()
        .iter()
        .find(|r| r.key == pattern || Some(r.key) == general.as_deref())
        .filter(|r| r.value != "-");
    row.map_or_else(String::new, |r| format!("`{}`", r.value))
}

fn remarks(place: &Place) -> String {
    let mut parts: Vec<String> = Vec::new();
    if place.key.secret {
        parts.push("credential".to_owned());
    }
    match place.key.dangerous {
        Some(Lowered::On) => parts.push("lowers a guard when true".to_owned()),
        Some(Lowered::Off) => parts.push("lowers a guard when false".to_owned()),
        Some(Lowered::Word(word)) => parts.push(format!("`{word}` lowers a guard")),
        Some(Lowered::Filled) => parts.push("hides findings".to_owned()),
        None => {}
    }
    if place.key.product {
        parts.push("not in 2026.2".to_owned());
    }
    if let Some(note) = notes::of(&place.pattern) {
        parts.push(note.to_owned());
    }
    parts.join("; ").replace('|', "\\|")
}
