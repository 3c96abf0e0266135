//! Programs that compare whole words: no abbreviations; letters may be bundled; values are arguments of their own.

use super::{Decoded, Value, allowed, allowed_letter, incomplete, no_glob_option, short, unknown};
use crate::plan::Miss;
use crate::safe_bin::profile::{Profile, Takes};
use crate::safe_bin::usage::{Argument, MadeBy};

pub(super) fn decode<'a>(profile: &'a Profile, arguments: &'a [Argument]) -> Result<Decoded<'a>, Miss> {
    let mut out = Decoded::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let text = argument.text.as_str();
        if text == "--" {
            out.operands.extend(rest);
            break;
        }
        no_glob_option(argument)?;
        if !text.starts_with('-') || text.len() == 1 {
            out.operands.push(argument);
            continue;
        }
        let (name, attached) = text.split_once('=').map_or((text, None), |(n, v)| (n, Some(v)));
        if name.starts_with("--") || profile.rule(name).is_some() {
            let rule = allowed(profile, name)?;
            let wanted = match (&rule.takes, attached) {
                (Takes::Nothing | Takes::Attached, None) => 0,
                (Takes::Value(_), None) => 1,
                (Takes::Two, None) => 2,
                (Takes::Value(_) | Takes::Attached, Some(value)) if name.starts_with("--") => {
                    let values = vec![Value { text: value, made_by: MadeBy::Text }];
                    out.give(rule, values)?;
                    continue;
                }
                (_, Some(_)) | (Takes::Denied(_), None) => return Err(unknown(profile, text)),
            };
            let values: Vec<Value<'a>> = rest.by_ref().take(wanted).map(Value::of).collect();
            if values.len() < wanted {
                return Err(incomplete(profile, name));
            }
            out.give(rule, values)?;
            continue;
        }
        let mut letters = text.chars().skip(1).peekable();
        while let Some(letter) = letters.next() {
            let rule = allowed_letter(profile, letter)?;
            // The last letter of a bundle takes the next argument, as `tree -aL 2` does.
            let values = match (&rule.takes, letters.peek()) {
                (Takes::Nothing, _) => Vec::new(),
                (Takes::Value(_), None) => {
                    vec![rest.next().map(Value::of).ok_or_else(|| incomplete(profile, &short(letter)))?]
                }
                (Takes::Value(_) | Takes::Two | Takes::Attached | Takes::Denied(_), _) => {
                    return Err(unknown(profile, text));
                }
            };
            out.give(rule, values)?;
        }
    }
    Ok(out)
}
