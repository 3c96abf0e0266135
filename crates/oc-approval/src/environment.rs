//! Which environment variables a request may set, a line may assign and a host command inherits (exec-approval 8): one list in one place,
//! for every host of execution.
//!
//! What a request or a line sets is judged by a list of harmless names (SP-210); what the host's own environment hands on is judged by
//! the families that steer loaders, shells and interpreters (SP-212).

mod family;

pub use family::{Family, family};

use crate::plan::Miss;

/// Who sets a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// `env` of the request.
    Request,
    /// `NAME=value` before a command of the line.
    Line,
}

/// Names that only change how output looks, and `TZ`.
const HARMLESS: [&str; 9] =
    ["COLORTERM", "COLUMNS", "FORCE_COLOR", "LANG", "LANGUAGE", "LINES", "NO_COLOR", "TERM", "TZ"];

/// Names that a request may set besides: switches that programs read as yes or no.
const SWITCHES: [&str; 5] = ["CI", "CLICOLOR", "CLICOLOR_FORCE", "NODE_ENV", "RUST_BACKTRACE"];

/// Longest value that a request or a line may give, in bytes.
const LONGEST: usize = 256;

/// The names of locale categories.
fn is_locale(name: &str) -> bool {
    matches!(name, "LANG" | "LANGUAGE")
        || name
            .strip_prefix("LC_")
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
}

/// Whether a text is a name that POSIX knows as one.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Judges one variable.
///
/// # Errors
/// The cause in words. For a request it is a refusal (SP-210), for a line a miss (SP-137).
pub fn judge(name: &str, value: &str, by: SetBy) -> Result<(), String> {
    if !is_name(name) {
        return Err("not a name of a variable".to_owned());
    }
    if value.contains('\0') {
        return Err(format!("{name}: the value holds a NUL"));
    }
    let known = is_locale(name)
        || (HARMLESS.contains(&name) && name != "LANGUAGE")
        || (by == SetBy::Request && (name == "LANGUAGE" || SWITCHES.contains(&name)));
    if !known {
        return Err(match family(name) {
            Some(family) => format!("{name} {}", family.what()),
            None => format!("{name} is not on the list of harmless variables"),
        });
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+@.,:-".contains(c);
    let fits = value.len() <= LONGEST
        && if name == "TZ" {
            value.chars().all(|c| plain(c) || c == '/')
                && !value.starts_with(['/', ':'])
                && !value.contains("..")
        } else {
            value.chars().all(plain) && !(is_locale(name) && value.contains(".."))
        };
    if fits { Ok(()) } else { Err(format!("{name}: the value is more than a plain word")) }
}

/// The environment overrides of a request in their one normal form: sorted by name, each judged.
///
/// # Errors
/// `env-forbidden`: the request is refused before anybody is asked.
pub fn overrides(given: &[(String, String)]) -> Result<Vec<(String, String)>, Miss> {
    let mut sorted = given.to_vec();
    sorted.sort();
    for (name, value) in &sorted {
        judge(name, value, SetBy::Request).map_err(|why| Miss::new("env-forbidden", why))?;
    }
    if sorted.windows(2).any(|w| matches!(w, [(a, _), (b, _)] if a == b)) {
        return Err(Miss::new("env-forbidden", "a name is given twice"));
    }
    Ok(sorted)
}

/// Which kind of run an environment is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// Nobody was asked: programs read no start-up options, and secrets stay behind (exec-approval 7.3).
    Automatic,
    /// A person approved it, or the operator asks for nothing.
    Approved,
    /// As approved, but a shell reads the text: only display settings of the request are passed on.
    Shell,
}

/// The whole environment of a host command: what is inherited, sanitised, then the overrides of the request, which were judged before.
#[must_use]
pub fn compose(
    inherited: &[(String, String)],
    overrides: &[(String, String)],
    kind: RunKind,
) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = inherited
        .iter()
        .filter(|(name, value)| is_name(name) && !value.contains('\0') && is_inherited(name, kind))
        .cloned()
        .collect();
    for (name, value) in overrides {
        if kind == RunKind::Shell && !passes_shell(name) {
            continue;
        }
        out.retain(|(n, _)| n != name);
        out.push((name.clone(), value.clone()));
    }
    if kind == RunKind::Automatic {
        out.retain(|(n, _)| n != "LESSSECURE");
        out.push(("LESSSECURE".to_owned(), "1".to_owned()));
    }
    out.sort();
    out.dedup_by(|a, b| a.0 == b.0);
    out
}

/// What of a request's environment reaches a shell.
fn passes_shell(name: &str) -> bool {
    is_locale(name) || matches!(name, "TERM" | "COLORTERM" | "NO_COLOR" | "FORCE_COLOR")
}

/// Whether a variable of the host is handed on.
fn is_inherited(name: &str, kind: RunKind) -> bool {
    let upper = name.to_ascii_uppercase();
    if upper.starts_with("OPENCLAW_") {
        return !family::is_secret(&upper);
    }
    if SWITCHES.contains(&name) {
        return true;
    }
    let automatic = kind == RunKind::Automatic;
    match family(name) {
        Some(
            Family::Loader
            | Family::ShellStart
            | Family::ShellOption
            | Family::Function
            | Family::Interpreter
            | Family::Product,
        ) => false,
        Some(Family::Pager | Family::ToolOption | Family::Credential | Family::Locale) => !automatic,
        Some(
            Family::Search
            | Family::Compiler
            | Family::VersionControl
            | Family::Package
            | Family::Proxy
            | Family::Certificate
            | Family::Cloud,
        )
        | None => true,
    }
}

#[cfg(test)]
mod tests;
