//! The terminal while it is watched: keys come one by one, and whatever happens it is given back as it was.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};

/// Other screen, no cursor.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l";
/// Back to the screen before.
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";

/// A key that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Char(char),
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
}

/// The terminal, taken over until it is dropped.
pub struct Terminal {
    before: Termios,
    ended: Arc<AtomicBool>,
    last: String,
}

impl Terminal {
    /// Takes the terminal of standard input and output.
    ///
    /// # Errors
    /// When it is no terminal.
    pub fn take() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        // Also no signals: Ctrl-C is a key, so that nothing ends before the terminal is given back.
        raw.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN);
        raw.special_codes[SpecialCodeIndex::VMIN] = 0;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Flush, &raw)?;
        let terminal = Self { before, ended: signals(), last: String::new() };
        terminal.write(ENTER)?;
        Ok(terminal)
    }

    /// Columns and rows; 80 and 24 when the terminal does not say.
    pub fn size(&self) -> (usize, usize) {
        match tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
                (usize::from(size.ws_col), usize::from(size.ws_row))
            }
            _ => (80, 24),
        }
    }

    /// Shows lines from the top.
    pub fn draw(&mut self, lines: &[String]) -> io::Result<()> {
        let mut text = String::from("\u{1b}[H");
        for (at, line) in lines.iter().enumerate() {
            if at > 0 {
                text.push_str("\r\n");
            }
            text.push_str(line);
            text.push_str("\u{1b}[K");
        }
        text.push_str("\u{1b}[J");
        if text != self.last {
            self.write(&text)?;
            self.last = text;
        }
        Ok(())
    }

    /// The next key, or `None` after `wait`.
    pub fn key(&self, wait: Duration) -> io::Result<Option<Key>> {
        let stdin = io::stdin();
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(None),
            Ok(_) => {}
            Err(e) => return Err(e.into()),
        }
        if fds.iter().any(|fd| fd.revents().intersects(PollFlags::HUP | PollFlags::ERR)) {
            self.ended.store(true, Ordering::Relaxed);
            return Ok(None);
        }
        let mut bytes = [0u8; 16];
        let count = rustix::io::read(&stdin, &mut bytes)?;
        // One key a look: what was typed ahead is not an answer to what is shown next. Leaving is no answer and is never lost.
        let typed = bytes.get(..count).unwrap_or_default();
        Ok(match typed {
            [] => None,
            [first, ..] if *first != 0x1b && typed.contains(&b'q') => Some(Key::Char('q')),
            [0x1b, b'[' | b'O', b'A', ..] => Some(Key::Up),
            [0x1b, b'[' | b'O', b'B', ..] => Some(Key::Down),
            [0x1b, ..] => None,
            [byte, ..] => Some(Key::Char(char::from(*byte))),
        })
    }

    /// Whether the process was told to end.
    pub fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.write(LEAVE);
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.before);
    }
}

/// Set when the process is told to end, so that the terminal is given back first.
fn signals() -> Arc<AtomicBool> {
    let ended = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ended);
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut end), Ok(mut hang_up)) =
                (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
            else {
                return;
            };
            tokio::select! {
                _ = end.recv() => {}
                _ = hang_up.recv() => {}
            }
            flag.store(true, Ordering::Relaxed);
        });
    });
    ended
}
