//! The two pipes between a supervisor and its server; neither is ever waited for while a command runs.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::Interest;
use crate::protocol::frame::{self, Decoder, Frame};
use crate::protocol::{Kind, Reply};

/// Bytes that may wait for the server before no more output is read.
const ROOM: usize = 128 * 1024;

/// The link to the server.
#[derive(Debug)]
pub struct Link {
    from: Option<OwnedFd>,
    to: Option<OwnedFd>,
    inbox: Decoder,
    outbox: VecDeque<u8>,
    open: bool,
}

impl Link {
    /// The link over standard input and output.
    pub fn new() -> Self {
        let from = std::io::stdin().as_fd().try_clone_to_owned().ok();
        let to = std::io::stdout().as_fd().try_clone_to_owned().ok();
        for fd in [&from, &to].into_iter().flatten() {
            let flags = rustix::fs::fcntl_getfl(fd).unwrap_or(OFlags::empty());
            let _ = rustix::fs::fcntl_setfl(fd, flags | OFlags::NONBLOCK);
        }
        let open = from.is_some() && to.is_some();
        Self { from, to, inbox: Decoder::default(), outbox: VecDeque::new(), open }
    }

    /// Whether the server is still there.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Whether more output may be queued.
    pub fn has_room(&self) -> bool {
        self.outbox.len() < ROOM
    }

    /// What to wait for.
    pub fn interests<'a>(&'a self, fds: &mut Vec<Interest<'a>>) {
        if let Some(from) = &self.from {
            fds.push((from.as_fd(), PollFlags::IN));
        }
        if let (Some(to), false) = (&self.to, self.outbox.is_empty()) {
            fds.push((to.as_fd(), PollFlags::OUT));
        }
    }

    /// Waits until the server sent something.
    pub fn wait(&self) {
        if let Some(from) = &self.from {
            let _ = rustix::event::poll(&mut [PollFd::new(from, PollFlags::IN)], None);
        }
    }

    /// Takes what has arrived.
    pub fn receive(&mut self) {
        let Some(from) = &self.from else { return };
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match rustix::io::read(from, &mut buffer[..]) {
                Ok(0) => break,
                Ok(n) => {
                    self.inbox.push(buffer.get(..n).unwrap_or_default());
                    if n < buffer.len() {
                        return;
                    }
                }
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        self.open = false;
    }

    /// The next whole frame.
    pub fn next_frame(&mut self) -> Option<Frame> {
        match self.inbox.next_frame() {
            Ok(frame) => frame,
            Err(_) => {
                self.open = false;
                None
            }
        }
    }

    /// Queues a reply.
    pub fn send_reply(&mut self, call: u32, reply: &Reply) {
        if let Ok(bytes) = frame::reply(call, reply) {
            self.outbox.extend(bytes);
        }
    }

    /// Queues data.
    pub fn send(&mut self, kind: Kind, call: u32, body: &[u8]) {
        if let Ok(bytes) = frame::encode(kind, call, body) {
            self.outbox.extend(bytes);
        }
    }

    /// Hands over what the pipe takes now.
    pub fn push(&mut self) {
        let Some(to) = &self.to else { return };
        while !self.outbox.is_empty() {
            let (first, _) = self.outbox.as_slices();
            match rustix::io::write(to, first) {
                Ok(n) => drop(self.outbox.drain(..n)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => {
                    self.open = false;
                    return;
                }
            }
        }
    }

    /// Hands over everything, as long as the server is there.
    pub fn flush(&mut self) {
        loop {
            self.push();
            if self.outbox.is_empty() || !self.open {
                return;
            }
            if let Some(to) = &self.to {
                let _ = rustix::event::poll(&mut [PollFd::new(to, PollFlags::OUT)], None);
            }
        }
    }
}
