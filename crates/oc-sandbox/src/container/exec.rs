//! Commands through the engine's own exec: the fallback when there is no resident runner, and the reference that tests compare it with.
//!
//! The engine cannot end a command. So each one carries a mark in its environment, and what carries the mark is ended from inside the
//! container, repeatedly until nothing is left. When that fails (no process can be started any more), the container is ended.

use std::time::Duration;

use bollard::container::LogOutput;
use bollard::exec::{ResizeExecOptions, StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use futures_util::StreamExt as _;
use oc_runner::protocol::{Exit, Input, Program, RunRequest};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{mpsc, oneshot};

use super::engine::Engine;
use super::error::EngineError;
use super::traffic::Use;
use crate::executor::{ExecutorError, Output, Place, Running};

mod pump;
use pump::Pump;

/// Pieces of output that wait for a slow reader.
const OUTPUT_PIECES: usize = 16;
/// Orders that wait for the command.
const ORDERS: usize = 16;
/// The variable that marks the processes of one call.
pub(super) const MARK: &str = "OPENCLAW_CALL";
/// How long the engine may take to report an exit code after the streams ended.
const EXIT_WAIT: Duration = Duration::from_secs(10);

/// Ends everything that carries the mark `$1`, round by round: a process may start another one while the list is read.
const KILL_SCRIPT: &str = r#"
n=0
while [ "$n" -lt 100 ]; do
  n=$((n + 1))
  found=
  for d in /proc/[0-9]*; do
    p=${d#/proc/}
    [ "$p" = 1 ] && continue
    if tr '\0' '\n' < "$d/environ" 2>/dev/null | grep -qx "OPENCLAW_CALL=$1"; then
      kill -9 "$p" 2>/dev/null && found=1
    fi
  done
  [ -z "$found" ] && exit 0
done
exit 1
"#;

/// An argument vector and the environment that belongs to it alone.
type Command = (Vec<String>, Vec<(String, String)>);

/// The argument vector of a program. A line of several commands needs the runner: it would have to be put together as shell text here.
fn argv(program: &Program) -> Result<Command, ExecutorError> {
    match program {
        Program::Shell { shell, text } => {
            Ok((vec![shell.clone(), "-lc".to_owned(), text.clone()], Vec::new()))
        }
        Program::Analysed { steps } => {
            if let [step] = steps.as_slice()
                && let [process] = step.commands.as_slice()
                && process.redirections.is_empty()
            {
                let rest = process.argv.iter().skip(1).cloned();
                let argv = std::iter::once(process.executable.clone()).chain(rest).collect();
                return Ok((argv, process.environment.clone()));
            }
            Err(ExecutorError::Failed {
                code: "unsupported".to_owned(),
                message: "without the resident runner a container runs single commands and shell lines only"
                    .to_owned(),
            })
        }
    }
}

/// What the engine is asked to run. `container` is its id, so that a new container under the same name is never meant.
fn request(run: &RunRequest, mark: &str) -> Result<ExecConfig, ExecutorError> {
    let (argv, own) = argv(&run.program)?;
    let mut env: Vec<String> = Vec::new();
    for (name, value) in run.environment.iter().chain(&own) {
        env.retain(|e| e.split_once('=').is_none_or(|(n, _)| n != name));
        env.push(format!("{name}={value}"));
    }
    env.push(format!("{MARK}={mark}"));
    Ok(ExecConfig {
        attach_stdin: Some(run.input == Input::Frames),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(run.terminal.is_some()),
        env: Some(env),
        cmd: Some(argv),
        working_dir: Some(run.directory.clone()),
        ..ExecConfig::default()
    })
}

/// Starts a command in a running container.
///
/// # Errors
/// [`ExecutorError`]: it could not be started.
pub(super) async fn start(
    engine: &Engine,
    container: &str,
    run: &RunRequest,
    in_use: Use,
) -> Result<Running, ExecutorError> {
    let mark = oc_fs::random::token_hex(16)
        .map_err(|e| ExecutorError::Unavailable { place: Place::Container, cause: e.to_string() })?;
    let mark = mark.expose().to_owned();
    let config = request(run, &mark)?;
    let unavailable = |e: &EngineError| e.unavailable();
    let made = engine.api().create_exec(container, config).await;
    let made = made.map_err(|e| unavailable(&EngineError::from_api("prepare a command", &e)))?;
    let options =
        StartExecOptions { detach: false, tty: run.terminal.is_some(), output_capacity: Some(64 * 1024) };
    let started = engine.api().start_exec(&made.id, Some(options)).await;
    let started = started.map_err(|e| unavailable(&EngineError::from_api("start a command", &e)))?;
    let StartExecResults::Attached { output, input } = started else {
        return Err(unavailable(&EngineError::Refused {
            what: "start a command",
            message: "it answered without streams".to_owned(),
        }));
    };
    if let Some((columns, rows)) = run.terminal {
        resize(engine, &made.id, columns, rows).await;
    }
    let (out_tx, out_rx) = mpsc::channel(OUTPUT_PIECES);
    let (order_tx, order_rx) = mpsc::channel(ORDERS);
    let (exit_tx, exit_rx) = oneshot::channel();
    let (input_tx, input_rx) = mpsc::channel(ORDERS);
    tokio::spawn(feed(input, input_rx));
    let pieces = output.map(|piece| match piece {
        Ok(LogOutput::StdErr { message }) => Ok(Output::Err(message.to_vec())),
        Ok(other) => Ok(Output::Out(other.into_bytes().to_vec())),
        Err(e) => Err(EngineError::from_api("pass on output", &e)),
    });
    let pump = Pump {
        engine: engine.clone(),
        container: container.to_owned(),
        exec: made.id,
        mark,
        limit: run.output_limit,
        timeout: run.timeout_ms.map(Duration::from_millis),
        input: Some(input_tx),
        orders: order_rx,
        output: out_tx,
    };
    tokio::spawn(async move {
        pump.run(Box::pin(pieces), exit_tx).await;
        in_use.end();
    });
    Ok(Running { output: out_rx, orders: order_tx, exit: exit_rx })
}

/// Writes input as fast as the command takes it; ends it when the sender is gone.
async fn feed(
    mut input: std::pin::Pin<Box<dyn tokio::io::AsyncWrite + Send>>,
    mut pieces: mpsc::Receiver<Vec<u8>>,
) {
    while let Some(bytes) = pieces.recv().await {
        if input.write_all(&bytes).await.is_err() || input.flush().await.is_err() {
            return;
        }
    }
    let _ = input.shutdown().await;
}

async fn resize(engine: &Engine, exec: &str, columns: u16, rows: u16) {
    let size = ResizeExecOptions { height: rows, width: columns };
    // A terminal of another size is no reason to end a command.
    let _ = engine.api().resize_exec(exec, size).await;
}

/// Runs a short command of our own to its end and answers its exit code. Output goes nowhere.
pub(super) async fn quietly(
    engine: &Engine,
    container: &str,
    argv: Vec<String>,
    environment: &[(String, String)],
    limit: Duration,
) -> Result<i64, EngineError> {
    let config = ExecConfig {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        env: Some(environment.iter().map(|(n, v)| format!("{n}={v}")).collect()),
        cmd: Some(argv),
        ..ExecConfig::default()
    };
    let api = engine.api();
    let what = "run a command of its own";
    let work = async {
        let made = api.create_exec(container, config).await.map_err(|e| EngineError::from_api(what, &e))?;
        let started = api.start_exec(&made.id, None::<StartExecOptions>).await;
        let started = started.map_err(|e| EngineError::from_api(what, &e))?;
        if let StartExecResults::Attached { mut output, .. } = started {
            while let Some(piece) = output.next().await {
                piece.map_err(|e| EngineError::from_api(what, &e))?;
            }
        }
        exit_code(engine, &made.id).await
    };
    tokio::time::timeout(limit, work).await.unwrap_or(Err(EngineError::TimedOut(what)))
}

/// The exit code of a command whose streams have ended.
async fn exit_code(engine: &Engine, exec: &str) -> Result<i64, EngineError> {
    let deadline = tokio::time::Instant::now() + EXIT_WAIT;
    loop {
        let state = engine.api().inspect_exec(exec).await;
        let state = state.map_err(|e| EngineError::from_api("report an exit code", &e))?;
        match (state.running, state.exit_code) {
            (Some(false), Some(code)) => return Ok(code),
            _ if tokio::time::Instant::now() >= deadline => {
                return Err(EngineError::TimedOut("report an exit code"));
            }
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

/// Ends what carries the mark; the whole container when that does not work.
async fn end_marked(engine: &Engine, container: &str, mark: &str) -> Result<(), EngineError> {
    let argv = ["sh", "-c", KILL_SCRIPT, "sh", mark].map(str::to_owned).to_vec();
    match quietly(engine, container, argv, &[], Duration::from_secs(10)).await {
        Ok(0) => Ok(()),
        _ => engine.kill(container).await,
    }
}

/// The exit of a command that ended by itself.
fn ended(code: i64, dropped: u64) -> Exit {
    Exit { code: i32::try_from(code).unwrap_or(-1), timed_out: false, killed: false, dropped }
}
