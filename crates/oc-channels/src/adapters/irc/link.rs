//! What the sending side knows of a connection.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc};

use super::line::Line;

/// Lines that wait to be written.
const WAITING: usize = 128;
/// Answers of the server that a slow sender may miss.
const ANSWERS: usize = 256;

/// A connection that is registered.
#[derive(Debug)]
pub(super) struct Link {
    out: mpsc::Sender<String>,
    answers: broadcast::Sender<Line>,
    nick: Mutex<String>,
    /// Length of our own `nick!user@host`, which the server puts before what it passes on.
    mask: Mutex<Option<usize>>,
    pub(super) room_signs: String,
    pub(super) status_signs: String,
}

impl Link {
    pub(super) fn new(nick: &str, room_signs: &str, status_signs: &str) -> (Self, mpsc::Receiver<String>) {
        let (out, lines) = mpsc::channel(WAITING);
        let link = Self {
            out,
            answers: broadcast::channel(ANSWERS).0,
            nick: Mutex::new(nick.to_owned()),
            mask: Mutex::new(None),
            room_signs: room_signs.to_owned(),
            status_signs: status_signs.to_owned(),
        };
        (link, lines)
    }

    pub(super) fn nick(&self) -> String {
        self.nick.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_nick(&self, nick: &str) {
        nick.clone_into(&mut self.nick.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn is_me(&self, nick: &str) -> bool {
        self.nick().eq_ignore_ascii_case(nick)
    }

    pub(super) fn set_mask(&self, length: usize) {
        *self.mask.lock().unwrap_or_else(PoisonError::into_inner) = Some(length);
    }

    /// Bytes that the server needs for our own mask; the most there can be while it is not known.
    pub(super) fn mask_length(&self) -> usize {
        let known = *self.mask.lock().unwrap_or_else(PoisonError::into_inner);
        // `nick!` + a user name of 20 + `@` + a host of 63.
        known.unwrap_or_else(|| self.nick().len().saturating_add(85))
    }

    pub(super) fn heard(&self, line: &Line) {
        // Nobody may be listening.
        let _ = self.answers.send(line.clone());
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Line> {
        self.answers.subscribe()
    }

    /// Queues a line; `false` when the connection is gone or takes nothing for `limit`.
    pub(super) async fn write(&self, line: String, limit: Duration) -> bool {
        matches!(tokio::time::timeout(limit, self.out.send(line)).await, Ok(Ok(())))
    }
}
