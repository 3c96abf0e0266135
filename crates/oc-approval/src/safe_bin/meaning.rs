//! Whether the values and operands that were found are harmless, each by what it means to the program.

use super::decode::{Decoded, Value};
use super::profile::{Form, Kind, Meaning, Profile, Takes};
use super::reads::ReadRule;
use super::usage::MadeBy;
use super::{awk_program, jq_filter, sed_script};
use crate::plan::Miss;

/// Checks everything that was decoded.
pub(super) fn check(profile: &Profile, decoded: &Decoded<'_>, reads: &dyn ReadRule) -> Result<(), Miss> {
    let operands = &profile.operands;
    count(profile, decoded)?;
    let mut scripts = Vec::new();
    for given in &decoded.options {
        let text = Meaning::Text;
        let meaning = match &given.rule.takes {
            Takes::Value(meaning) => meaning,
            Takes::Nothing | Takes::Two | Takes::Attached | Takes::Denied(_) => &text,
        };
        for value in &given.values {
            match meaning {
                Meaning::SedScript => scripts.push(value.text),
                meaning => one(profile, meaning, *value, reads)?,
            }
        }
    }
    let has = |names: &[String]| decoded.has(profile, names.iter().map(String::as_str));
    let first_given = has(&operands.first_by);
    let fixed = operands.mean.iter().skip(usize::from(first_given));
    let mut meanings = fixed.chain(std::iter::repeat(operands.mean.last().unwrap_or(&Meaning::Text)));
    let walk = profile.recursion.as_ref().filter(|r| r.options.is_empty() || has(&r.options));
    let walk = walk.map(|r| r.walk(has(&r.follows)));
    let mut paths = 0_usize;
    for (operand, meaning) in decoded.operands.iter().zip(&mut meanings) {
        let value = Value { text: &operand.text, made_by: operand.made_by };
        match (meaning, walk) {
            (Meaning::SedScript, _) => scripts.push(value.text),
            (Meaning::File | Meaning::Listed, Some(walk))
                if value.text != "-" || meaning == &Meaning::Listed =>
            {
                paths = paths.saturating_add(1);
                reads.walk(value.text, walk)?;
            }
            (meaning, _) => {
                paths = paths.saturating_add(usize::from(*meaning != Meaning::Text));
                one(profile, meaning, value, reads)?;
            }
        }
    }
    if !scripts.is_empty() {
        sed_script::check(&scripts.join("\n"))?;
    }
    let implicit = operands.without.as_deref().filter(|_| paths == 0 && !only_informs(decoded));
    match (implicit, walk) {
        (Some(place), Some(walk)) => reads.walk(place, walk),
        (Some(place), None) if operands.mean.contains(&Meaning::Listed) => reads.list(place),
        (Some(_) | None, _) => Ok(()),
    }
}

fn only_informs(decoded: &Decoded<'_>) -> bool {
    decoded.options.iter().any(|given| given.rule.has("--help") || given.rule.has("--version"))
}

/// Whether the number of operands, and the options that must be there, fit one of the forms.
fn count(profile: &Profile, decoded: &Decoded<'_>) -> Result<(), Miss> {
    let has = |name: &String| decoded.has(profile, [name.as_str()]);
    let stands_for_first = usize::from(profile.operands.first_by.iter().any(has));
    let given = decoded.operands.len();
    let least = profile.operands.least.saturating_sub(stands_for_first);
    let most = profile.operands.most.saturating_sub(stands_for_first);
    let fits = |form: &Form| (form.least..=form.most).contains(&given) && form.needs.iter().all(has);
    if given > most || given < least && !only_informs(decoded) {
        return Err(Miss::new("operand", format!("{} with {given} operands", profile.program)));
    }
    if !profile.forms.is_empty() && !profile.forms.iter().any(fits) {
        let detail = format!("{} is not known to be harmless in this form", profile.program);
        return Err(Miss::new("option", detail));
    }
    Ok(())
}

fn refused(profile: &Profile, value: Value<'_>, why: &str) -> Miss {
    Miss::new("operand", format!("{} {}: {why}", profile.program, value.text))
}

/// One value.
fn one(profile: &Profile, meaning: &Meaning, value: Value<'_>, reads: &dyn ReadRule) -> Result<(), Miss> {
    let text = value.text;
    match meaning {
        Meaning::Text | Meaning::Shown => match (profile.kind, value.made_by) {
            (_, MadeBy::Text) => Ok(()),
            (Kind::Filter, MadeBy::Wildcard | MadeBy::Home) => {
                Err(refused(profile, value, "a file name where none belongs"))
            }
            (Kind::Reader, MadeBy::Wildcard) => reads.list(text),
            (Kind::Reader, MadeBy::Home) => Ok(()),
        },
        Meaning::Number => match text.chars().all(|c| c.is_ascii_digit() || ",.-".contains(c)) {
            true => Ok(()),
            false => Err(refused(profile, value, "is no number")),
        },
        Meaning::OneOf(words) => match words.iter().any(|word| word == text) {
            true => Ok(()),
            false => {
                Err(Miss::new("option", format!("{} {text} is not known to be harmless", profile.program)))
            }
        },
        Meaning::File => file(text, reads),
        Meaning::Archive => archive(profile, value, reads),
        Meaning::Listed => reads.list(text),
        Meaning::Command => match text.contains('/') {
            true => reads.list(text),
            false => one(profile, &Meaning::Text, value, reads),
        },
        Meaning::DateFormat => match text.starts_with('+') && value.made_by == MadeBy::Text {
            true => Ok(()),
            false => Err(refused(profile, value, "sets the clock")),
        },
        Meaning::DateText => date_text(profile, value),
        Meaning::AwkProgram => awk_program::check(text),
        Meaning::AwkAssignment => match awk_variable(text) {
            Some(Ok(())) => Ok(()),
            _ => {
                Err(Miss::new("option", format!("{} -v {text} is not known to be harmless", profile.program)))
            }
        },
        Meaning::AwkInput => match awk_variable(text) {
            Some(Ok(())) => Ok(()),
            Some(Err(())) => Err(refused(profile, value, "sets a variable that matters")),
            // gawk opens the network at these names.
            None if text.starts_with("/inet") => Err(refused(profile, value, "is a network address")),
            None => file(text, reads),
        },
        Meaning::SedScript => sed_script::check(text),
        Meaning::JqFilter => jq_filter::check(text),
        Meaning::Spelled => match value.made_by == MadeBy::Text && !could_be_a_path(text) {
            true => Ok(()),
            false => Err(refused(profile, value, "could name a file")),
        },
    }
}

fn file(text: &str, reads: &dyn ReadRule) -> Result<(), Miss> {
    if text == "-" { Ok(()) } else { reads.read(text) }
}

/// An archive. `host:name` is opened over the network, a wildcard is expanded by the program itself.
fn archive(profile: &Profile, value: Value<'_>, reads: &dyn ReadRule) -> Result<(), Miss> {
    let first = value.text.split('/').next().unwrap_or_default();
    if first.contains(':') {
        return Err(refused(profile, value, "is on another host"));
    }
    if value.text.contains(['*', '?', '[']) {
        return Err(refused(profile, value, "stands for several files"));
    }
    file(value.text, reads)
}

/// A date in words; a time zone in it is a file below the zone directory.
fn date_text(profile: &Profile, value: Value<'_>) -> Result<(), Miss> {
    let zone = value.text.split_once("TZ=").map(|(_, zone)| zone);
    let Some(zone) = zone else { return Ok(()) };
    let zone = zone.trim_start_matches(['"', '\'']);
    let plain = |c: char| c.is_ascii_alphanumeric() || " _+-/\",:.".contains(c);
    if zone.starts_with(['/', ':']) || zone.contains("..") || zone.contains("TZ=") || !zone.chars().all(plain)
    {
        return Err(refused(profile, value, "names a file as time zone"));
    }
    Ok(())
}

/// Variables through which awk reaches its surroundings.
const AWK_SPECIAL: [&str; 8] =
    ["ARGC", "ARGIND", "ARGV", "ENVIRON", "ERRNO", "FUNCTAB", "PROCINFO", "SYMTAB"];

/// Whether a text is an assignment to awk, and whether that is harmless.
fn awk_variable(text: &str) -> Option<Result<(), ()>> {
    let (name, value) = text.split_once('=')?;
    let mut letters = name.chars();
    let starts = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !starts || !letters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':') {
        return None;
    }
    // Only what cannot change what the program text means.
    let mut rest = value.split('\\');
    rest.next();
    let escapes = rest.all(|after| after.starts_with(['t', 'n', '"', '/', '|', '.']));
    Some(if escapes && !name.contains(':') && !AWK_SPECIAL.contains(&name) { Ok(()) } else { Err(()) })
}

fn could_be_a_path(text: &str) -> bool {
    text.starts_with(['.', '~', '@']) || text.contains(['/', '*', '?', '[', '\\'])
}
