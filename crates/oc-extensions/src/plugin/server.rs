//! The program of a plugin: `mcpServer: { command, args, env }` of its manifest.

use oc_config::dotenv::{Denied, denied};
use serde_json::Value;

use super::BadManifest;
use crate::package::path::relative;
use crate::skill::is_program_name;

/// Most arguments.
const MAX_ARGS: usize = 64;
/// Longest argument, in bytes.
const MAX_ARG: usize = 4096;
/// Most variables.
const MAX_ENV: usize = 64;

/// What is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// A program of the host, by its plain name.
    Named(String),
    /// A file of the plugin, below its folder.
    Own(String),
}

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// As it is.
    Text(String),
    /// A file of the plugin, below its folder (written with `./` in front).
    Own(String),
}

/// A program that speaks MCP over its standard streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerCommand {
    /// What is started.
    pub program: Program,
    /// Its arguments.
    pub args: Vec<Argument>,
    /// The variables that it asks for. They get what `plugins.entries.<id>.config.env` says, never what the gateway itself has.
    pub env: Vec<String>,
}

impl ServerCommand {
    /// The files of the plugin that it names.
    pub fn own_files(&self) -> impl Iterator<Item = &str> {
        let program = match &self.program {
            Program::Own(path) => Some(path.as_str()),
            Program::Named(_) => None,
        };
        let args = self.args.iter().filter_map(|a| match a {
            Argument::Own(path) => Some(path.as_str()),
            Argument::Text(_) => None,
        });
        program.into_iter().chain(args)
    }

    /// As it would be typed, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut out = match &self.program {
            Program::Named(name) => name.clone(),
            Program::Own(path) => format!("./{path}"),
        };
        for arg in &self.args {
            out.push(' ');
            match arg {
                Argument::Text(text) => out.push_str(text),
                Argument::Own(path) => out.push_str(&format!("./{path}")),
            }
        }
        oc_text::visible(&out, 400)
    }
}

/// Reads the member of the manifest.
///
/// # Errors
/// [`BadManifest::Member`].
pub(super) fn parse(json: &Value) -> Result<ServerCommand, BadManifest> {
    let wrong = |why| BadManifest::Member("mcpServer", why);
    let members = json.as_object().ok_or_else(|| wrong("it is no object"))?;
    if members.keys().any(|k| !matches!(k.as_str(), "command" | "args" | "env")) {
        return Err(wrong("only `command`, `args` and `env` are known"));
    }
    let command = members.get("command").and_then(Value::as_str).unwrap_or_default();
    let program = match command.strip_prefix("./") {
        Some(rest) => {
            Program::Own(relative(rest).map_err(|_| wrong("`command` leads out of the plugin's folder"))?)
        }
        None if is_program_name(command) => Program::Named(command.to_owned()),
        None => {
            return Err(wrong(
                "`command` is neither a program's plain name nor `./` and a file of the plugin",
            ));
        }
    };
    let list = |key: &str, why| match members.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(all)) => all
            .iter()
            .map(|v| v.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| wrong(why)),
        Some(_) => Err(wrong(why)),
    };
    let args = list("args", "`args` is no list of texts")?;
    if args.len() > MAX_ARGS || args.iter().any(|a| a.len() > MAX_ARG || a.contains('\0')) {
        return Err(wrong("`args` has too many or too long entries"));
    }
    let argument = |text: String| match text.strip_prefix("./") {
        Some(rest) => relative(rest)
            .map(Argument::Own)
            .map_err(|_| wrong("an entry of `args` leads out of the plugin's folder")),
        None => Ok(Argument::Text(text)),
    };
    let env = list("env", "`env` is no list of names")?;
    if env.len() > MAX_ENV || !env.iter().all(|n| is_variable(n)) {
        return Err(wrong("`env` is no list of names of variables"));
    }
    // What decides which code runs is not a plugin's to ask for, even if an operator would give it.
    if env.iter().any(|n| matches!(denied(n), Some(Denied::Product | Denied::Loader))) {
        return Err(wrong("`env` asks for a variable of the product or one that decides which code runs"));
    }
    Ok(ServerCommand { program, args: args.into_iter().map(argument).collect::<Result<_, _>>()?, env })
}

fn is_variable(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=128).contains(&name.len())
        && name.chars().all(fine)
        && !name.starts_with(|c: char| c.is_ascii_digit())
}
