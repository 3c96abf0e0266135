//! `find`: a few options, the starting points, then an expression of tests and actions.

use super::{Decoded, Value, allowed, incomplete, no_glob_option, unknown};
use crate::plan::Miss;
use crate::safe_bin::profile::{Profile, Takes};
use crate::safe_bin::usage::{Argument, MadeBy};

/// What joins and groups tests.
const SIGNS: [&str; 4] = ["(", ")", "!", ","];
/// Options that stand before the starting points only.
const LEADING: [&str; 4] = ["-H", "-L", "-P", "-D"];

pub(super) fn decode<'a>(profile: &'a Profile, arguments: &'a [Argument]) -> Result<Decoded<'a>, Miss> {
    let mut out = Decoded::default();
    let mut rest = arguments.iter().peekable();
    while let Some(argument) = rest.peek() {
        let text = argument.text.as_str();
        if text == "--" {
            rest.next();
            break;
        }
        let level = text.strip_prefix("-O").is_some_and(|n| n.chars().all(|c| c.is_ascii_digit()));
        if !level && !LEADING.contains(&text) {
            break;
        }
        no_glob_option(argument)?;
        if !level {
            out.give(allowed(profile, text)?, Vec::new())?;
        }
        rest.next();
    }
    while let Some(argument) = rest.next_if(|a| !is_expression(&a.text)) {
        out.operands.push(argument);
    }
    while let Some(argument) = rest.next() {
        let text = argument.text.as_str();
        if argument.made_by != MadeBy::Text {
            // A file name in the place of a test.
            return Err(Miss::new("glob-option", format!("a file named {text} would be a test")));
        }
        if SIGNS.contains(&text) {
            continue;
        }
        if LEADING.contains(&text) {
            return Err(unknown(profile, text));
        }
        let rule = match newer(text) {
            Some(name) => allowed(profile, name)?,
            None => allowed(profile, text)?,
        };
        let values = match rule.takes {
            Takes::Nothing => Vec::new(),
            Takes::Value(_) => match rest.next() {
                Some(next) => vec![Value::of(next)],
                None => return Err(incomplete(profile, text)),
            },
            Takes::Two | Takes::Attached | Takes::Denied(_) => return Err(unknown(profile, text)),
        };
        out.give(rule, values)?;
    }
    Ok(out)
}

/// `-newerXY`: the second letter says whether a date or a file follows.
fn newer(text: &str) -> Option<&'static str> {
    let mut letters = text.strip_prefix("-newer")?.chars();
    match (letters.next(), letters.next(), letters.next()) {
        (Some('a' | 'B' | 'c' | 'm'), Some('t'), None) => Some("-newermt"),
        (Some('a' | 'B' | 'c' | 'm'), Some('a' | 'B' | 'c' | 'm'), None) => Some("-newer"),
        _ => None,
    }
}

fn is_expression(text: &str) -> bool {
    SIGNS.contains(&text) || text.starts_with('-') && text.len() > 1
}
