//! Allow always: when it is offered, and what is stored (SP-180, SP-181; exec-approval 4.1).

#[cfg(test)]
mod tests;

use oc_shell::Connector;
use thiserror::Error;

use crate::approvals_file::{Ask, Security};
use crate::binding::{Circumstances, Host, Operand, operand, sha256};
use crate::host_view::HostView;
use crate::plan::{Expansion, Form, Guard, Plan, Segment};
use crate::program_name::{base_name, is_broad, is_interpreter};

/// Programs that run what their arguments say, or act for any program: remembering one of them would open everything.
const OPENERS: [&str; 47] = [
    "chroot",
    "chrt",
    "command",
    "corepack",
    "coreutils",
    "doas",
    "docker",
    "env",
    "eval",
    "exec",
    "find",
    "flock",
    "gmake",
    "ionice",
    "just",
    "ltrace",
    "make",
    "nice",
    "nohup",
    "npm",
    "npx",
    "nsenter",
    "parallel",
    "pipx",
    "pnpm",
    "pnpx",
    "podman",
    "script",
    "setarch",
    "setsid",
    "ssh",
    "stdbuf",
    "strace",
    "su",
    "sudo",
    "systemd-run",
    "taskset",
    "time",
    "timeout",
    "ts-node",
    "unbuffer",
    "unshare",
    "uvx",
    "watch",
    "xargs",
    "xvfb-run",
    "yarn",
];

/// One entry to store: a program, in one directory, with exactly these arguments.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Remembered {
    /// The program file, canonical.
    pub pattern: String,
    /// `sha256:argv:<hex>` over the NUL-joined words.
    pub arguments: String,
    /// The directory it may run in.
    pub directory: String,
}

/// Why allow-always is not offered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotOffered {
    /// Every command is to be asked.
    #[error("every command is asked here (`ask: always`)")]
    AskAlways,
    /// Nothing is looked up in an allow list.
    #[error("the allow list does not decide here")]
    NoAllowlist,
    /// The allow list is kept elsewhere.
    #[error("the allow list of the other side decides there")]
    Elsewhere,
    /// The line was not analysed.
    #[error("the line could not be analysed completely")]
    Opaque,
    /// Words stand for others.
    #[error("the line has wildcards or `~`, which may mean other files the next time")]
    Expansion,
    /// Which commands run depends on how others end.
    #[error("which commands of the line run depends on how the ones before end")]
    Conditional,
    /// There is no program.
    #[error("the program `{0}` was not found")]
    Unresolved(String),
    /// A shell, wrapper, interpreter or multi-call program.
    #[error("`{0}` runs other programs or code")]
    Opener(String),
    /// Others may replace the program.
    #[error("others can replace {0}")]
    WritableByOthers(String),
    /// Variables before the command.
    #[error("the line sets variables")]
    Assignments,
}

/// What allow-always would store, one entry a command.
///
/// # Errors
/// Why it is not offered.
pub fn offer(plan: &Plan, at: &Circumstances, view: &dyn HostView) -> Result<Vec<Remembered>, NotOffered> {
    if at.ask == Ask::Always {
        return Err(NotOffered::AskAlways);
    }
    if at.security != Security::Allowlist {
        return Err(NotOffered::NoAllowlist);
    }
    if !matches!(at.host, Host::Gateway | Host::Prompt) {
        return Err(NotOffered::Elsewhere);
    }
    if plan.segments.is_empty() {
        return Err(NotOffered::Opaque);
    }
    if plan.expansion == Expansion::Expanded {
        return Err(NotOffered::Expansion);
    }
    // Only what ran is stored (SP-181); behind `&&` and `||` that is not known when the answer is given.
    if plan.segments.iter().any(|s| s.connector != Connector::Then) {
        return Err(NotOffered::Conditional);
    }
    if !plan.overrides.is_empty() {
        return Err(NotOffered::Assignments);
    }
    plan.segments.iter().map(|s| entry(s, &plan.directory, view)).collect()
}

fn entry(segment: &Segment, directory: &str, view: &dyn HostView) -> Result<Remembered, NotOffered> {
    let word = segment.argv.first().cloned().unwrap_or_default();
    let program = segment.executable.as_ref().ok_or_else(|| NotOffered::Unresolved(word.clone()))?;
    for name in [&word, &program.path, &program.canonical] {
        let base = base_name(name);
        if is_interpreter(&base) || is_broad(&base) || OPENERS.contains(&base.as_str()) {
            return Err(NotOffered::Opener(base));
        }
    }
    if segment.form != Form::Plain || !segment.inner.is_empty() {
        return Err(NotOffered::Opener(base_name(&word)));
    }
    if !matches!(operand(segment, directory, view), Ok(Operand::None)) {
        return Err(NotOffered::Opener(base_name(&word)));
    }
    if !segment.assignments.is_empty() {
        return Err(NotOffered::Assignments);
    }
    if program.guard == Guard::Open {
        return Err(NotOffered::WritableByOthers(program.path.clone()));
    }
    Ok(Remembered {
        pattern: program.canonical.clone(),
        arguments: argv_pattern(&segment.argv),
        directory: directory.to_owned(),
    })
}

/// The `argPattern` that matches exactly these words.
#[must_use]
pub fn argv_pattern(argv: &[String]) -> String {
    format!("sha256:argv:{}", sha256(argv.join("\0").as_bytes()))
}

/// The entries of the commands that ran, out of those that were offered: a command that never started is not remembered (SP-181).
#[must_use]
pub fn ran(offered: &[Remembered], started: &[bool]) -> Vec<Remembered> {
    offered.iter().zip(started).filter(|(_, ran)| **ran).map(|(entry, _)| entry.clone()).collect()
}
