//! The gateway and the node host as services of the user's manager: systemd on Linux, launchd on macOS (gateway 1, SP-073).
//!
//! * [`mod@unit`]: the text of a systemd unit, and its command line read back; [`plist`]: that of a launchd job.
//! * [`manager`]: installs, starts, stops, asks.
//!
//! Invariant: every value is escaped for the grammar it goes into; a line break or another control character is refused.
//! Invariant: a service file holds no secret: variables that are named like one are refused. The gateway reads its secrets itself.

pub mod manager;
pub mod plist;
pub mod unit;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use oc_text::redact::is_sensitive_name;
use thiserror::Error;

/// What runs as a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The gateway.
    Gateway,
    /// The node host: this machine as a node of another gateway.
    Node,
}

/// A set-up beside the default one: letters, digits and dashes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Profile(String);

/// A service as it is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    kind: Kind,
    profile: Option<Profile>,
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

/// Why a service was not described.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ServiceRefused {
    /// The profile.
    #[error("the profile {0:?} is not 1 to 32 lower-case letters, digits and dashes")]
    Profile(String),
    /// The program.
    #[error("{}: the program's path has to be absolute", .0.display())]
    Program(PathBuf),
    /// A program that systemd does not start.
    #[error(
        "{0}: the program's path holds a quote or a backslash, and systemd starts no such program; move it"
    )]
    Quote(String),
    /// A value that no service file can hold.
    #[error("{0} is not UTF-8 text, or holds a line break or another control character")]
    Text(String),
    /// A variable's name.
    #[error("{0:?} is not the name of a variable")]
    Name(String),
    /// A secret in a file that others may read.
    #[error(
        "{0} is named like a secret: put it into the `.env` file of the state directory, not into a service file"
    )]
    Secret(String),
}

impl Profile {
    /// Takes a profile's name.
    ///
    /// # Errors
    /// [`ServiceRefused::Profile`].
    pub fn parse(text: &str) -> Result<Self, ServiceRefused> {
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fits = (1..=32).contains(&text.len()) && text.chars().all(fine) && !text.starts_with('-');
        if fits { Ok(Self(text.to_owned())) } else { Err(ServiceRefused::Profile(text.to_owned())) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Kind {
    /// The name of the systemd unit.
    #[must_use]
    pub fn unit_name(self, profile: Option<&Profile>) -> String {
        let name = match self {
            Self::Gateway => "openclaw-gateway",
            Self::Node => "openclaw-node",
        };
        match profile {
            Some(profile) => format!("{name}-{}.service", profile.as_str()),
            None => format!("{name}.service"),
        }
    }

    /// The label of the launchd job.
    #[must_use]
    pub fn label(self, profile: Option<&Profile>) -> String {
        match (self, profile) {
            (Self::Gateway, None) => "ai.openclaw.gateway".to_owned(),
            (Self::Gateway, Some(profile)) => format!("ai.openclaw.{}", profile.as_str()),
            (Self::Node, None) => "ai.openclaw.node".to_owned(),
            (Self::Node, Some(profile)) => format!("ai.openclaw.node.{}", profile.as_str()),
        }
    }

    /// For people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Gateway => "OpenClaw Gateway",
            Self::Node => "OpenClaw Node",
        }
    }
}

impl Service {
    /// Describes a service.
    ///
    /// # Errors
    /// See [`ServiceRefused`].
    pub fn new(
        kind: Kind,
        profile: Option<Profile>,
        program: &Path,
        arguments: Vec<String>,
        environment: Vec<(String, String)>,
    ) -> Result<Self, ServiceRefused> {
        if !program.is_absolute() {
            return Err(ServiceRefused::Program(program.to_owned()));
        }
        let path = program.to_str().ok_or_else(|| ServiceRefused::Text(program.display().to_string()))?;
        let writable = |what: &str, text: &str| {
            if text.chars().any(char::is_control) {
                Err(ServiceRefused::Text(what.to_owned()))
            } else {
                Ok(())
            }
        };
        writable("the program's path", path)?;
        if path.contains(['"', '\'', '\\']) {
            return Err(ServiceRefused::Quote(path.to_owned()));
        }
        for argument in &arguments {
            writable("an argument", argument)?;
        }
        for (name, value) in &environment {
            let fine = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(fine) || name.starts_with(|c: char| c.is_ascii_digit()) {
                return Err(ServiceRefused::Name(name.clone()));
            }
            if is_sensitive_name(name) || name.ends_with("_KEY") {
                return Err(ServiceRefused::Secret(name.clone()));
            }
            writable(name, value)?;
        }
        Ok(Self { kind, profile, program: path.to_owned(), arguments, environment })
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Of which set-up; `None` is the default one.
    #[must_use]
    pub fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// The command line, program first.
    pub fn command_line(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.program.as_str()).chain(self.arguments.iter().map(String::as_str))
    }

    /// The variables.
    #[must_use]
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }
}
