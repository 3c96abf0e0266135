//! `exec`: a command, as it was decided, with its output.

use std::time::Instant;

use oc_runner::protocol::{Exit, Input, Program, RunRequest};

use super::Site;
use super::argument::{ArgumentError, Arguments};
use super::limit::OUTPUT_BYTES;
use crate::executor::{ExecutorError, Output};
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
}

impl ExecOrder {
    /// What the runner gets.
    #[must_use]
    pub fn run_request(&self) -> RunRequest {
        RunRequest {
            program: self.program.clone(),
            directory: self.directory.clone(),
            directory_identity: self.directory_identity,
            environment: self.environment.clone(),
            input: Input::Empty,
            terminal: self.pty.then_some(TERMINAL),
            timeout_ms: Some(self.timeout_ms),
            output_limit: OUTPUT_BYTES,
        }
    }
}

/// Runs a command to its end.
pub(crate) async fn run(site: &Site<'_>, order: &ExecOrder) -> Result<ToolResult, ExecutorError> {
    let begun = Instant::now();
    let started = site.executor.start(site.call, order.run_request()).await;
    let mut running = match started {
        Ok(running) => running,
        Err(ExecutorError::Failed { code, message }) => {
            return Ok(ToolResult::text(Outcome::Failed, message)
                .with("status", "failed")
                .with("code", code));
        }
        Err(other) => return Err(other),
    };
    let mut collected = Vec::new();
    while let Some(piece) = running.output.recv().await {
        match piece {
            Output::Out(bytes) | Output::Err(bytes) => collected.extend(bytes),
        }
    }
    let exit = match running.exit.await {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => return Err(error),
        Err(_) => {
            let cause = "its runner ended without a word".to_owned();
            return Err(ExecutorError::Lost { place: site.executor.place(), cause });
        }
    };
    Ok(result(&collected, exit, order, begun))
}

fn result(collected: &[u8], exit: Exit, order: &ExecOrder, begun: Instant) -> ToolResult {
    let mut text = String::from_utf8_lossy(collected).into_owned();
    let mut remark = |words: String| {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&words);
    };
    if exit.dropped > 0 {
        remark(format!("[{} more bytes of output were dropped]", exit.dropped));
    }
    if exit.timed_out {
        remark(format!("[ended after {} s, with everything it had started]", order.timeout_ms / 1000));
    } else if exit.killed {
        remark("[ended on request]".to_owned());
    } else if exit.code != 0 {
        remark(format!("[exit code {}]", exit.code));
    }
    if text.is_empty() {
        text = "[no output]".to_owned();
    }
    let done = exit.code == 0 && !exit.timed_out && !exit.killed;
    let (outcome, status) = if done { (Outcome::Done, "completed") } else { (Outcome::Failed, "failed") };
    let elapsed = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    ToolResult::text(outcome, text)
        .with("status", status)
        .with("exitCode", exit.code)
        .with("timedOut", exit.timed_out)
        .with("dropped", exit.dropped)
        .with("durationMs", elapsed)
}
