//! New members of objects and new elements of lists, written like their neighbours.

use jsonc_parser::ast::{Array, Object};
use jsonc_parser::common::{Range, Ranged};
use serde_json::Value as Json;

use super::json5_style::Style;
use super::splice::{
    Splice, comma_after, has_break, indent_before, is_break, line_start, past_blanks, past_comment, rest,
};

/// A new last member of an object.
pub(super) fn add_member(
    text: &str,
    root: &Object<'_>,
    object: &Object<'_>,
    key: &str,
    value: &Json,
) -> Vec<Splice> {
    let style = Style::around(text, root, Some(object));
    let items: Vec<Range> = object.properties.iter().map(|p| p.range).collect();
    let head = format!("{}{}", style.key(key), style.colon);
    add(text, root, &style, object.range, &items, &head, value)
}

/// A new last element of a list.
pub(super) fn add_element(text: &str, root: &Object<'_>, list: &Array<'_>, value: &Json) -> Vec<Splice> {
    let mut style = Style::around(text, root, None);
    let items: Vec<Range> = list.elements.iter().map(Ranged::range).collect();
    let quote = items.last().and_then(|r| rest(text, r.start).chars().next());
    if let Some(quote) = quote.filter(|c| matches!(c, '"' | '\'')) {
        style.quote = quote;
    }
    add(text, root, &style, list.range, &items, "", value)
}

fn add(
    text: &str,
    root: &Object<'_>,
    style: &Style,
    container: Range,
    items: &[Range],
    head: &str,
    value: &Json,
) -> Vec<Splice> {
    match items.last() {
        Some(last) => after(text, style, container, items, *last, head, value),
        None => first(text, root, style, container, head, value),
    }
}

/// Behind the last of several.
fn after(
    text: &str,
    style: &Style,
    container: Range,
    items: &[Range],
    last: Range,
    head: &str,
    value: &Json,
) -> Vec<Splice> {
    let comma = comma_after(text, last.end).filter(|c| *c < container.end);
    let own_line = items.iter().rev().find_map(|i| indent_before(text, i.start));
    let Some(indent) = own_line else {
        // All on the line of the opening bracket.
        let written = format!("{head}{}", style.value(value, None));
        return vec![match comma {
            Some(c) => Splice::insert(c + 1, format!("{}{written},", style.gap)),
            None => Splice::insert(last.end, format!(",{}{written}", style.gap)),
        }];
    };
    let mut out = Vec::new();
    if comma.is_none() {
        out.push(Splice::insert(last.end, ","));
    }
    let at = end_of_line(text, comma.map_or(last.end, |c| c + 1));
    let tail = if comma.is_some() { "," } else { "" };
    let written = style.value(value, Some(indent));
    out.push(Splice::insert(at, format!("{}{indent}{head}{written}{tail}", style.newline)));
    out
}

/// Past the comments that belong to the line which holds this place.
fn end_of_line(text: &str, at: usize) -> usize {
    let mut end = at;
    let mut here = at;
    loop {
        here = past_blanks(text, here);
        match past_comment(text, here) {
            Some(next) => {
                here = next;
                end = next;
            }
            None => return end,
        }
    }
}

/// Into an empty container, which may hold comments.
fn first(
    text: &str,
    root: &Object<'_>,
    style: &Style,
    container: Range,
    head: &str,
    value: &Json,
) -> Vec<Splice> {
    let line = line_start(text, container.start);
    let indent = text.get(line..past_blanks(text, line)).unwrap_or_default();
    let inner = format!("{indent}{}", style.unit);
    let close = container.end.saturating_sub(1);
    let comma = if style.trailing { "," } else { "" };
    let inside = container.start + 1..close;
    if has_break(text, inside.clone()) {
        let written = style.value(value, Some(&inner));
        // Before the line of the closing bracket; behind the last thing inside when the bracket does not start its line.
        let body = text.get(inside.clone()).unwrap_or_default();
        let kept = body.trim_end_matches([' ', '\t']);
        let at = inside.start + kept.len();
        if kept.ends_with(is_break) {
            return vec![Splice::insert(at, format!("{inner}{head}{written}{comma}{}", style.newline))];
        }
        let text = format!("{0}{inner}{head}{written}{comma}{0}{indent}", style.newline);
        return vec![Splice::replace(at..close, text)];
    }
    let spread = container.start == root.range.start || has_break(text, root.range.start..root.range.end);
    let blank = text.get(inside.clone()).unwrap_or_default().trim().is_empty();
    if spread {
        let written = style.value(value, Some(&inner));
        let from = if blank { inside.start } else { close };
        let text = format!("{0}{inner}{head}{written}{comma}{0}{indent}", style.newline);
        return vec![Splice::replace(from..close, text)];
    }
    let written = style.value(value, None);
    let gap = if head.is_empty() { "" } else { style.gap };
    let from = if blank { inside.start } else { close };
    vec![Splice::replace(from..close, format!("{gap}{head}{written}{gap}"))]
}
