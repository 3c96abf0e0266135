//! `exec`: a command, as it was decided, with its output.

use std::time::{Duration, Instant};

use oc_runner::protocol::{Exit, Input, Program, RunRequest};

use super::Site;
use super::argument::{ArgumentError, Arguments};
use crate::executor::{ExecutorError, Output, Place, Running};
use crate::gate::{Outcome, ToolResult};

/// Size of a terminal when the call wants one: columns, rows.
const TERMINAL: (u16, u16) = (120, 30);

/// The arguments of `exec`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecRequest {
    /// The command text.
    pub command: String,
    /// Working directory; `None` is the place's own.
    pub workdir: Option<String>,
    /// Environment overrides.
    pub env: Vec<(String, String)>,
    /// Milliseconds until a command that still runs goes on in the background.
    pub yield_ms: Option<u64>,
    /// Whether it goes to the background at once.
    pub background: bool,
    /// Seconds until it is ended.
    pub timeout: Option<u64>,
    /// Whether it gets a terminal.
    pub pty: bool,
    /// The call's own wish to leave the sandbox, or to stay in it.
    pub elevated: Option<bool>,
    /// Where it wants to run; can only narrow.
    pub host: Option<String>,
    /// How far the host checks; can only narrow.
    pub security: Option<String>,
    /// When a person is asked; can only narrow.
    pub ask: Option<String>,
    /// Which node.
    pub node: Option<String>,
}

impl ExecRequest {
    /// Reads the arguments.
    pub(super) fn parse(a: &Arguments<'_>) -> Result<Self, ArgumentError> {
        let word = |name: &'static str, words: &[&str], expected: &'static str| match a.text(name, None)? {
            None => Ok(None),
            Some(text) => {
                let text = text.trim().to_lowercase();
                if words.contains(&text.as_str()) {
                    Ok(Some(text))
                } else {
                    Err(ArgumentError::Wrong { name, expected })
                }
            }
        };
        let command = a.required("command", None)?;
        if command.trim().is_empty() {
            return Err(ArgumentError::Missing { name: "command" });
        }
        let filled = |t: Option<&str>| t.map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
        Ok(Self {
            command: command.to_owned(),
            workdir: filled(a.text("workdir", None)?),
            env: a.texts("env")?,
            yield_ms: a.number("yieldMs", 0, "a number of milliseconds")?,
            background: a.flag("background")?.unwrap_or(false),
            timeout: a.number("timeout", 1, "a number of seconds from 1 on")?,
            pty: a.flag("pty")?.unwrap_or(false),
            elevated: a.flag("elevated")?,
            host: word("host", &["sandbox", "gateway", "node"], "sandbox, gateway or node")?,
            security: word("security", &["deny", "allowlist", "full"], "deny, allowlist or full")?,
            ask: word("ask", &["off", "elevated", "on-miss", "always"], "off, on-miss or always")?,
            node: filled(a.text("node", None)?),
        })
    }
}

/// What was decided: exactly this runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecOrder {
    /// The program: the analysed line, or a text for a shell.
    pub program: Program,
    /// Working directory.
    pub directory: String,
    /// Which directory that was, on the host.
    pub directory_identity: Option<(u64, u64)>,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
    /// Milliseconds until it is ended.
    pub timeout_ms: u64,
    /// Whether it gets a terminal.
    pub pty: bool,
    /// Whether input follows while it runs; otherwise it is empty.
    pub takes_input: bool,
}

impl ExecOrder {
    /// What the runner gets. `output_limit`: bytes after which output is dropped at its source.
    #[must_use]
    pub fn run_request(&self, output_limit: u64) -> RunRequest {
        RunRequest {
            program: self.program.clone(),
            directory: self.directory.clone(),
            directory_identity: self.directory_identity,
            environment: self.environment.clone(),
            input: if self.takes_input { Input::Frames } else { Input::Empty },
            terminal: self.pty.then_some(TERMINAL),
            timeout_ms: Some(self.timeout_ms),
            output_limit,
        }
    }
}

/// A command that was given to its place.
#[derive(Debug)]
pub(crate) enum Started {
    /// It runs.
    Running(Running),
    /// The runner did not start it; what the model is told.
    Refused(ToolResult),
}

/// Starts a command.
pub(crate) async fn start(
    site: &Site<'_>,
    order: &ExecOrder,
    output_limit: u64,
) -> Result<Started, ExecutorError> {
    match site.executor.start(site.call, order.run_request(output_limit)).await {
        Ok(running) => Ok(Started::Running(running)),
        Err(ExecutorError::Failed { code, message }) => Ok(Started::Refused(not_started(code, message))),
        Err(other) => Err(other),
    }
}

/// Waits for the end of a command, with the beginning of its output.
pub(crate) async fn collect(mut running: Running, place: Place, order: &ExecOrder) -> Ran {
    let begun = Instant::now();
    let mut collected = Vec::new();
    while let Some(piece) = running.output.recv().await {
        match piece {
            Output::Out(bytes) | Output::Err(bytes) => collected.extend(bytes),
        }
    }
    let end = match running.exit.await {
        Ok(end) => end,
        Err(_) => {
            let cause = "its runner ended without a word".to_owned();
            Err(ExecutorError::Lost { place, cause })
        }
    };
    let dropped = end.as_ref().map_or(0, |e| e.dropped);
    ended(String::from_utf8_lossy(&collected).into_owned(), dropped, end, order, begun.elapsed())
}

/// What came of a command that was started.
#[derive(Debug)]
pub(crate) struct Ran {
    /// What the model is told.
    pub result: Result<ToolResult, ExecutorError>,
    /// How it ended; `None` when it never ran or its end is not known.
    pub exit: Option<Exit>,
}

/// The result of a command that is over. `dropped`: how much of its output is not in `text`.
pub(crate) fn ended(
    text: String,
    dropped: u64,
    end: Result<Exit, ExecutorError>,
    order: &ExecOrder,
    elapsed: Duration,
) -> Ran {
    match end {
        Ok(exit) => Ran { result: Ok(result(text, dropped, exit, order, elapsed)), exit: Some(exit) },
        Err(ExecutorError::Failed { code, message }) => {
            Ran { result: Ok(not_started(code, message)), exit: None }
        }
        Err(other) => Ran { result: Err(other), exit: None },
    }
}

fn not_started(code: String, message: String) -> ToolResult {
    ToolResult::text(Outcome::Failed, message).with("status", "failed").with("code", code)
}

fn result(mut text: String, dropped: u64, exit: Exit, order: &ExecOrder, elapsed: Duration) -> ToolResult {
    let mut remarks = Vec::new();
    if dropped > 0 {
        remarks.push(format!("[{dropped} more bytes of output were dropped]"));
    }
    if exit.timed_out {
        remarks.push(format!("[ended after {} s, with everything it had started]", order.timeout_ms / 1000));
    } else if exit.killed {
        remarks.push("[ended on request]".to_owned());
    } else if exit.code != 0 {
        remarks.push(format!("[exit code {}]", exit.code));
    }
    if text.is_empty() && remarks.is_empty() {
        remarks.push("[no output]".to_owned());
    }
    let remark = remarks.join("\n");
    if !remark.is_empty() && !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&remark);
    let done = exit.code == 0 && !exit.timed_out && !exit.killed;
    let (outcome, status) = if done { (Outcome::Done, "completed") } else { (Outcome::Failed, "failed") };
    ToolResult::text(outcome, text)
        .with("status", status)
        .with("exitCode", exit.code)
        .with("timedOut", exit.timed_out)
        .with("dropped", dropped)
        .with("durationMs", u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
        .with("remark", remark)
}
