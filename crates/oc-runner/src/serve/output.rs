//! The one way out: whole frames, one after the other.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::protocol::frame::{encode, reply};
use crate::protocol::{Kind, Reply};

/// Standard output of the server.
#[derive(Debug)]
pub struct Output {
    to: Mutex<Option<File>>,
}

impl Output {
    /// Over standard output.
    pub fn new() -> Self {
        Self { to: Mutex::new(std::io::stdout().as_fd().try_clone_to_owned().ok().map(File::from)) }
    }

    /// Sends the bytes of whole frames. An executor that is gone is noticed where frames are read.
    pub fn raw(&self, bytes: &[u8]) {
        let mut to = lock(&self.to);
        if to.as_mut().is_some_and(|to| to.write_all(bytes).is_err()) {
            *to = None;
        }
    }

    /// Sends a reply.
    pub fn reply(&self, call: u32, body: Reply) {
        if let Ok(bytes) = reply(call, &body) {
            self.raw(&bytes);
        }
    }

    /// Sends data.
    pub fn data(&self, kind: Kind, call: u32, body: &[u8]) {
        if let Ok(bytes) = encode(kind, call, body) {
            self.raw(&bytes);
        }
    }
}

/// A lock whatever happened to its last holder: the data here is never left half changed.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
