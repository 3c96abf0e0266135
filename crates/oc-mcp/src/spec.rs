//! How a server is started: from `mcp.servers.<name>` of the configuration, or from a command line.

use std::path::PathBuf;
use std::time::Duration;

use oc_types::Node;
use thiserror::Error;

use crate::environment::{NotGiven, of_server};
use crate::limits;
use crate::names::{BadName, ServerName};

/// Why a server cannot be started as it is described.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadSpec {
    /// Its name.
    #[error(transparent)]
    Name(#[from] BadName),
    /// There is no such server.
    #[error("there is no `mcp.servers.{0}` in the configuration")]
    Unknown(String),
    /// It is switched off.
    #[error("`mcp.servers.{0}.enabled` is false")]
    Disabled(String),
    /// It is reached over a network.
    #[error(
        "`mcp.servers.{0}.url`: servers over a network are not carried out by this program; give `command` and `args`"
    )]
    Remote(String),
    /// It has nothing to start.
    #[error("`mcp.servers.{0}.command` is missing")]
    NoCommand(String),
    /// Its environment.
    #[error("{place}: {why}")]
    Environment {
        /// Where that stands.
        place: String,
        /// What is wrong.
        why: NotGiven,
    },
}

/// A server that can be started.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerSpec {
    /// Its name.
    pub name: ServerName,
    /// Its program; looked up in the `PATH` of its environment.
    pub command: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// Its directory; `None` is the one of this process.
    pub directory: Option<PathBuf>,
    /// How long one call may take.
    pub call_timeout: Duration,
}

/// Names and counts only: arguments and environment may hold credentials.
impl std::fmt::Debug for ServerSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerSpec")
            .field("name", &self.name)
            .field("command", &self.command)
            .field("arguments", &self.arguments.len())
            .field("environment", &self.environment.iter().map(|(n, _)| n).collect::<Vec<_>>())
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

impl ServerSpec {
    /// A server by its command line. `given`: variables that the operator gives it.
    ///
    /// # Errors
    /// See [`BadSpec`].
    pub fn of_command(
        name: &str,
        command: &str,
        arguments: Vec<String>,
        inherited: &[(String, String)],
        given: &[(String, String)],
    ) -> Result<Self, BadSpec> {
        let environment = of_server(inherited, given)
            .map_err(|why| BadSpec::Environment { place: "`--env`".to_owned(), why })?;
        Ok(Self {
            name: ServerName::parse(name)?,
            command: command.to_owned(),
            arguments,
            environment,
            directory: None,
            call_timeout: limits::CALL,
        })
    }

    /// The server `mcp.servers.<name>`.
    ///
    /// # Errors
    /// See [`BadSpec`].
    pub fn of_config(config: &Node, name: &str, inherited: &[(String, String)]) -> Result<Self, BadSpec> {
        let parsed = ServerName::parse(name)?;
        let Some(server) = config.path(&["mcp", "servers", name]) else {
            return Err(BadSpec::Unknown(parsed.to_string()));
        };
        if server.get("enabled").and_then(Node::as_bool) == Some(false) {
            return Err(BadSpec::Disabled(parsed.to_string()));
        }
        let text =
            |key: &str| server.get(key).and_then(Node::as_str).map(str::trim).filter(|t| !t.is_empty());
        let Some(command) = text("command") else {
            return Err(match text("url") {
                Some(_) => BadSpec::Remote(parsed.to_string()),
                None => BadSpec::NoCommand(parsed.to_string()),
            });
        };
        let given: Vec<(String, String)> = server
            .get("env")
            .and_then(Node::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), value.as_entry()?)))
            .collect();
        let environment = of_server(inherited, &given)
            .map_err(|why| BadSpec::Environment { place: format!("`mcp.servers.{parsed}.env`"), why })?;
        Ok(Self {
            name: parsed,
            command: command.to_owned(),
            arguments: server.get("args").and_then(Node::entries).unwrap_or_default(),
            environment,
            directory: text("cwd").map(PathBuf::from),
            call_timeout: limits::CALL,
        })
    }

    /// The names of the servers that the configuration switches on.
    #[must_use]
    pub fn configured(config: &Node) -> Vec<String> {
        let servers = config.path(&["mcp", "servers"]).and_then(Node::as_object);
        servers
            .into_iter()
            .flatten()
            .filter(|(_, server)| server.get("enabled").and_then(Node::as_bool) != Some(false))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use oc_types::Origin;
    use serde_json::json;

    use super::*;

    fn config(servers: &serde_json::Value) -> Node {
        Node::from_json(&json!({"mcp": {"servers": servers}}), &Origin::Builtin)
    }

    #[test]
    fn a_configured_server_gets_its_own_environment_and_nothing_else() {
        let config = config(
            &json!({"files": {"command": "srv", "args": ["-x", 1], "env": {"KEY": "v"}, "cwd": "/srv"}}),
        );
        let inherited =
            [("PATH".to_owned(), "/bin".to_owned()), ("OPENAI_API_KEY".to_owned(), "k".to_owned())];
        let spec = ServerSpec::of_config(&config, "files", &inherited).unwrap();
        assert_eq!(
            (spec.command.as_str(), spec.arguments.as_slice()),
            ("srv", &["-x".to_owned(), "1".to_owned()][..])
        );
        let names: Vec<&str> = spec.environment.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["KEY", "PATH"]);
        assert!(!format!("{spec:?}").contains("\"v\""), "no value in debug output");
    }

    #[test]
    fn what_cannot_be_started_says_why_with_its_key() {
        let config = config(&json!({
            "off": {"command": "x", "enabled": false},
            "far": {"url": "https://mcp.example.org"},
            "none": {},
            "own": {"command": "x", "env": {"OPENCLAW_GATEWAY_TOKEN": "x"}},
        }));
        let why = |name: &str| ServerSpec::of_config(&config, name, &[]).unwrap_err().to_string();
        insta::assert_snapshot!([why("off"), why("far"), why("none"), why("own"), why("missing"), why("exec")].join("\n"), @r"
        `mcp.servers.off.enabled` is false
        `mcp.servers.far.url`: servers over a network are not carried out by this program; give `command` and `args`
        `mcp.servers.none.command` is missing
        `mcp.servers.own.env`: `OPENCLAW_GATEWAY_TOKEN` is a setting of this product; an MCP server does not get it
        there is no `mcp.servers.missing` in the configuration
        an MCP server cannot be called `exec`: in a tool list that is a tool of the product
        ");
        assert_eq!(ServerSpec::configured(&config), ["far", "none", "own"]);
    }
}
