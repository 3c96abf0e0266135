//! What kind of program a command starts: itself, another one, a file of code, or code in its arguments (exec-approval 5.3, SP-138,
//! SP-141 to SP-143).
//!
//! Every rule errs towards the more dangerous kind: a cluster of short options that holds a dangerous letter counts even where another
//! option would take the letter as its value, and a long option counts by any prefix.

mod inline;
mod wrapper;

pub use wrapper::{Unwrapped, is_wrapper, unwrap};

use crate::plan::Form;
use crate::program_name::{base_name, is_interpreter_name};

/// What an argument vector starts. `names`: the base names of the path as found and of where it leads; the worse one counts.
#[must_use]
pub fn form(names: &[&str], arguments: &[String]) -> Form {
    let mut worst = Form::Plain;
    let mut before = None;
    for name in names {
        // Mostly the path as found is where it leads.
        if before != Some(name) {
            let form = of_name(&base_name(name), arguments);
            worst = if rank(form) > rank(worst) { form } else { worst };
        }
        before = Some(name);
    }
    worst
}

fn rank(form: Form) -> u8 {
    match form {
        Form::Plain => 0,
        Form::Wrapper => 1,
        Form::Interpreter => 2,
        Form::InlineCode => 3,
    }
}

fn of_name(name: &str, arguments: &[String]) -> Form {
    if inline::has_code(name, arguments) {
        Form::InlineCode
    } else if is_wrapper(name) {
        Form::Wrapper
    } else if is_interpreter_name(name) && !is_text_filter(name) {
        Form::Interpreter
    } else {
        Form::Plain
    }
}

/// `awk` and `sed` are filters with a language of their own: their program text is judged as inline code or not at all.
fn is_text_filter(name: &str) -> bool {
    matches!(name, "awk" | "gawk" | "mawk" | "nawk" | "original-awk" | "sed" | "gsed")
}

/// Whether a path-only entry covers an interpreter with these arguments. It does not when it takes its code from elsewhere than one
/// named file (SP-141), or gets more than that file and its arguments say.
///
/// # Errors
/// The cause, in a few words.
pub fn interpreter_trust(arguments: &[String]) -> Result<(), &'static str> {
    match arguments.first().map(String::as_str) {
        None => Err("code from standard input"),
        Some("--version" | "--help" | "-V") if arguments.len() == 1 => Ok(()),
        Some(option) if option.starts_with(['-', '+']) => Err("options that change where code comes from"),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
