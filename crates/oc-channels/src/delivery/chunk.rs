//! An answer in pieces that a service takes.
//!
//! Lengths are UTF-16 units, which is never less than characters: what fits here fits every service's own way of counting. A piece never
//! ends inside a grapheme; a code fence that is cut is closed and opened again.
//!
//! Invariant: the pieces, without the fences that were added and white space at the cuts, are the text.

use crate::rules::ChunkLimit;

/// Most pieces of one answer; the rest is cut off with a remark.
pub const MOST: usize = 64;

/// The remark.
const CUT: &str = "[the rest was too long to be sent]";

/// Cuts a text.
#[must_use]
pub fn chunks(text: &str, limit: &ChunkLimit) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text.trim_end();
    let mut fence: Option<&str> = None;
    while !rest.trim().is_empty() {
        let opening = fence.map(|f| format!("{f}\n")).unwrap_or_default();
        // Room for the fence that has to be closed, whether or not it comes to that.
        let (room, lines) = room(limit, &opening);
        let cut = cut_at(rest, room, lines, limit.paragraphs && fence.is_none());
        let (head, tail) = rest.split_at_checked(cut).unwrap_or((rest, ""));
        let open_after = fence_after(head, fence);
        let body = head.trim_end_matches(['\n', ' ', '\t', '\r']);
        let mut piece = format!("{opening}{body}");
        if let Some(open) = open_after {
            piece.push('\n');
            piece.push_str(marker(open));
        }
        if !body.trim().is_empty() {
            out.push(piece);
        }
        // Inside a fence leading blanks are part of the code.
        rest = if open_after.is_some() {
            tail.strip_prefix('\n').unwrap_or(tail)
        } else {
            tail.trim_start_matches(['\n', ' ', '\r'])
        };
        fence = open_after;
        if out.len() == MOST && !rest.trim().is_empty() {
            out.pop();
            out.push(CUT.to_owned());
            break;
        }
    }
    out
}

/// Units and lines that are left beside the fences.
fn room(limit: &ChunkLimit, opening: &str) -> (usize, Option<usize>) {
    const CLOSING: usize = 12;
    let units = limit.chars.saturating_sub(units_of(opening) + CLOSING).max(16);
    let lines = limit.lines.map(|l| l.saturating_sub(2).max(1));
    (units, lines)
}

/// Length in UTF-16 units.
#[must_use]
pub fn units_of(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Where to cut, in bytes: the whole text when it fits, else the best place in the part that does.
fn cut_at(text: &str, units: usize, lines: Option<usize>, paragraphs: bool) -> usize {
    let fits = prefix(text, units, lines);
    let whole = fits >= text.len();
    let part = text.get(..fits).unwrap_or(text);
    if paragraphs && let Some(at) = part.find("\n\n").filter(|_| !fenced_before(part)) {
        return at + 2;
    }
    if whole {
        return text.len();
    }
    // A place in the first third would waste the piece.
    let least = fits / 3;
    let good = |at: Option<usize>| at.filter(|at| *at > least);
    good(part.rfind("\n\n").map(|at| at + 2))
        .or_else(|| good(part.rfind('\n').map(|at| at + 1)))
        .or_else(|| good(part.rfind(' ').map(|at| at + 1)))
        .unwrap_or(fits)
}

/// Whether the first blank line of a part stands behind the beginning of a fence.
fn fenced_before(part: &str) -> bool {
    let head = part.split("\n\n").next().unwrap_or_default();
    fence_after(head, None).is_some()
}

/// The longest beginning of so many units and lines that does not end inside a grapheme; at least one grapheme.
fn prefix(text: &str, units: usize, lines: Option<usize>) -> usize {
    let (mut used, mut breaks) = (0usize, 0usize);
    let mut last = 0;
    let mut before: Option<char> = None;
    let mut flags = 0usize;
    for (at, c) in text.char_indices() {
        let boundary = before.is_none_or(|b| !joins(b, c, flags));
        if boundary {
            last = at;
        }
        flags = if is_flag(c) { flags + 1 } else { 0 };
        used += c.len_utf16();
        if c == '\n' {
            breaks += 1;
        }
        let full = used > units || lines.is_some_and(|l| breaks >= l && c == '\n' && at + 1 < text.len());
        if full {
            // A cluster that is longer than a whole piece is cut all the same.
            let cut = if c == '\n' && used <= units { at + 1 } else { last };
            return if cut == 0 { at.max(text.chars().next().map_or(1, char::len_utf8)) } else { cut };
        }
        before = Some(c);
    }
    text.len()
}

fn is_flag(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

/// Whether `c` belongs to the grapheme that ends with `before`; `flags` regional indicators stand directly before.
fn joins(before: char, c: char, flags: usize) -> bool {
    let extends = matches!(c,
        '\u{200d}' | '\u{200c}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{e0020}'..='\u{e007f}' | '\u{20d0}'..='\u{20f0}'
        | '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{fe20}'..='\u{fe2f}' | '\u{1f3fb}'..='\u{1f3ff}')
        || is_mark(c);
    let hangul = matches!(before, '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7a3}' | '\u{d7b0}'..='\u{d7fb}')
        && matches!(c, '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7fb}');
    extends
        || hangul
        || before == '\u{200d}'
        || (before == '\r' && c == '\n')
        || (is_flag(c) && flags % 2 == 1)
}

/// Combining marks of the larger scripts.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}' | '\u{5c4}'..='\u{5c5}' | '\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}'
        | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{93c}' | '\u{93e}'..='\u{94f}' | '\u{951}'..='\u{957}' | '\u{962}'..='\u{963}'
        | '\u{981}'..='\u{983}' | '\u{9bc}' | '\u{9be}'..='\u{9cd}' | '\u{a01}'..='\u{a03}' | '\u{a3c}'..='\u{a4d}'
        | '\u{a81}'..='\u{a83}' | '\u{abc}' | '\u{abe}'..='\u{acd}' | '\u{b3c}' | '\u{b3e}'..='\u{b4d}' | '\u{bbe}'..='\u{bcd}'
        | '\u{c3e}'..='\u{c4d}' | '\u{cbc}' | '\u{cbe}'..='\u{ccd}' | '\u{d3e}'..='\u{d4d}' | '\u{dca}'..='\u{ddf}'
        | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{eb1}' | '\u{eb4}'..='\u{ebc}' | '\u{ec8}'..='\u{ece}'
        | '\u{f71}'..='\u{f84}' | '\u{102b}'..='\u{103e}' | '\u{17b4}'..='\u{17d3}' | '\u{3099}'..='\u{309a}')
}

/// The line that opens the fence in which a text ends, if it ends in one.
fn fence_after<'t>(text: &'t str, before: Option<&'t str>) -> Option<&'t str> {
    let mut open = before;
    for line in text.lines() {
        let trimmed = line.trim_start();
        if line.len() - trimmed.len() > 3 {
            continue;
        }
        match open {
            None if trimmed.starts_with("```") || trimmed.starts_with("~~~") => {
                // A line of code within backticks is no fence, and a very long info string is not repeated.
                let info = trimmed.trim_start_matches(['`', '~']);
                if !(trimmed.starts_with('`') && info.contains('`')) {
                    open = Some(if trimmed.len() > 40 { marker(trimmed) } else { trimmed });
                }
            }
            Some(fence) if trimmed.trim_end().starts_with(marker(fence)) && closes(trimmed, fence) => {
                open = None
            }
            None | Some(_) => {}
        }
    }
    open
}

fn closes(line: &str, fence: &str) -> bool {
    let first = fence.chars().next().unwrap_or('`');
    line.trim_end().chars().all(|c| c == first)
}

/// The marks of an opening line.
fn marker(fence: &str) -> &str {
    let first = fence.chars().next().unwrap_or('`');
    let end = fence.find(|c| c != first).unwrap_or(fence.len());
    fence.get(..end).unwrap_or("```")
}
