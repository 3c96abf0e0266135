//! Smaller lines that may be automatic: without the redirection, the option, the operand or the command that is not.

use oc_shell::Line;

use super::state::{State, option};
use crate::plan::{Form, Segment};

/// Most lines that are tried.
const LIMIT: usize = 16;

/// Candidates, the most likely one first. None of them is known to be automatic yet.
pub(super) fn candidates(text: &str, state: &State) -> Vec<String> {
    let mut out = match oc_shell::read(text) {
        Err(unread) => without_redirection(text, unread.at).into_iter().collect(),
        Ok(line) => shorter(text, &line, state),
    };
    out.retain(|t| t != text);
    out.dedup();
    out.truncate(LIMIT);
    out
}

/// Cuts from the operator to the end of its word.
fn without_redirection(text: &str, at: usize) -> Option<String> {
    let (before, rest) = text.split_at_checked(at)?;
    let operator = rest.trim_start_matches(|c: char| c.is_ascii_digit() || "<>&|".contains(c));
    if operator.len() == rest.len() {
        return None;
    }
    let word = operator.trim_start_matches([' ', '\t']);
    let after = word.trim_start_matches(|c: char| !c.is_whitespace() && !";|&".contains(c));
    Some(format!("{}{after}", before.trim_end()))
}

fn shorter(text: &str, line: &Line, state: &State) -> Vec<String> {
    let commands: Vec<_> = line.steps.iter().flat_map(|s| &s.pipeline.commands).collect();
    let Some(index) = state.plan.segments.iter().position(|s| s.matched.is_none()) else { return Vec::new() };
    let (Some(command), Some(segment)) = (commands.get(index), state.plan.segments.get(index)) else {
        return Vec::new();
    };
    let mut out: Vec<String> = payload(segment).into_iter().collect();
    let cut = |from: usize, to: usize| Some(format!("{}{}", text.get(..from)?.trim_end(), text.get(to..)?));
    let word_cut = |first: usize, last: usize| {
        cut(command.words.get(first)?.span.start, command.words.get(last)?.span.end)
    };
    let named = segment.miss.as_ref().and_then(option);
    let literal = |i: usize| command.words.get(i).and_then(|w| w.literal());
    if let Some(named) = named {
        let at = (1..command.words.len()).find(|i| literal(*i).is_some_and(|w| w.starts_with(named)));
        out.extend(at.into_iter().flat_map(|i| [word_cut(i, i + 1), word_cut(i, i)]).flatten());
    }
    let not_listed = segment
        .miss
        .as_ref()
        .is_some_and(|m| matches!(m.word.as_str(), "not-listed" | "unresolved" | "never-safe"));
    if !not_listed {
        out.extend((1..command.words.len()).rev().filter_map(|i| word_cut(i, i)));
    }
    if let Some(before) = index.checked_sub(1).and_then(|i| commands.get(i)) {
        out.extend(cut(before.span.end, command.span.end));
    } else if let Some(after) = commands.get(index + 1) {
        out.extend(cut(command.span.start, after.span.start));
    }
    out
}

/// What a shell was to run.
fn payload(segment: &Segment) -> Option<String> {
    let at = segment.argv.iter().position(|a| a == "-c").filter(|_| segment.form == Form::InlineCode)?;
    segment.argv.get(at + 1).cloned()
}
