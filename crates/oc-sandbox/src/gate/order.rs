//! From a decision to exactly what runs: the analysed vectors without a shell, or the text for a shell (SP-145).

use std::time::Duration;

use oc_approval::environment::{RunKind, compose};
use oc_approval::host_view::{Entry, HostView as _};
use oc_approval::plan::{Connector, Executable, Plan, Redirect, Segment, Standing};
use oc_fs::host_view::Disk;
use oc_policy::exec_route::exec_key;
use oc_policy::sandbox::SandboxPlan;
use oc_runner::protocol::{Identity, Process, Program, Redirect as RunnerRedirect, Step, When};
use oc_types::Node;

use super::command::{Case, Judged, inside_directory};
use super::refused::{Refused, Stage};
use crate::docker_args::SANDBOX_PATH;
use crate::tools::ExecOrder;

/// Seconds after which a command is ended when neither the call nor `tools.exec.timeoutSec` says otherwise.
const TIMEOUT_S: u64 = 1800;
/// The longest time that a call can ask for, in seconds.
const LONGEST_S: u64 = 24 * 3600;
/// Milliseconds after which a command goes on in the background.
const YIELD_MS: u64 = 10_000;
/// Bounds of that time.
const YIELDS_MS: std::ops::RangeInclusive<u64> = 10..=120_000;

/// Misses of a command that is read completely all the same: its vector is what a shell would make of it.
const WHOLE: [&str; 4] = ["not-listed", "never-safe", "option", "untrusted-dir"];

/// Words that change the shell itself: a program of that name would not do what the text says.
const SHELL_STATE: [&str; 34] = [
    ".", ":", "alias", "bg", "bind", "builtin", "cd", "command", "declare", "disown", "enable", "eval",
    "exec", "exit", "export", "fc", "fg", "getopts", "hash", "jobs", "local", "popd", "pushd", "read",
    "readonly", "return", "set", "shift", "source", "trap", "type", "ulimit", "umask", "wait",
];

/// By what a command runs on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The rules.
    Rules,
    /// A person saw the whole line.
    Person,
}

/// The order for a command inside a sandbox: its shell runs there, and nothing of the host's environment goes along (SP-244).
pub(super) fn inside(case: &Case, plan: &SandboxPlan) -> Result<ExecOrder, Refused> {
    let request = &case.request;
    let docker = &plan.settings.docker;
    let workdir = docker.workdir.value.clone();
    let directory = inside_directory(&workdir, request.workdir.as_deref());
    let mut environment: Vec<(String, String)> =
        vec![("PATH".to_owned(), SANDBOX_PATH.to_owned()), ("HOME".to_owned(), workdir)];
    let configured = docker.env.iter().map(|(k, v)| (k.clone(), v.value.clone()));
    for (name, value) in configured.chain(request.env.iter().cloned()) {
        if !oc_approval::environment::is_name(&name) || value.contains('\0') {
            let why = format!(
                "`env`: {:?} is not the name of a variable, or its value has a NUL",
                oc_text::visible(&name, 40)
            );
            return Err(Refused::built_in(Stage::Arguments, "exec", "env", why));
        }
        environment.retain(|(n, _)| *n != name);
        environment.push((name, value));
    }
    Ok(ExecOrder {
        program: Program::Shell { shell: "/bin/sh".to_owned(), text: request.command.clone() },
        directory,
        directory_identity: None,
        environment,
        timeout_ms: timeout_ms(case),
        pty: request.pty,
        takes_input: false,
    })
}

/// The order for a command on the host, in exactly the directory that was judged (SP-171).
pub(super) fn on_host(case: &Case, judged: &Judged, by: By) -> ExecOrder {
    let plan = &judged.plan;
    let hit = plan.standing() == Standing::Hit;
    let program = match by {
        By::Rules if hit => analysed(plan),
        By::Person if is_whole(plan) => analysed(plan),
        By::Rules | By::Person => None,
    };
    let kind = match (&program, by) {
        (Some(_), By::Rules) => RunKind::Automatic,
        (Some(_), By::Person) => RunKind::Approved,
        (None, _) => RunKind::Shell,
    };
    let mut inherited: Vec<(String, String)> =
        case.environment.iter().filter(|(n, _)| n != "PATH").cloned().collect();
    // Resolved with this one and no other (SP-151).
    inherited.push(("PATH".to_owned(), judged.path.clone()));
    ExecOrder {
        program: program
            .unwrap_or_else(|| Program::Shell { shell: shell().to_owned(), text: plan.text.clone() }),
        directory: plan.directory.clone(),
        directory_identity: judged.directory_id,
        environment: compose(&inherited, &plan.overrides, kind),
        timeout_ms: timeout_ms(case),
        pty: case.request.pty,
        takes_input: false,
    }
}

/// The order for a command on a node: the text as it is, with what the call itself sets. Everything else is the node's.
pub(super) fn on_node(case: &Case, judged: &Judged) -> ExecOrder {
    let plan = &judged.plan;
    ExecOrder {
        program: Program::Shell { shell: "/bin/sh".to_owned(), text: plan.text.clone() },
        directory: plan.directory.clone(),
        directory_identity: None,
        environment: plan.overrides.clone(),
        timeout_ms: timeout_ms(case),
        pty: false,
        takes_input: false,
    }
}

/// The shell of this host for a text that a person approved: the one that such texts are written for, where it is there.
fn shell() -> &'static str {
    match Disk.entry("/bin/bash") {
        Entry::File(_) | Entry::Link { .. } => "/bin/bash",
        Entry::Missing | Entry::Directory(_) | Entry::Other(_) | Entry::Unknown => "/bin/sh",
    }
}

/// Whether the vectors say all that the text says.
fn is_whole(plan: &Plan) -> bool {
    !plan.segments.is_empty()
        && plan.segments.iter().all(|s| {
            s.miss.as_ref().is_none_or(|m| WHOLE.contains(&m.word.as_str()))
                && s.argv.first().is_some_and(|word| !SHELL_STATE.contains(&word.as_str()))
        })
}

/// The line as the runner starts it; `None` when a program is missing.
fn analysed(plan: &Plan) -> Option<Program> {
    let mut steps: Vec<Step> = Vec::new();
    for segment in &plan.segments {
        let process = process(segment, segment.executable.as_ref()?);
        if segment.position == 0 {
            let when = match segment.connector {
                Connector::Then => When::Always,
                Connector::And => When::Succeeded,
                Connector::Or => When::Failed,
            };
            steps.push(Step { when, commands: vec![process] });
        } else {
            steps.last_mut()?.commands.push(process);
        }
    }
    (!steps.is_empty()).then_some(Program::Analysed { steps })
}

fn process(segment: &Segment, executable: &Executable) -> Process {
    let identity = &executable.identity;
    Process {
        executable: executable.path.clone(),
        identity: Some(Identity {
            device: identity.device,
            inode: identity.inode,
            size: identity.size,
            modified_ns: identity.modified_ns,
            sha256: identity.sha256.clone(),
        }),
        argv: segment.started_argv(),
        environment: segment.assignments.clone(),
        redirections: segment
            .redirections
            .iter()
            .map(|r| match r {
                Redirect::OutToNull => RunnerRedirect::OutToNull,
                Redirect::ErrToNull => RunnerRedirect::ErrToNull,
                Redirect::ErrToOut => RunnerRedirect::ErrToOut,
                Redirect::OutToErr => RunnerRedirect::OutToErr,
                Redirect::From(path) => RunnerRedirect::From(path.clone()),
            })
            .collect(),
    }
}

pub(super) fn number(case: &Case, name: &str) -> Option<u64> {
    let found = exec_key(case.snapshot.config(), &case.call.caller.agent, name);
    let number = found.and_then(|(n, _)| Node::as_number(n)).filter(|n| *n >= 0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    number.map(|n| n as u64)
}

/// How long a command may run, in milliseconds: the call's time, else the agent's, else the global one.
fn timeout_ms(case: &Case) -> u64 {
    let seconds = case.request.timeout.or_else(|| number(case, "timeoutSec")).unwrap_or(TIMEOUT_S);
    seconds.clamp(1, LONGEST_S) * 1000
}

/// How long a call waits before its command goes on in the background. `None`: to its end, because the call says nothing and `unasked` is
/// off.
pub(super) fn patience(case: &Case, unasked: bool) -> Option<Duration> {
    let request = &case.request;
    if request.background {
        return Some(Duration::ZERO);
    }
    let own = request.yield_ms;
    let ms = own.or_else(|| unasked.then(|| number(case, "backgroundMs").unwrap_or(YIELD_MS)))?;
    Some(Duration::from_millis(ms.clamp(*YIELDS_MS.start(), *YIELDS_MS.end())))
}
