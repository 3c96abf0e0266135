//! What an approval binds (SP-170 to SP-172). Whatever differs when the command is about to start refuses it.

mod operand;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::approvals_file::{Ask, Security};
use crate::host_view::{Entry, HostView};
use crate::plan::{Executable, Plan};

pub use operand::{Operand, operand};

/// Where a command is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Host {
    /// In the sandbox of the session.
    Sandbox,
    /// On the host of the gateway.
    Gateway,
    /// On a paired node.
    Node,
    /// The person who answers says where.
    Prompt,
}

impl Host {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Gateway => "gateway",
            Self::Node => "node",
            Self::Prompt => "prompt",
        }
    }
}

/// For whom and where a line is to run, and under which rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// The agent.
    pub agent: String,
    /// The session.
    pub session: String,
    /// Where.
    pub host: Host,
    /// Which node, with [`Host::Node`].
    pub node: Option<String>,
    /// How far the host checks (after both sides were merged).
    pub security: Security,
    /// When a person is asked (after both sides were merged).
    pub ask: Ask,
}

/// What an approval binds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Binding {
    text: String,
    argv: Vec<Vec<String>>,
    directory: String,
    /// Device and inode of the directory, so that a path that leads elsewhere is another directory (SP-171).
    directory_id: Option<(u64, u64)>,
    environment: BTreeMap<String, String>,
    agent: String,
    session: String,
    host: Host,
    node: Option<String>,
    /// The programs, and those that wrappers start, in order.
    executables: Vec<Option<Executable>>,
    operands: Vec<Digest>,
}

/// A file and the digest of its content.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Digest {
    /// Absolute path.
    pub path: String,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// What of a binding is not what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The text of the line.
    Text,
    /// The words of a command.
    Argv,
    /// The working directory.
    Directory,
    /// The environment that the request sets.
    Environment,
    /// The agent.
    Agent,
    /// The session.
    Session,
    /// Where it runs.
    Host,
    /// On which node.
    Node,
    /// Which file a program is.
    Executable,
    /// The content of a script.
    Operand,
}

impl Field {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "the command text",
            Self::Argv => "the arguments",
            Self::Directory => "the working directory",
            Self::Environment => "the environment",
            Self::Agent => "the agent",
            Self::Session => "the session",
            Self::Host => "the host",
            Self::Node => "the node",
            Self::Executable => "the program file",
            Self::Operand => "the script file",
        }
    }
}

/// Why a line cannot be put before a person at all.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unapprovable {
    /// The request is malformed.
    #[error("{0}; nobody is asked about such a request")]
    Refused(String),
    /// There is no such working directory.
    #[error("{0} is not a directory that can be read; a person approves a command in one directory")]
    Directory(String),
    /// Longer than a person can be shown.
    #[error("the command has {0} bytes; at most {max} can be approved", max = oc_shell::MAX_BYTES)]
    TooLong(usize),
    /// An interpreter or package runner whose one script is not known (SP-172).
    #[error("`{program}`: {why}; name one script file in the working directory, or a file by its path")]
    Operand {
        /// The program.
        program: String,
        /// What is unclear.
        why: String,
    },
}

impl Binding {
    /// What an approval binds of a line that its asker runs itself, where this program does not see files: the words of the request.
    #[must_use]
    pub(crate) fn unseen(text: &str, directory: &str, at: &Circumstances) -> Self {
        Self {
            text: text.to_owned(),
            argv: Vec::new(),
            directory: directory.to_owned(),
            directory_id: None,
            environment: BTreeMap::new(),
            agent: at.agent.clone(),
            session: at.session.clone(),
            host: at.host,
            node: at.node.clone(),
            executables: Vec::new(),
            operands: Vec::new(),
        }
    }

    /// What an approval of this line binds.
    ///
    /// # Errors
    /// See [`Unapprovable`]: there is something that could not be bound, so nobody is asked.
    pub fn of(plan: &Plan, at: &Circumstances, view: &dyn HostView) -> Result<Self, Unapprovable> {
        if plan.text.len() > oc_shell::MAX_BYTES {
            return Err(Unapprovable::TooLong(plan.text.len()));
        }
        if let Some(miss) = plan.miss.as_ref().filter(|m| m.is_refusal()) {
            return Err(Unapprovable::Refused(miss.text()));
        }
        let directory_id = match (at.host, view.entry(&plan.directory)) {
            // A directory of that name on this machine is another one.
            (Host::Node, _) => None,
            (_, Entry::Directory(facts)) => Some((facts.device, facts.inode)),
            // Inside of a container that does not run yet.
            (Host::Sandbox, _) => None,
            _ => return Err(Unapprovable::Directory(plan.directory.clone())),
        };
        let mut operands = Vec::new();
        if at.host != Host::Node {
            for segment in &plan.segments {
                if let Operand::File(file) = operand(segment, &plan.directory, view)? {
                    operands.push(file);
                }
            }
        }
        Ok(Self {
            text: plan.text.clone(),
            argv: plan.segments.iter().map(|s| s.argv.clone()).collect(),
            directory: plan.directory.clone(),
            directory_id,
            environment: plan.overrides.iter().map(|(k, v)| (k.clone(), sha256(v.as_bytes()))).collect(),
            agent: at.agent.clone(),
            session: at.session.clone(),
            host: at.host,
            node: at.node.clone(),
            executables: plan
                .segments
                .iter()
                .flat_map(|s| std::iter::once(&s.executable).chain(s.inner.iter().map(|i| &i.executable)))
                .cloned()
                .collect(),
            operands,
        })
    }

    /// The first thing in which the binding of the line that is about to start differs from the approved one.
    #[must_use]
    pub fn differs(&self, now: &Self) -> Option<Field> {
        let Self {
            text,
            argv,
            directory,
            directory_id,
            environment,
            agent,
            session,
            host,
            node,
            executables,
            operands,
        } = self;
        [
            (*text != now.text, Field::Text),
            (*argv != now.argv, Field::Argv),
            (*directory != now.directory || *directory_id != now.directory_id, Field::Directory),
            (*environment != now.environment, Field::Environment),
            (*agent != now.agent, Field::Agent),
            (*session != now.session, Field::Session),
            (*host != now.host, Field::Host),
            (*node != now.node, Field::Node),
            (*executables != now.executables, Field::Executable),
            (*operands != now.operands, Field::Operand),
        ]
        .into_iter()
        .find_map(|(differs, field)| differs.then_some(field))
    }

    /// One digest of everything, in lower-case hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        // Maps of strings and numbers always serialise.
        sha256(serde_json::to_string(self).unwrap_or_default().as_bytes())
    }

    /// The working directory that was approved.
    #[must_use]
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// Device and inode of that directory; `None` where it is not on this host. The process that starts the command compares them with
    /// the handle it starts in.
    #[must_use]
    pub fn directory_id(&self) -> Option<(u64, u64)> {
        self.directory_id
    }

    /// The script files whose content is bound.
    #[must_use]
    pub fn operands(&self) -> &[Digest] {
        &self.operands
    }
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}
