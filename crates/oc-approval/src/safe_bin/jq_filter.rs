//! Which `jq` filters only compute (exec-approval 7.3).
//!
//! Read token by token; functions by positive list. Names of fields and of object members are not functions; whatever stands in
//! `\( )` inside text is read like the rest.

mod names;
#[cfg(test)]
mod tests;
mod token;

use std::collections::HashSet;

use crate::plan::Miss;
use names::{FUNCTIONS, KEYWORDS, REFUSED};
use token::{Token, Tokens};

/// Judges a filter.
///
/// # Errors
/// `operand`: what in the filter is not known to be free of side effects.
pub fn check(program: &str) -> Result<(), Miss> {
    let tokens = Tokens::read(program)?;
    let defined = defined(&tokens.list);
    for token in &tokens.list {
        match token {
            Token::Function(name) if is_one_of(&REFUSED, name) => return Err(miss(format!("`{name}`"))),
            Token::Function(name)
                if !is_one_of(&KEYWORDS, name) && !is_one_of(&FUNCTIONS, name) && !defined.contains(name) =>
            {
                return Err(miss(format!("`{name}`, which is no function known to only compute")));
            }
            Token::Variable("ENV" | "__prog_args" | "__prog_name") => {
                return Err(miss("a variable of the process"));
            }
            Token::Function(_) | Token::Variable(_) | Token::Key | Token::Sign(_) | Token::Other => {}
        }
    }
    Ok(())
}

/// Whether a sorted list holds a name.
fn is_one_of(list: &[&str], name: &str) -> bool {
    list.binary_search(&name).is_ok()
}

fn miss(detail: impl Into<String>) -> Miss {
    Miss::new("operand", format!("jq filter: {}", detail.into()))
}

/// Names after `def` and the names of their parameters.
fn defined<'a>(tokens: &[Token<'a>]) -> HashSet<&'a str> {
    let mut names = HashSet::new();
    for (i, token) in tokens.iter().enumerate() {
        if *token != Token::Function("def") {
            continue;
        }
        let mut after = tokens.iter().skip(i + 1);
        let Some(Token::Function(name)) = after.next() else { continue };
        names.insert(*name);
        if after.next() == Some(&Token::Sign('(')) {
            let parameters = after.take_while(|t| **t != Token::Sign(')'));
            names.extend(
                parameters.filter_map(|t| if let Token::Function(name) = t { Some(*name) } else { None }),
            );
        }
    }
    names
}
