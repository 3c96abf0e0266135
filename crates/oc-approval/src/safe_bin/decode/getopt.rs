//! GNU `getopt_long`: clusters, attached values, abbreviated long names, permutation; and the older forms that some programs still read.

use super::{
    Decoded, Value, allowed, allowed_letter, incomplete, no_glob_option, not_denied, short, unknown,
};
use crate::plan::Miss;
use crate::safe_bin::profile::{Digits, OptionRule, Plus, Profile, Takes};
use crate::safe_bin::usage::{Argument, MadeBy};

/// Whether options may stand behind operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Permuted,
    OptionsFirst,
}

pub(super) fn decode<'a>(
    profile: &'a Profile,
    arguments: &'a [Argument],
    order: Order,
) -> Result<Decoded<'a>, Miss> {
    let mut out = Decoded::default();
    let mut rest = arguments.iter();
    let mut first = true;
    let mut after_plus = false;
    while let Some(argument) = rest.next() {
        let text = argument.text.as_str();
        if text == "--" && argument.made_by == MadeBy::Text {
            break;
        }
        no_glob_option(argument)?;
        if older_form(profile, text, first, after_plus) {
            (first, after_plus) = (false, false);
            continue;
        }
        first = false;
        after_plus = text.starts_with('+');
        if after_plus && profile.plus == Plus::Start {
            start(profile, text)?;
        } else if let Some(long) = text.strip_prefix("--") {
            let (rule, values) = long_option(profile, long, &mut rest)?;
            out.give(rule, values)?;
        } else if text.starts_with('-') && text.len() > 1 {
            cluster(profile, argument, &mut rest, &mut out)?;
        } else {
            out.operands.push(argument);
            if order == Order::OptionsFirst {
                break;
            }
        }
    }
    out.operands.extend(rest);
    Ok(out)
}

/// `--name`, `--name=value`, `--name value`, `--na`.
fn long_option<'a>(
    profile: &'a Profile,
    text: &'a str,
    rest: &mut std::slice::Iter<'a, Argument>,
) -> Result<(&'a OptionRule, Vec<Value<'a>>), Miss> {
    let (name, attached) = text.split_once('=').map_or((text, None), |(n, v)| (n, Some(v)));
    let rule = long_rule(profile, name)?;
    let attached = attached.map(|text| Value { text, made_by: MadeBy::Text });
    let values = match (&rule.takes, attached) {
        (Takes::Nothing, Some(_)) => return Err(unknown(profile, &format!("--{text}"))),
        (Takes::Nothing | Takes::Attached, None) => Vec::new(),
        (Takes::Attached | Takes::Value(_), Some(value)) => vec![value],
        (Takes::Value(_), None) => match rest.next() {
            Some(next) => vec![Value::of(next)],
            None => return Err(incomplete(profile, &format!("--{name}"))),
        },
        (Takes::Two | Takes::Denied(_), _) => return Err(unknown(profile, &format!("--{name}"))),
    };
    Ok((rule, values))
}

/// The rule of a long name, which may be shortened while only one rule fits.
fn long_rule<'a>(profile: &'a Profile, name: &str) -> Result<&'a OptionRule, Miss> {
    let whole = format!("--{name}");
    if profile.rule(&whole).is_some() {
        return allowed(profile, &whole);
    }
    let mut fitting = profile.options.starting(&whole);
    match fitting.next() {
        None => Err(unknown(profile, &whole)),
        Some((full, rule)) if !name.is_empty() && fitting.all(|(_, other)| std::ptr::eq(other, rule)) => {
            not_denied(profile, rule, || full.to_owned())
        }
        Some(_) => Err(Miss::new("option", format!("{} {whole} may mean several options", profile.program))),
    }
}

/// `-abc`, `-n5`, `-n 5`.
fn cluster<'a>(
    profile: &'a Profile,
    argument: &'a Argument,
    rest: &mut std::slice::Iter<'a, Argument>,
    out: &mut Decoded<'a>,
) -> Result<(), Miss> {
    let mut letters = argument.text.chars();
    letters.next();
    while let Some(letter) = letters.next() {
        if profile.digits == Digits::Flags && letter.is_ascii_digit() {
            continue;
        }
        let rule = allowed_letter(profile, letter)?;
        let attached = Some(letters.as_str()).filter(|text| !text.is_empty());
        let attached = attached.map(|text| Value { text, made_by: argument.made_by });
        let values = match (&rule.takes, attached) {
            (Takes::Nothing, _) => {
                out.give(rule, Vec::new())?;
                continue;
            }
            (Takes::Attached, None) => Vec::new(),
            (Takes::Attached | Takes::Value(_), Some(value)) => vec![value],
            (Takes::Value(_), None) => match rest.next() {
                Some(next) => vec![Value::of(next)],
                None => return Err(incomplete(profile, &short(letter))),
            },
            (Takes::Two | Takes::Denied(_), _) => return Err(unknown(profile, &short(letter))),
        };
        out.give(rule, values)?;
        break;
    }
    Ok(())
}

/// Whether this is a number in the older form of the program.
fn older_form(profile: &Profile, text: &str, first: bool, after_plus: bool) -> bool {
    let Some(rest) = text.strip_prefix('-').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    else {
        return false;
    };
    match profile.digits {
        Digits::None | Digits::Flags => false,
        Digits::Whole => rest.chars().all(|c| c.is_ascii_digit()),
        Digits::First(letters) => {
            first
                && rest.trim_start_matches(|c: char| c.is_ascii_digit()).chars().all(|c| letters.contains(c))
        }
        Digits::Key => {
            let numbers = rest.trim_end_matches(|c: char| "bdfgiMnRrVh".contains(c));
            after_plus && numbers.chars().all(|c| c.is_ascii_digit() || c == '.')
        }
    }
}

/// `+5`, `+G`, `+/text`: where a pager starts. Anything else behind the plus is a command of the pager.
pub(super) fn start(profile: &Profile, text: &str) -> Result<(), Miss> {
    let command = text.strip_prefix('+').unwrap_or(text);
    let number = command.strip_suffix(['g', 'G']).unwrap_or(command);
    let harmless = command.strip_prefix('/').is_some_and(|pattern| !pattern.contains('$'))
        || number.chars().all(|c| c.is_ascii_digit()) && !command.is_empty();
    if harmless {
        return Ok(());
    }
    Err(Miss::new("option", format!("{} {text} gives the pager a command", profile.program)))
}
