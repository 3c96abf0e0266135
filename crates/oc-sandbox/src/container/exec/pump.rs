//! Moves the bytes of one command between its streams and its caller until it has ended, was ended, or ran out of time.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use oc_runner::protocol::Exit;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::{end_marked, ended, exit_code, resize};
use crate::container::engine::Engine;
use crate::container::error::EngineError;
use crate::executor::{ExecutorError, Order, Output};

/// How long the streams of a command that was ended may stay open.
const AFTER_KILL: Duration = Duration::from_secs(5);
/// Pieces of input that wait for the command; while there are more, orders wait.
const INPUT_PIECES: usize = 64;
/// 128 + SIGKILL.
const KILLED: i32 = 137;

/// Output of a command as the engine passes it on.
pub(super) type Pieces = Pin<Box<dyn Stream<Item = Result<Output, EngineError>> + Send>>;

/// One command.
#[derive(Debug)]
pub(super) struct Pump {
    pub engine: Engine,
    /// The container's id.
    pub container: String,
    /// The command's id.
    pub exec: String,
    pub mark: String,
    /// Most bytes of output.
    pub limit: u64,
    pub timeout: Option<Duration>,
    /// Dropped to end the input.
    pub input: Option<mpsc::Sender<Vec<u8>>>,
    pub orders: mpsc::Receiver<Order>,
    pub output: mpsc::Sender<Output>,
}

/// Why a command is ended before its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Time is up.
    Timeout,
    /// Somebody asked for it, or nobody waits any more.
    Asked,
}

impl Pump {
    pub(super) async fn run(
        mut self,
        pieces: Pieces,
        mut exit: oneshot::Sender<Result<Exit, ExecutorError>>,
    ) {
        let done = self.drive(pieces, &mut exit).await;
        let _ = exit.send(done);
    }

    async fn drive(
        &mut self,
        mut pieces: Pieces,
        exit: &mut oneshot::Sender<Result<Exit, ExecutorError>>,
    ) -> Result<Exit, ExecutorError> {
        let (mut left, mut dropped) = (self.limit, 0_u64);
        let mut waiting: Option<Output> = None;
        let mut queue: VecDeque<Vec<u8>> = VecDeque::new();
        let (mut orders_open, mut end_input) = (true, false);
        let mut cut: Option<Cut> = None;
        let never = Instant::now() + Duration::from_secs(60 * 60 * 24 * 365);
        let mut deadline = self.timeout.and_then(|t| Instant::now().checked_add(t)).unwrap_or(never);
        loop {
            let now = tokio::select! {
                () = exit.closed(), if cut.is_none() => Some(Cut::Asked),
                () = tokio::time::sleep_until(deadline) => {
                    if cut.is_some() {
                        // Ended, and its streams are still open: somebody outside of its tree holds them.
                        break;
                    }
                    Some(Cut::Timeout)
                }
                order = self.orders.recv(), if orders_open && queue.len() < INPUT_PIECES => match order {
                    Some(Order::Kill) => Some(Cut::Asked),
                    Some(Order::Input(bytes)) => { queue.push_back(bytes); None }
                    Some(Order::EndInput) => { end_input = true; None }
                    Some(Order::Resize(columns, rows)) => {
                        resize(&self.engine, &self.exec, columns, rows).await;
                        None
                    }
                    None => { orders_open = false; end_input = true; None }
                },
                fed = feed(self.input.as_ref(), &mut queue), if !queue.is_empty() => {
                    if !fed { queue.clear(); }
                    None
                }
                permit = self.output.reserve(), if waiting.is_some() => {
                    // Nobody reads any more: the command may still finish.
                    if let (Ok(permit), Some(piece)) = (permit, waiting.take()) { permit.send(piece); }
                    None
                }
                piece = pieces.next(), if waiting.is_none() => match piece {
                    Some(Ok(piece)) => { waiting = capped(piece, &mut left, &mut dropped); None }
                    Some(Err(e)) if cut.is_none() => return Err(e.lost()),
                    Some(Err(_)) | None => break,
                },
            };
            if end_input && queue.is_empty() {
                self.input = None;
            }
            if let (Some(reason), None) = (now, cut) {
                cut = Some(reason);
                orders_open = false;
                queue.clear();
                self.input = None;
                end_marked(&self.engine, &self.container, &self.mark).await.map_err(|e| e.lost())?;
                deadline = Instant::now() + AFTER_KILL;
            }
        }
        let code = exit_code(&self.engine, &self.exec).await;
        match cut {
            Some(reason) => Ok(Exit {
                code: KILLED,
                timed_out: reason == Cut::Timeout,
                killed: reason == Cut::Asked,
                dropped,
            }),
            None => code.map(|code| ended(code, dropped)).map_err(|e| e.lost()),
        }
    }
}

/// Passes the next piece on; whether somebody takes it.
async fn feed(input: Option<&mpsc::Sender<Vec<u8>>>, queue: &mut VecDeque<Vec<u8>>) -> bool {
    let Some(input) = input else { return false };
    match input.reserve().await {
        Ok(permit) => {
            if let Some(piece) = queue.pop_front() {
                permit.send(piece);
            }
            true
        }
        Err(_) => false,
    }
}

/// Cuts a piece to what is left of the limit; `None` when nothing of it is passed on.
fn capped(piece: Output, left: &mut u64, dropped: &mut u64) -> Option<Output> {
    let mut cut = |mut bytes: Vec<u8>| {
        let size = bytes.len();
        let keep = usize::try_from(*left).map_or(size, |l| l.min(size));
        bytes.truncate(keep);
        *left = left.saturating_sub(keep as u64);
        *dropped = dropped.saturating_add((size - keep) as u64);
        (keep > 0).then_some(bytes)
    };
    match piece {
        Output::Out(bytes) => cut(bytes).map(Output::Out),
        Output::Err(bytes) => cut(bytes).map(Output::Err),
    }
}
