//! Removing members and elements. Comments beside and above them stay: they are the operator's, not ours.

use jsonc_parser::ast::{Array, Object};
use jsonc_parser::common::{Range, Ranged};

use super::json5_text::name_of;
use super::splice::{
    Splice, comma_after, indent_before, is_blank, is_break, line_start, past_blanks, past_break,
    past_comment, rest,
};

/// Removes every member of this name.
pub(super) fn remove_members(text: &str, object: &Object<'_>, key: &str) -> Vec<Splice> {
    let items: Vec<Range> = object.properties.iter().map(|p| p.range).collect();
    let gone: Vec<usize> =
        object.properties.iter().enumerate().filter(|(_, p)| name_of(p) == key).map(|(i, _)| i).collect();
    remove(text, object.range, &items, &gone)
}

/// Removes one element.
pub(super) fn remove_element(text: &str, list: &Array<'_>, index: usize) -> Vec<Splice> {
    let items: Vec<Range> = list.elements.iter().map(Ranged::range).collect();
    if index < items.len() { remove(text, list.range, &items, &[index]) } else { Vec::new() }
}

fn remove(text: &str, container: Range, items: &[Range], gone: &[usize]) -> Vec<Splice> {
    let mut out = Vec::new();
    for i in gone {
        let Some(item) = items.get(*i) else { continue };
        let comma = comma_after(text, item.end).filter(|c| *c < container.end);
        out.extend(cut(text, *item, comma));
    }
    // The last one left had a comma because something followed; where the text has no trailing commas, it goes too.
    let last = items.len().checked_sub(1);
    let tail_gone = last.is_some_and(|l| gone.contains(&l));
    let had_trailing = items.last().and_then(|r| comma_after(text, r.end)).is_some_and(|c| c < container.end);
    if tail_gone && !had_trailing {
        let left = items.iter().enumerate().rev().find(|(i, _)| !gone.contains(i));
        if let Some(comma) = left.and_then(|(_, r)| comma_after(text, r.end)) {
            out.push(Splice::remove(comma..comma + 1));
        }
    }
    out
}

fn cut(text: &str, item: Range, comma: Option<usize>) -> Vec<Splice> {
    let after = comma.map_or(item.end, |c| c + 1);
    // A comment between the value and its comma stays.
    let between_kept = comma.is_some_and(|c| past_blanks(text, item.end) != c);
    let next = past_blanks(text, after);
    let ends_line = rest(text, next).chars().next().is_none_or(is_break);
    if between_kept {
        let mut out = vec![Splice::remove(item.start..item.end)];
        out.extend(comma.map(|c| Splice::remove(c..c + 1)));
        return out;
    }
    match indent_before(text, item.start) {
        // Alone on its line or lines: they go.
        Some(_) if ends_line => {
            vec![Splice::remove(line_start(text, item.start)..past_break(text, next))]
        }
        // A comment follows on its line: it stays, with the line's indentation.
        Some(_) if past_comment(text, next).is_some() => vec![Splice::remove(item.start..next)],
        // First of several on a line.
        Some(_) => vec![Splice::remove(item.start..next)],
        // After others on a line: the blanks before it go, those after it stay.
        None if comma.is_none() || ends_line => {
            let before = text.get(..item.start).unwrap_or_default();
            let kept = before.trim_end_matches(is_blank).len();
            vec![Splice::remove(kept..after)]
        }
        None => vec![Splice::remove(item.start..next)],
    }
}
