//! One command on a connection.

use std::collections::VecDeque;
use std::time::Duration;

use oc_runner::protocol::frame::Frame;
use oc_runner::protocol::{
    CHUNK, Exit, INPUT_WINDOW, Input, Kind, OUTPUT_WINDOW, Reply, Request, RunRequest,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::Connection;
use crate::executor::{ExecutorError, Order, Output, Running};

/// Pieces of output that wait in the channel; the rest waits in the window.
const PIECES: usize = 8;
/// Orders that wait.
const ORDERS: usize = 32;
/// How long the runner may take beyond the timeout, or after a kill, until it counts as lost.
const GRACE: Duration = Duration::from_secs(15);
/// Input that waits for the command to read; beyond it further orders wait in their channel.
const INPUT_HELD: usize = 4 * 1024 * 1024;

/// Starts a command.
pub fn start(connection: &Connection, run: RunRequest) -> Result<Running, ExecutorError> {
    let link = &connection.link;
    let (number, frames) = link.begin()?;
    let timeout = run.timeout_ms.map(Duration::from_millis);
    let takes_input = run.input == Input::Frames;
    if let Err(e) = link.request(number, &Request::Run(Box::new(run))) {
        link.forget(number);
        return Err(e);
    }
    let (output, output_end) = mpsc::channel(PIECES);
    let (orders_end, orders) = mpsc::channel(ORDERS);
    let (exit, exit_end) = oneshot::channel();
    let call = Call {
        connection: connection.clone(),
        number,
        frames,
        output,
        orders: Some(orders),
        exit: Some(exit),
        held: VecDeque::new(),
        window: OUTPUT_WINDOW,
        input: VecDeque::new(),
        input_window: INPUT_WINDOW,
        input_stage: if takes_input { InputStage::Open } else { InputStage::Closed },
        deadline: timeout.and_then(|t| Instant::now().checked_add(t.saturating_add(GRACE))),
        killed: false,
    };
    tokio::spawn(call.run());
    Ok(Running { output: output_end, orders: orders_end, exit: exit_end })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InputStage {
    Open,
    Ending,
    Closed,
}

struct Call {
    connection: Connection,
    number: u32,
    frames: mpsc::UnboundedReceiver<Frame>,
    output: mpsc::Sender<Output>,
    orders: Option<mpsc::Receiver<Order>>,
    exit: Option<oneshot::Sender<Result<Exit, ExecutorError>>>,
    held: VecDeque<Output>,
    window: u64,
    input: VecDeque<u8>,
    input_window: u64,
    input_stage: InputStage,
    deadline: Option<Instant>,
    killed: bool,
}

/// What a round brought.
enum Event {
    Frame(Option<Frame>),
    Order(Option<Order>),
    Room(u64),
    Unread,
    Abandoned,
    Late,
}

impl Call {
    async fn run(mut self) {
        while self.exit.is_some() {
            match self.event().await {
                Event::Frame(Some(frame)) => self.hear(frame),
                Event::Frame(None) => {
                    let lost = self.connection.link.lost();
                    self.end(Err(lost));
                }
                Event::Order(order) => self.obey(order),
                Event::Room(bytes) => self.grant(bytes),
                Event::Unread => self.discard(),
                Event::Abandoned => {
                    self.kill();
                    self.exit = None;
                }
                Event::Late => self.late(),
            }
            self.feed();
        }
        self.connection.link.forget(self.number);
        // The end is known; what was written before it is still delivered.
        for piece in self.held {
            if self.output.send(piece).await.is_err() {
                return;
            }
        }
    }

    async fn event(&mut self) -> Event {
        let Self { frames, output, orders, exit, held, input, deadline, .. } = self;
        let watched = !output.is_closed();
        let takes_orders = orders.is_some() && input.len() < INPUT_HELD;
        let late = deadline.unwrap_or_else(Instant::now);
        tokio::select! {
            biased;
            frame = frames.recv() => Event::Frame(frame),
            permit = output.reserve(), if watched && !held.is_empty() => {
                let (Ok(permit), Some(piece)) = (permit, held.pop_front()) else { return Event::Unread };
                let bytes = piece.bytes().len() as u64;
                permit.send(piece);
                Event::Room(bytes)
            }
            order = async { match orders { Some(o) => o.recv().await, None => None } }, if takes_orders => Event::Order(order),
            () = output.closed(), if watched => Event::Unread,
            () = async { if let Some(e) = exit { e.closed().await } }, if !watched => Event::Abandoned,
            () = sleep_until(late), if deadline.is_some() => Event::Late,
        }
    }

    fn grant(&mut self, bytes: u64) {
        self.window = self.window.saturating_add(bytes);
        let _ = self.connection.link.request(self.number, &Request::Window { bytes });
    }

    fn hear(&mut self, frame: Frame) {
        match frame.kind {
            Kind::Output | Kind::Error => {
                let bytes = frame.body.len() as u64;
                let Some(left) = self.window.checked_sub(bytes) else {
                    return self.give_up("it sent more than it was allowed to");
                };
                self.window = left;
                if self.output.is_closed() {
                    return self.grant(bytes);
                }
                self.held.push_back(match frame.kind {
                    Kind::Error => Output::Err(frame.body),
                    _ => Output::Out(frame.body),
                });
            }
            Kind::Reply => match frame.parse() {
                Ok(Reply::Started { .. }) => {}
                Ok(Reply::Window { bytes }) => self.input_window = self.input_window.saturating_add(bytes),
                Ok(Reply::Exited(exit)) => self.end(Ok(exit)),
                Ok(Reply::Failed { code, message }) => self.end(Err(ExecutorError::Failed { code, message })),
                Ok(Reply::Ready { .. } | Reply::FileDone { .. }) | Err(_) => {
                    self.give_up("it sent an answer that belongs to no command");
                }
            },
            Kind::Request | Kind::Input => self.give_up("it sent a frame that only executors send"),
        }
    }

    fn obey(&mut self, order: Option<Order>) {
        match order {
            Some(Order::Input(bytes)) => {
                if self.input_stage == InputStage::Open {
                    self.input.extend(bytes);
                }
            }
            Some(Order::EndInput) => self.end_input(),
            Some(Order::Resize(columns, rows)) => {
                let _ = self.connection.link.request(self.number, &Request::Resize { columns, rows });
            }
            Some(Order::Kill) => self.kill(),
            None => {
                self.orders = None;
                self.end_input();
            }
        }
    }

    fn end_input(&mut self) {
        if self.input_stage == InputStage::Open {
            self.input_stage = InputStage::Ending;
        }
    }

    /// Sends the input that the window allows.
    fn feed(&mut self) {
        while self.input_window > 0 && !self.input.is_empty() {
            let most = usize::try_from(self.input_window).unwrap_or(CHUNK).min(CHUNK).min(self.input.len());
            let piece: Vec<u8> = self.input.drain(..most).collect();
            self.input_window = self.input_window.saturating_sub(piece.len() as u64);
            self.connection.link.data(self.number, &piece);
        }
        if self.input_stage == InputStage::Ending && self.input.is_empty() {
            self.input_stage = InputStage::Closed;
            let _ = self.connection.link.request(self.number, &Request::EndInput);
        }
    }

    /// Nobody reads the output any more.
    fn discard(&mut self) {
        let bytes = self.held.drain(..).map(|piece| piece.bytes().len() as u64).sum();
        self.grant(bytes);
    }

    fn kill(&mut self) {
        let _ = self.connection.link.request(self.number, &Request::Kill);
        self.input.clear();
        if !self.killed {
            self.killed = true;
            self.deadline = Instant::now().checked_add(GRACE);
        }
    }

    fn late(&mut self) {
        if self.killed {
            self.give_up("it did not end a command that it was told to end");
        } else {
            self.kill();
        }
    }

    /// The runner cannot be relied on: every call on it ends.
    fn give_up(&mut self, cause: &str) {
        self.connection.link.lose(format!("the runner broke the protocol: {cause}"));
        let lost = self.connection.link.lost();
        self.end(Err(lost));
    }

    fn end(&mut self, how: Result<Exit, ExecutorError>) {
        if let Some(exit) = self.exit.take() {
            // Somebody who only reads the output does not mind.
            let _ = exit.send(how);
        }
    }
}

impl Output {
    /// The bytes of the piece.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Out(bytes) | Self::Err(bytes) => bytes,
        }
    }
}
