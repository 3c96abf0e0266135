//! A door before the engine that ends its visitor at a chosen moment: every piece of a conversation is one step.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// When the visitor is killed.
#[derive(Clone, Debug)]
pub enum Moment {
    /// When this piece comes by, in either direction, counted from 1. What it says is not passed on any more.
    Piece(usize),
    /// When a piece with this text came from the engine.
    Said(&'static str),
}

/// What both directions share.
#[derive(Debug)]
struct State {
    moment: Moment,
    victim: Option<u32>,
    pieces: usize,
    killed: bool,
}

/// The door. It ends with the test's process; a new one is made for each visitor.
#[derive(Debug)]
pub struct Proxy {
    pub socket: PathBuf,
    state: Arc<Mutex<State>>,
    _folder: tempfile::TempDir,
}

impl Proxy {
    pub fn new(engine: &Path, moment: Moment) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let state = Arc::new(Mutex::new(State { moment, victim: None, pieces: 0, killed: false }));
        let (shared, engine) = (Arc::clone(&state), engine.to_owned());
        std::thread::spawn(move || {
            for visitor in listener.incoming() {
                let (Ok(visitor), Ok(engine)) = (visitor, UnixStream::connect(&engine)) else { return };
                let ends = (visitor.try_clone().unwrap(), engine.try_clone().unwrap());
                let (to, from) = (Arc::clone(&shared), Arc::clone(&shared));
                std::thread::spawn(move || pass(visitor, engine, &to, false));
                std::thread::spawn(move || pass(ends.1, ends.0, &from, true));
            }
        });
        Self { socket, state, _folder: folder }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Whom to kill.
    pub fn watches(&self, visitor: u32) {
        self.state().victim = Some(visitor);
    }

    pub fn killed(&self) -> bool {
        self.state().killed
    }
}

fn pass(mut from: UnixStream, mut to: UnixStream, state: &Mutex<State>, from_engine: bool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let piece = &buffer[..n];
        if is_the_moment(state, piece, from_engine) || to.write_all(piece).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn is_the_moment(state: &Mutex<State>, piece: &[u8], from_engine: bool) -> bool {
    let limit = Instant::now() + Duration::from_secs(10);
    // The visitor may be here before its number is.
    let mut state = loop {
        let state = state.lock().unwrap();
        if state.victim.is_some() || Instant::now() > limit {
            break state;
        }
        drop(state);
        std::thread::yield_now();
    };
    state.pieces += 1;
    let now = match state.moment {
        Moment::Piece(n) => state.pieces == n,
        Moment::Said(text) => from_engine && piece.windows(text.len()).any(|w| w == text.as_bytes()),
    };
    if now && !state.killed {
        let victim = i32::try_from(state.victim.unwrap()).unwrap();
        // Not waited for by its parent yet, so the number is still its own.
        kill_process(Pid::from_raw(victim).unwrap(), Signal::KILL).unwrap();
        state.killed = true;
    }
    state.killed
}
