//! What a server and its tools are called for the policy.
//!
//! A tool of a server is judged as `mcp__SERVER__TOOL`, a tool of the plugin `SERVER`. Lists name one tool (`mcp__files__read_file`), some of a
//! server (`mcp__files__read_*`), a whole server (`files`), or all plugins (`group:plugins`). Without the prefix a server could name its tool
//! `read` and be judged by the rule for the product's own.

use std::fmt;

use oc_policy::inventory::{Inventory, Tool};
use oc_policy::tool_name::{CHANNELS, canonical};
use thiserror::Error;

use crate::limits::NAME_BYTES;

/// What stands for reading resources, where a tool's name would stand. No tool of a server can have this name.
pub const RESOURCES: &str = "@resources";
/// What stands for prompts.
pub const PROMPTS: &str = "@prompts";

/// Why a name cannot be a server's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadName {
    /// Its spelling.
    #[error(
        "`{0}` is no name for an MCP server: a letter first, then letters, digits, `-` and `_` without `__`, at most 40"
    )]
    Spelling(String),
    /// A list that names it would mean something else as well.
    #[error("an MCP server cannot be called `{0}`: in a tool list that is {1}")]
    Taken(String, &'static str),
}

/// The name of a server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerName(String);

impl ServerName {
    /// Reads a name; compared in lower case.
    ///
    /// # Errors
    /// See [`BadName`].
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let name = text.trim().to_lowercase();
        let spelled = name.len() <= 40
            && name.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
            && !name.contains("__")
            && !name.ends_with('_');
        if !spelled {
            return Err(BadName::Spelling(oc_text::visible(text, 60)));
        }
        if Inventory::standard().get(&name).is_some() {
            return Err(BadName::Taken(name, "a tool of the product"));
        }
        if CHANNELS.contains(&canonical(&name).as_ref()) {
            return Err(BadName::Taken(name, "a channel"));
        }
        if Inventory::standard().tools().iter().any(|t| t.owner() == Some(name.as_str())) {
            return Err(BadName::Taken(name, "a plugin of the product"));
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a tool of this server is called for the policy.
    #[must_use]
    pub fn qualified(&self, tool: &str) -> String {
        format!("mcp__{}__{tool}", self.0)
    }

    /// The tool as the policy's inventory has it.
    #[must_use]
    pub fn tool(&self, tool: &str) -> Tool {
        Tool::plugin(self.qualified(tool), self.0.clone())
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name for a server that has none: its program's, without path and ending.
#[must_use]
pub fn from_program(program: &str) -> String {
    let file = program.rsplit(['/', '\\']).next().unwrap_or(program);
    let stem = file.split('.').next().unwrap_or(file);
    let mut name: String = stem
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect::<String>()
        .split('-')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    name.truncate(40);
    name
}

/// Whether a server may call a tool that: what lists, prompts and terminals read the same way.
#[must_use]
pub fn is_tool_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_BYTES
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_cannot_borrow_a_name_of_the_product() {
        for taken in ["exec", "Bash", "telegram", "memory-core", "read"] {
            assert!(matches!(ServerName::parse(taken), Err(BadName::Taken(..))), "{taken}");
        }
        for wrong in ["", "9x", "a__b", "a b", "x_", "../x", "group:plugins", "*", &"x".repeat(41)] {
            assert!(matches!(ServerName::parse(wrong), Err(BadName::Spelling(_))), "{wrong}");
        }
        assert_eq!(ServerName::parse(" Files-2 ").unwrap().qualified("read"), "mcp__files-2__read");
    }

    #[test]
    fn a_program_names_its_server() {
        assert_eq!(from_program("/usr/bin/mcp-server_time.py"), "mcp-server-time");
        assert_eq!(from_program("npx"), "npx");
    }

    #[test]
    fn tool_names_are_plain() {
        assert!(is_tool_name("read_file") && is_tool_name("a.b/c-d"));
        for bad in ["", "a b", "@resources", "x\u{200b}", "a\n", "*", "a:b"] {
            assert!(!is_tool_name(bad), "{bad:?}");
        }
    }
}
