//! The pager `less`, which reads its arguments like no other program: a blank or a dollar sign starts the next option within an
//! argument, a number ends where its digits end, and a plus is followed by commands of the pager.

use super::getopt::start;
use super::{Decoded, Value, allowed, allowed_letter, incomplete, no_glob_option, short, unknown};
use crate::plan::Miss;
use crate::safe_bin::profile::{Meaning, OptionRule, Profile, Takes};
use crate::safe_bin::usage::{Argument, MadeBy};

pub(super) fn decode<'a>(profile: &'a Profile, arguments: &'a [Argument]) -> Result<Decoded<'a>, Miss> {
    let mut out = Decoded::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let text = argument.text.as_str();
        if text == "--" {
            break;
        }
        no_glob_option(argument)?;
        if text.starts_with('+') && text.len() > 1 {
            start(profile, text)?;
        } else if text.starts_with("--") {
            let (rule, values) = long(profile, text, &mut rest)?;
            out.give(rule, values)?;
        } else if text.starts_with('-') && text.len() > 1 {
            letters(profile, text, &mut rest, &mut out)?;
        } else {
            out.operands.push(argument);
            break;
        }
    }
    out.operands.extend(rest);
    for value in out.options.iter().flat_map(|given| &given.values) {
        if value.text.contains('$') || value.made_by != MadeBy::Text {
            return Err(Miss::new("option", format!("less reads options in {}", value.text)));
        }
    }
    Ok(out)
}

/// `--name`, `--name=value`, `--name value`; the name is whole and nothing else is in the argument.
fn long<'a>(
    profile: &'a Profile,
    text: &'a str,
    rest: &mut std::slice::Iter<'a, Argument>,
) -> Result<(&'a OptionRule, Vec<Value<'a>>), Miss> {
    let (name, attached) = text.split_once('=').map_or((text, None), |(n, v)| (n, Some(v)));
    let rule = allowed(profile, name)?;
    let values = match (&rule.takes, attached) {
        (Takes::Nothing, None) => Vec::new(),
        (Takes::Value(_), Some(text)) => vec![Value { text, made_by: MadeBy::Text }],
        (Takes::Value(_), None) => vec![Value::of(rest.next().ok_or_else(|| incomplete(profile, name))?)],
        (Takes::Nothing | Takes::Two | Takes::Attached | Takes::Denied(_), _) => {
            return Err(unknown(profile, text));
        }
    };
    Ok((rule, values))
}

/// `-NS`, `-x4`, `-10`.
fn letters<'a>(
    profile: &'a Profile,
    text: &'a str,
    rest: &mut std::slice::Iter<'a, Argument>,
    out: &mut Decoded<'a>,
) -> Result<(), Miss> {
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if text.strip_prefix('-').is_some_and(digits) {
        return Ok(());
    }
    let mut letters = text.chars();
    letters.next();
    while let Some(letter) = letters.next() {
        let rule = allowed_letter(profile, letter)?;
        let values = match &rule.takes {
            Takes::Nothing => {
                out.give(rule, Vec::new())?;
                continue;
            }
            Takes::Value(Meaning::Number | Meaning::Text) => match letters.as_str() {
                "" => vec![Value::of(rest.next().ok_or_else(|| incomplete(profile, &short(letter)))?)],
                text => vec![Value { text, made_by: MadeBy::Text }],
            },
            Takes::Value(_) | Takes::Two | Takes::Attached | Takes::Denied(_) => {
                return Err(unknown(profile, &short(letter)));
            }
        };
        out.give(rule, values)?;
        break;
    }
    Ok(())
}
