//! Info-ZIP's `unzip`: letters up to the archive, then members; `-Z` as the first argument makes it `zipinfo`.

use super::{Decoded, allowed_letter, no_glob_option, short, unknown};
use crate::plan::Miss;
use crate::safe_bin::profile::{Profile, Takes};
use crate::safe_bin::usage::Argument;

/// What `zipinfo` only shows; its `M` pages and is not among them.
const ZIPINFO: &str = "12smlvhtTzC";

pub(super) fn decode<'a>(profile: &'a Profile, arguments: &'a [Argument]) -> Result<Decoded<'a>, Miss> {
    let mut out = Decoded::default();
    let zipinfo = arguments.first().is_some_and(|first| first.text.starts_with("-Z"));
    let mut rest = arguments.iter();
    for (place, argument) in rest.by_ref().enumerate() {
        no_glob_option(argument)?;
        let Some(letters) = argument.text.strip_prefix('-') else {
            out.operands.push(argument);
            break;
        };
        for (position, letter) in letters.chars().enumerate() {
            if zipinfo && (place, position) != (0, 0) {
                if !ZIPINFO.contains(letter) {
                    return Err(unknown(profile, &short(letter)));
                }
                continue;
            }
            let rule = allowed_letter(profile, letter)?;
            if rule.takes != Takes::Nothing || letter == 'Z' && !zipinfo {
                return Err(unknown(profile, &short(letter)));
            }
            out.give(rule, Vec::new())?;
        }
        if letters.is_empty() {
            return Err(unknown(profile, "-"));
        }
    }
    for argument in rest {
        no_glob_option(argument)?;
        // `-x` is followed by members to leave out; `-d` by a directory to write to.
        if argument.text.starts_with('-') && argument.text != "-x" {
            return Err(unknown(profile, &argument.text));
        }
        out.operands.push(argument);
    }
    Ok(out)
}
