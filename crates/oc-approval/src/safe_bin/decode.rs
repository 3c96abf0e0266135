//! Arguments as the program itself splits them: which option has which value, and what is left over as operands (SP-161).
//!
//! Invariant: where the program would read an argument in another way than is known here, the answer is a miss.

mod find;
mod getopt;
mod less;
mod tar;
mod unzip;
mod words;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::profile::{Dialect, OptionRule, Profile, Takes};
use super::usage::{Argument, MadeBy};
use crate::plan::Miss;

/// What the arguments say.
#[derive(Debug, Default)]
pub(super) struct Decoded<'a> {
    pub(super) options: Vec<Given<'a>>,
    pub(super) operands: Vec<&'a Argument>,
}

/// An option that was given, with its values.
#[derive(Debug)]
pub(super) struct Given<'a> {
    pub(super) rule: &'a OptionRule,
    pub(super) values: Vec<Value<'a>>,
}

/// The value of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value<'a> {
    pub(super) text: &'a str,
    pub(super) made_by: MadeBy,
}

impl<'a> Value<'a> {
    fn of(argument: &'a Argument) -> Self {
        Self { text: &argument.text, made_by: argument.made_by }
    }
}

/// Most options of one command; no person gives more.
const MAX_OPTIONS: usize = 512;

impl<'a> Decoded<'a> {
    /// Notes an option.
    fn give(&mut self, rule: &'a OptionRule, values: Vec<Value<'a>>) -> Result<(), Miss> {
        if self.options.len() >= MAX_OPTIONS {
            return Err(Miss::new("too-long", format!("more than {MAX_OPTIONS} options")));
        }
        self.options.push(Given { rule, values });
        Ok(())
    }

    /// Whether one of these options of the profile was given, by whatever name.
    pub(super) fn has<'n>(&self, profile: &Profile, names: impl IntoIterator<Item = &'n str>) -> bool {
        !self.options.is_empty()
            && names
                .into_iter()
                .filter_map(|name| profile.rule(name))
                .any(|rule| self.options.iter().any(|given| std::ptr::eq(given.rule, rule)))
    }
}

/// The arguments in the form that the dialect's decoder takes.
pub(super) fn prepare<'a>(profile: &Profile, arguments: &'a [Argument]) -> Result<Cow<'a, [Argument]>, Miss> {
    match profile.dialect {
        Dialect::Tar => tar::spread(profile, arguments),
        Dialect::Getopt
        | Dialect::GetoptStop
        | Dialect::Words
        | Dialect::Plain
        | Dialect::Find
        | Dialect::Unzip
        | Dialect::Less => Ok(Cow::Borrowed(arguments)),
    }
}

/// Decodes prepared arguments.
pub(super) fn decode<'a>(profile: &'a Profile, arguments: &'a [Argument]) -> Result<Decoded<'a>, Miss> {
    match profile.dialect {
        Dialect::Getopt | Dialect::Tar => getopt::decode(profile, arguments, getopt::Order::Permuted),
        Dialect::GetoptStop => getopt::decode(profile, arguments, getopt::Order::OptionsFirst),
        Dialect::Words => words::decode(profile, arguments),
        Dialect::Plain => Ok(Decoded { options: Vec::new(), operands: arguments.iter().collect() }),
        Dialect::Find => find::decode(profile, arguments),
        Dialect::Unzip => unzip::decode(profile, arguments),
        Dialect::Less => less::decode(profile, arguments),
    }
}

/// The rule of an option, when it is allowed.
fn allowed<'a>(profile: &'a Profile, name: &str) -> Result<&'a OptionRule, Miss> {
    let rule = profile.rule(name).ok_or_else(|| unknown(profile, name))?;
    not_denied(profile, rule, || name.to_owned())
}

/// The rule of `-x`, when it is allowed.
fn allowed_letter(profile: &Profile, letter: char) -> Result<&OptionRule, Miss> {
    let rule = profile.options.letter(letter).ok_or_else(|| unknown(profile, &short(letter)))?;
    not_denied(profile, rule, || short(letter))
}

fn not_denied<'a>(
    profile: &Profile,
    rule: &'a OptionRule,
    name: impl FnOnce() -> String,
) -> Result<&'a OptionRule, Miss> {
    match &rule.takes {
        Takes::Denied(why) => Err(Miss::new("option", format!("{} {} {why}", profile.program, name()))),
        Takes::Nothing | Takes::Value(_) | Takes::Two | Takes::Attached => Ok(rule),
    }
}

fn unknown(profile: &Profile, name: &str) -> Miss {
    Miss::new("option", format!("{} {name} is not known to be harmless", profile.program))
}

fn incomplete(profile: &Profile, name: &str) -> Miss {
    Miss::new("option", format!("{} {name} needs a value", profile.program))
}

/// A file name that the program would take for an option.
fn no_glob_option(argument: &Argument) -> Result<(), Miss> {
    if argument.made_by == MadeBy::Wildcard && argument.text.starts_with(['-', '+']) {
        return Err(Miss::new("glob-option", format!("a file is named {}", argument.text)));
    }
    Ok(())
}

/// `-x` for a letter.
fn short(letter: char) -> String {
    format!("-{letter}")
}
