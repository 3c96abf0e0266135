//! One connection from its greeting to its end: frames in, frames out, and the close.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::connection::Connection;
use super::handshake::Socket;
use super::outbox::{Ending, Next, Outbox};
use super::state::Gateway;
use crate::methods;
use crate::protocol::frame::{self, Close, Code, Failure, NotARequest, Outgoing, close_reason};

/// How long a stranger has to take a close.
const LINGER: Duration = Duration::from_millis(1500);
/// How long a client that is in has to answer a close that has left. Before it lie perhaps megabytes that the client has still to read, and a
/// socket that is given up earlier takes them and the close with it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one frame may take to leave. Shorter than what the stream below waits for (`paced`), which ends without a word.
const SEND: Duration = Duration::from_secs(15);

/// Drives a connection. The greeting is the first frame.
pub async fn drive(gateway: &Arc<Gateway>, socket: &mut Socket, connection: &Arc<Connection>, hello: String) {
    let sent = greet(socket, &connection.outbox, &hello).await;
    drop(hello);
    let ending = if sent {
        methods::greeted(gateway, connection);
        exchange(gateway, socket, connection).await
    } else {
        over(&connection.outbox)
    };
    gateway.registry.remove(connection.number);
    connection.end(Ending::now(Close::Policy, "gone"));
    super::arrive::depart(gateway, connection);
    if let Some(ending) = ending {
        close_patiently(socket, &ending).await;
    }
}

/// Frames in both directions. `None`: the other side is gone.
async fn exchange(
    gateway: &Arc<Gateway>,
    socket: &mut Socket,
    connection: &Arc<Connection>,
) -> Option<Ending> {
    loop {
        while let Some(next) = connection.outbox.take() {
            match next {
                Next::Frame(text) => match send(socket, &connection.outbox, Message::Text(text)).await {
                    Sent::Whole => {}
                    Sent::Not => return over(&connection.outbox),
                    Sent::TooSlow => return Some(Ending::now(Close::Policy, "slow consumer")),
                },
                Next::End(ending) => return Some(ending),
            }
        }
        tokio::select! {
            () = connection.outbox.changed() => {}
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    // Nothing is carried out for a connection that is to end (SP-328).
                    if !connection.outbox.is_ending() {
                        receive(gateway, connection, &text);
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Binary(_))) => return Some(Ending::now(Close::Policy, "text frames only")),
                Some(Ok(Message::Close(_))) | None => return None,
                Some(Err(e)) => return broken(&e),
            },
        }
    }
}

/// How a socket ends on which something arrived that is no frame; `None`: the other side is gone.
pub fn broken(error: &Error) -> Option<Ending> {
    match error {
        Error::Capacity(_) => Some(Ending::now(Close::TooLarge, "frame too large")),
        Error::Utf8(_) => Some(Ending::now(Close::NotText, "text that is not UTF-8")),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(Ending::now(Close::Protocol, "protocol error")),
        _ => None,
    }
}

/// The ending that waits for nothing, when one is due.
fn over(outbox: &Outbox) -> Option<Ending> {
    if !outbox.is_over() {
        return None;
    }
    match outbox.take() {
        Some(Next::End(ending)) => Some(ending),
        Some(Next::Frame(_)) | None => None,
    }
}

/// What became of a frame.
enum Sent {
    /// It went out.
    Whole,
    /// The other side is gone, or the connection ends at once.
    Not,
    /// The other side read nothing of it for as long as one frame may take.
    TooSlow,
}

/// Sends one frame.
async fn send(socket: &mut Socket, outbox: &Outbox, message: Message) -> Sent {
    let over = async {
        while !outbox.is_over() {
            outbox.changed().await;
        }
    };
    tokio::select! {
        biased;
        () = over => Sent::Not,
        sent = tokio::time::timeout(SEND, socket.send(message)) => match sent {
            Ok(Ok(())) => Sent::Whole,
            Ok(Err(_)) => Sent::Not,
            Err(_) => Sent::TooSlow,
        },
    }
}

/// Sends the greeting past the buffer of the library, which would keep room for it as long as the connection lives.
async fn greet(socket: &mut Socket, outbox: &Outbox, text: &str) -> bool {
    let over = async {
        while !outbox.is_over() {
            outbox.changed().await;
        }
    };
    let write = async {
        // What may wait there goes first.
        if socket.flush().await.is_err() {
            return false;
        }
        let frame = text_frame(text);
        let stream = socket.get_mut();
        stream.write_all(&frame).await.is_ok() && stream.flush().await.is_ok()
    };
    tokio::select! {
        biased;
        () = over => false,
        sent = tokio::time::timeout(SEND, write) => matches!(sent, Ok(true)),
    }
}

/// One whole text frame of a server (RFC 6455, 5.2).
fn text_frame(text: &str) -> Vec<u8> {
    let mut frame = Vec::with_capacity(text.len().saturating_add(10));
    frame.push(0x81);
    match (u8::try_from(text.len()), u16::try_from(text.len())) {
        (Ok(short), _) if short < 126 => frame.push(short),
        (_, Ok(medium)) => {
            frame.push(126);
            frame.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    frame.extend_from_slice(text.as_bytes());
    frame
}

fn receive(gateway: &Arc<Gateway>, connection: &Arc<Connection>, text: &str) {
    match frame::read(text) {
        Ok(request) => methods::dispatch(gateway, connection, request),
        // What is no JSON has no id that an answer could carry.
        Err(NotARequest::NotJson) => {}
        Err(NotARequest::Shape { id, why }) => {
            let failure = Failure::new(Code::InvalidRequest, format!("the frame is not a request: {why}"));
            connection.send(&Outgoing::answer(&id, Err(failure)));
        }
    }
}

/// Closes the socket of a stranger with a code and a reason, and stays long enough for the other side to read them.
pub async fn close(socket: &mut Socket, ending: &Ending) {
    let goodbye = async {
        if leave(socket, ending).await {
            answered(socket, ending).await;
        }
    };
    let _ = tokio::time::timeout(LINGER, goodbye).await;
}

/// The same for a client that is in: one that reads slowly hears why it is let go as soon as it reads on. The close has as long to leave as
/// any frame; whoever takes nothing at all is given up by the stream below (`paced`).
async fn close_patiently(socket: &mut Socket, ending: &Ending) {
    if matches!(tokio::time::timeout(SEND, leave(socket, ending)).await, Ok(true)) {
        let patience = if is_trusted(ending) { PATIENCE } else { LINGER };
        let _ = tokio::time::timeout(patience, answered(socket, ending)).await;
    }
}

/// Sends the close. `false`: the other side is gone.
async fn leave(socket: &mut Socket, ending: &Ending) -> bool {
    let frame = CloseFrame { code: ending.close.code().into(), reason: close_reason(&ending.reason).into() };
    socket.close(Some(frame)).await.is_ok()
}

/// Waits for the other side's close.
async fn answered(socket: &mut Socket, ending: &Ending) {
    if is_trusted(ending) {
        while matches!(socket.next().await, Some(Ok(_))) {}
        return;
    }
    // What is not read would turn the close into a reset.
    // On the heap, and only now: every connection has room for this step as long as it lives.
    let mut rest = vec![0u8; 8192];
    let stream = socket.get_mut().inner_mut();
    while matches!(stream.read(&mut rest).await, Ok(n) if n > 0) {}
}

/// Whether what still comes is frames: the ending is not about what came.
fn is_trusted(ending: &Ending) -> bool {
    ending.close == Close::Policy || ending.close == Close::Restart
}
