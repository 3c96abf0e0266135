//! The strict reader of a profile's TOML text: a key that is not known here is an error, so that no rule is ever overlooked.

use toml_edit::{Document, Item, Table};

use super::{
    ANY_NUMBER, Dialect, Digits, Form, Kind, Links, Meaning, Operands, OptionRule, Options, Plus, Profile,
    Recursion, Takes, TerminalRule, What,
};

/// A profile text that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("profile: {place}: {why}")]
pub struct BadProfile {
    place: String,
    why: String,
}

fn bad(place: &str, why: impl Into<String>) -> BadProfile {
    BadProfile { place: place.to_owned(), why: why.into() }
}

/// How option letters that take a number with letters behind it are spelled.
const FIRST: [(&str, &str); 2] = [("head", "cbkmlqvz"), ("tail", "bclf")];

pub(super) fn profile(text: &str) -> Result<Profile, BadProfile> {
    let document: Document<String> =
        text.to_owned().parse().map_err(|e: toml_edit::TomlError| bad("the text", e.message()))?;
    let top = document.as_table();
    let keys = [
        "program",
        "also",
        "kind",
        "says",
        "dialect",
        "digits",
        "plus",
        "terminal",
        "operands",
        "options",
        "words",
        "denied",
        "recursion",
        "form",
    ];
    known(top, "the profile", &keys)?;
    let mut options = Vec::new();
    if let Some(table) = table(top, "options")? {
        allowed(table, &mut options)?;
    }
    if let Some(table) = table(top, "words")? {
        for (names, item) in table {
            let words = texts(item, names)?;
            options.push(rule(names, Takes::Value(Meaning::OneOf(words)))?);
        }
    }
    if let Some(table) = table(top, "denied")? {
        for (names, item) in table {
            options.push(rule(names, Takes::Denied(text_of(item, names)?))?);
        }
    }
    twice(&options)?;
    let operands = operands(table(top, "operands")?)?;
    let profile = Profile {
        program: required(top, "program")?,
        also: list(top, "also")?,
        kind: word(top, "kind", None, &[("filter", Kind::Filter), ("reader", Kind::Reader)])?,
        says: required(top, "says")?,
        dialect: word(top, "dialect", Some(Dialect::Getopt), &DIALECTS)?,
        digits: digits(top)?,
        plus: word(top, "plus", Some(Plus::Operand), &[("start", Plus::Start)])?,
        terminal: word(top, "terminal", Some(TerminalRule::Any), &[("absent", TerminalRule::Absent)])?,
        options: Options::new(options),
        operands,
        recursion: recursion(table(top, "recursion")?)?,
        forms: forms(top)?,
    };
    whole(&profile)?;
    Ok(profile)
}

const DIALECTS: [(&str, Dialect); 8] = [
    ("getopt", Dialect::Getopt),
    ("getopt-stop", Dialect::GetoptStop),
    ("words", Dialect::Words),
    ("plain", Dialect::Plain),
    ("find", Dialect::Find),
    ("tar", Dialect::Tar),
    ("unzip", Dialect::Unzip),
    ("less", Dialect::Less),
];

fn meaning(name: &str, place: &str) -> Result<Meaning, BadProfile> {
    Ok(match name {
        "text" => Meaning::Text,
        "number" => Meaning::Number,
        "file" => Meaning::File,
        "archive" => Meaning::Archive,
        "listed" => Meaning::Listed,
        "shown" => Meaning::Shown,
        "command" => Meaning::Command,
        "date-format" => Meaning::DateFormat,
        "date-text" => Meaning::DateText,
        "awk-program" => Meaning::AwkProgram,
        "awk-assignment" => Meaning::AwkAssignment,
        "awk-input" => Meaning::AwkInput,
        "sed-script" => Meaning::SedScript,
        "jq-filter" => Meaning::JqFilter,
        other => return Err(bad(place, format!("`{other}` is no meaning"))),
    })
}

fn allowed(table: &Table, out: &mut Vec<OptionRule>) -> Result<(), BadProfile> {
    for (key, item) in table {
        let takes = match key {
            "flags" => Takes::Nothing,
            "attached" => Takes::Attached,
            "two" => Takes::Two,
            other => Takes::Value(meaning(other, "options")?),
        };
        for names in texts(item, key)? {
            out.push(rule(&names, takes.clone())?);
        }
    }
    Ok(())
}

/// An option from its names, separated by blanks.
fn rule(names: &str, takes: Takes) -> Result<OptionRule, BadProfile> {
    let names: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
    if names.is_empty() || names.iter().any(|n| n.len() < 2 || !n.starts_with('-') || n.contains('=')) {
        return Err(bad("options", format!("`{}` is no option", names.join(" "))));
    }
    Ok(OptionRule { names, takes })
}

fn twice(options: &[OptionRule]) -> Result<(), BadProfile> {
    if options.len() >= usize::from(u16::MAX) {
        return Err(bad("options", "are too many"));
    }
    let mut names: Vec<&String> = options.iter().flat_map(|o| &o.names).collect();
    names.sort();
    match names.windows(2).find(|pair| pair.first() == pair.last()) {
        Some(pair) => Err(bad("options", format!("{pair:?} is named twice"))),
        None => Ok(()),
    }
}

fn operands(found: Option<&Table>) -> Result<Operands, BadProfile> {
    let Some(table) = found else {
        return Ok(Operands { mean: Vec::new(), first_by: Vec::new(), least: 0, most: 0, without: None });
    };
    known(table, "operands", &["mean", "first-by", "least", "most", "without"])?;
    let mean =
        list(table, "mean")?.iter().map(|m| meaning(m, "operands.mean")).collect::<Result<Vec<_>, _>>()?;
    if mean.is_empty() {
        return Err(bad("operands.mean", "says nothing"));
    }
    Ok(Operands {
        mean,
        first_by: list(table, "first-by")?,
        least: count(table, "least")?.unwrap_or(0),
        most: count(table, "most")?.unwrap_or(ANY_NUMBER),
        without: table.get("without").map(|item| text_of(item, "operands.without")).transpose()?,
    })
}

fn recursion(found: Option<&Table>) -> Result<Option<Recursion>, BadProfile> {
    let Some(table) = found else { return Ok(None) };
    known(table, "recursion", &["options", "follows", "links", "reads"])?;
    Ok(Some(Recursion {
        options: list(table, "options")?,
        follows: list(table, "follows")?,
        links: word(table, "links", Some(Links::Passed), &[("followed", Links::Followed)])?,
        what: word(table, "reads", None, &[("names", What::Names), ("contents", What::Contents)])?,
    }))
}

fn forms(top: &Table) -> Result<Vec<Form>, BadProfile> {
    let Some(item) = top.get("form") else { return Ok(Vec::new()) };
    let tables = item.as_array_of_tables().ok_or_else(|| bad("form", "must be written as `[[form]]`"))?;
    tables
        .iter()
        .map(|table| {
            known(table, "form", &["needs", "least", "most"])?;
            Ok(Form {
                needs: list(table, "needs")?,
                least: count(table, "least")?.unwrap_or(0),
                most: count(table, "most")?.unwrap_or(ANY_NUMBER),
            })
        })
        .collect()
}

fn digits(top: &Table) -> Result<Digits, BadProfile> {
    let Some(item) = top.get("digits") else { return Ok(Digits::None) };
    let name = text_of(item, "digits")?;
    match name.as_str() {
        "flags" => Ok(Digits::Flags),
        "whole" => Ok(Digits::Whole),
        "key" => Ok(Digits::Key),
        other => FIRST
            .iter()
            .find(|(program, _)| *program == other)
            .map(|(_, letters)| Digits::First(letters))
            .ok_or_else(|| bad("digits", format!("`{other}` is not known"))),
    }
}

/// Every option that another part of the profile speaks of must be there.
fn whole(profile: &Profile) -> Result<(), BadProfile> {
    let of_walk = profile.recursion.iter().flat_map(|r| r.options.iter().chain(&r.follows));
    let of_forms = profile.forms.iter().flat_map(|f| &f.needs);
    let mut spoken_of = profile.operands.first_by.iter().chain(of_walk).chain(of_forms);
    match spoken_of.find(|name| profile.rule(name).is_none_or(|r| matches!(r.takes, Takes::Denied(_)))) {
        Some(name) => Err(bad("options", format!("`{name}` is spoken of and not allowed"))),
        None => Ok(()),
    }
}

fn known(table: &Table, place: &str, keys: &[&str]) -> Result<(), BadProfile> {
    match table.iter().find(|(key, _)| !keys.contains(key)) {
        Some((key, _)) => Err(bad(place, format!("`{key}` is not known"))),
        None => Ok(()),
    }
}

fn table<'a>(top: &'a Table, key: &str) -> Result<Option<&'a Table>, BadProfile> {
    top.get(key).map(|item| item.as_table().ok_or_else(|| bad(key, "must be a table"))).transpose()
}

fn text_of(item: &Item, place: &str) -> Result<String, BadProfile> {
    let text = item.as_str().map(str::trim).filter(|t| !t.is_empty());
    text.map(str::to_owned).ok_or_else(|| bad(place, "must be a text"))
}

fn texts(item: &Item, place: &str) -> Result<Vec<String>, BadProfile> {
    let array = item.as_array().ok_or_else(|| bad(place, "must be a list of texts"))?;
    array
        .iter()
        .map(|value| value.as_str().map(str::to_owned).ok_or_else(|| bad(place, "must be a list of texts")))
        .collect()
}

fn list(table: &Table, key: &str) -> Result<Vec<String>, BadProfile> {
    table.get(key).map_or_else(|| Ok(Vec::new()), |item| texts(item, key))
}

fn required(table: &Table, key: &str) -> Result<String, BadProfile> {
    table.get(key).map_or_else(|| Err(bad(key, "is missing")), |item| text_of(item, key))
}

fn count(table: &Table, key: &str) -> Result<Option<usize>, BadProfile> {
    let number = |item: &Item| item.as_integer().and_then(|n| usize::try_from(n).ok());
    table.get(key).map(|item| number(item).ok_or_else(|| bad(key, "must be a count"))).transpose()
}

fn word<T: Copy>(table: &Table, key: &str, default: Option<T>, words: &[(&str, T)]) -> Result<T, BadProfile> {
    match (table.get(key), default) {
        (None, Some(default)) => Ok(default),
        (None, None) => Err(bad(key, "is missing")),
        (Some(item), _) => {
            let text = text_of(item, key)?;
            let found = words.iter().find(|(name, _)| *name == text);
            found.map(|(_, value)| *value).ok_or_else(|| bad(key, format!("`{text}` is not known")))
        }
    }
}
