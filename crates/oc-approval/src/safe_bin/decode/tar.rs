//! `tar tvf archive`: the first word without a dash is a bundle whose values follow in order.

use std::borrow::Cow;

use super::{MAX_OPTIONS, allowed_letter, incomplete, no_glob_option, short, unknown};
use crate::plan::Miss;
use crate::safe_bin::profile::{Profile, Takes};
use crate::safe_bin::usage::{Argument, MadeBy};

/// The arguments with the old-style bundle spread out as `-t -v -f archive`.
pub(super) fn spread<'a>(profile: &Profile, arguments: &'a [Argument]) -> Result<Cow<'a, [Argument]>, Miss> {
    let Some((bundle, rest)) = arguments.split_first().filter(|(first, _)| !first.text.starts_with('-'))
    else {
        return Ok(Cow::Borrowed(arguments));
    };
    no_glob_option(bundle)?;
    if bundle.made_by != MadeBy::Text {
        return Err(Miss::new("glob-option", format!("a file named {} would be options", bundle.text)));
    }
    if bundle.text.len() > MAX_OPTIONS {
        return Err(Miss::new("too-long", format!("more than {MAX_OPTIONS} options")));
    }
    let mut out = Vec::new();
    let mut rest = rest.iter();
    for letter in bundle.text.chars() {
        let name = short(letter);
        let takes = &allowed_letter(profile, letter)?.takes;
        out.push(Argument { text: name.clone(), made_by: MadeBy::Text });
        match takes {
            Takes::Nothing => {}
            Takes::Value(_) => out.push(rest.next().ok_or_else(|| incomplete(profile, &name))?.clone()),
            Takes::Two | Takes::Attached | Takes::Denied(_) => return Err(unknown(profile, &name)),
        }
    }
    out.extend(rest.cloned());
    Ok(Cow::Owned(out))
}
