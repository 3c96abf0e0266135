//! What a server inherits: what a program needs to find its files and its language, and no credential.
//!
//! A list of what may pass, not of what may not: a key that nobody thought of stays behind.

use oc_approval::environment::{Family, family, is_name};
use thiserror::Error;

/// Names that pass. Locale categories pass besides.
const PASSES: [&str; 15] = [
    "COLORTERM",
    "HOME",
    "LANG",
    "LOGNAME",
    "NO_COLOR",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
];

/// Why a variable is not given to a server.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotGiven {
    /// It is no name.
    #[error("`{0}` is no name of a variable")]
    Name(String),
    /// It is the product's own.
    #[error("`{0}` is a setting of this product; an MCP server does not get it")]
    Own(String),
    /// It steers what a program loads.
    #[error("`{0}` steers what programs load; an MCP server does not get it")]
    Loader(String),
    /// Its value cannot be one.
    #[error("the value of `{0}` holds a NUL")]
    Value(String),
}

/// The environment of a server: what passes of `inherited`, then what the operator gives it by name.
///
/// # Errors
/// See [`NotGiven`]: of `given` only; what does not pass is left out without a word.
pub fn of_server(
    inherited: &[(String, String)],
    given: &[(String, String)],
) -> Result<Vec<(String, String)>, NotGiven> {
    let mut out: Vec<(String, String)> =
        inherited.iter().filter(|(name, value)| passes(name) && !value.contains('\0')).cloned().collect();
    for (name, value) in given {
        may_give(name)?;
        if value.contains('\0') {
            return Err(NotGiven::Value(name.clone()));
        }
        out.retain(|(n, _)| n != name);
        out.push((name.clone(), value.clone()));
    }
    out.sort();
    Ok(out)
}

fn passes(name: &str) -> bool {
    let locale = name
        .strip_prefix("LC_")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'));
    locale || PASSES.contains(&name)
}

/// Whether the operator can give a server a variable of this name. Credentials can be given: many servers need one of their own.
fn may_give(name: &str) -> Result<(), NotGiven> {
    if !is_name(name) {
        return Err(NotGiven::Name(oc_text::visible(name, 60)));
    }
    if name.to_ascii_uppercase().starts_with("OPENCLAW_") {
        return Err(NotGiven::Own(name.to_owned()));
    }
    match family(name) {
        Some(Family::Product) => Err(NotGiven::Own(name.to_owned())),
        Some(Family::Loader | Family::ShellStart | Family::ShellOption | Family::Function) => {
            Err(NotGiven::Loader(name.to_owned()))
        }
        Some(
            Family::Interpreter
            | Family::Pager
            | Family::ToolOption
            | Family::Credential
            | Family::Locale
            | Family::Search
            | Family::Compiler
            | Family::VersionControl
            | Family::Package
            | Family::Proxy
            | Family::Certificate
            | Family::Cloud,
        )
        | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(names: &[&str]) -> Vec<(String, String)> {
        names.iter().map(|n| ((*n).to_owned(), "canary".to_owned())).collect()
    }

    #[test]
    fn no_credential_and_nothing_of_the_product_is_inherited() {
        let inherited = pairs(&[
            "PATH",
            "HOME",
            "LC_ALL",
            "OPENCLAW_GATEWAY_TOKEN",
            "OPENCLAW_STATE_DIR",
            "ANTHROPIC_API_KEY",
            "OPENAI_API_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "SSH_AUTH_SOCK",
            "LD_PRELOAD",
            "NODE_OPTIONS",
            "HTTPS_PROXY",
            "SOMETHING_NOBODY_THOUGHT_OF",
        ]);
        let names: Vec<String> = of_server(&inherited, &[]).unwrap().into_iter().map(|(n, _)| n).collect();
        assert_eq!(names, ["HOME", "LC_ALL", "PATH"]);
    }

    #[test]
    fn the_operator_gives_a_server_its_own_key_but_no_loader_and_nothing_of_ours() {
        let given = pairs(&["GITHUB_TOKEN", "PATH"]);
        let out = of_server(&pairs(&["PATH"]), &given).unwrap();
        assert_eq!(out.len(), 2);
        assert_eq!(
            of_server(&[], &pairs(&["OPENCLAW_GATEWAY_TOKEN"])),
            Err(NotGiven::Own("OPENCLAW_GATEWAY_TOKEN".into()))
        );
        assert_eq!(of_server(&[], &pairs(&["LD_PRELOAD"])), Err(NotGiven::Loader("LD_PRELOAD".into())));
        assert_eq!(of_server(&[], &pairs(&["A B"])), Err(NotGiven::Name("A B".into())));
    }
}
