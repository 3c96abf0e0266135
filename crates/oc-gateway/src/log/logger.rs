//! The subscriber: from an event to the file and the console.

use std::fmt::{self, Debug};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use oc_fs::log_file::LogFile;
use thiserror::Error;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

use super::event::{Collect, Safe, is_own};
use super::settings::{Level, LoggingSettings};
use super::{console, record};

/// Something else takes the events already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the log is set up already")]
pub struct AlreadySet;

/// Takes the events of this process, or of a test.
#[derive(Debug)]
pub struct Logger(Arc<Shared>);

/// To change the log while it runs.
#[derive(Clone, Debug)]
pub struct LogHandle(Arc<Shared>);

struct Shared {
    /// The noisier of both levels: what is not written anywhere is not even looked at.
    most: AtomicU8,
    settings: RwLock<Arc<LoggingSettings>>,
    file: Mutex<Sink>,
    console: Mutex<Box<dyn Write + Send>>,
}

#[derive(Debug, Default)]
struct Sink {
    file: Option<LogFile>,
    /// Whether the last line could not be written: it is said once.
    failing: bool,
}

impl Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("settings", &self.settings)
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

/// Takes the events of this process from now on; the console is standard error.
///
/// # Errors
/// When something else takes them already.
pub fn init(settings: LoggingSettings) -> Result<LogHandle, AlreadySet> {
    let (logger, handle) = Logger::new(settings, Box::new(std::io::stderr()));
    tracing::subscriber::set_global_default(logger).map_err(|_| AlreadySet)?;
    Ok(handle)
}

impl Logger {
    /// A log with a console of one's own. A file that cannot be opened is said on the console, and the log goes on without it.
    #[must_use]
    pub fn new(settings: LoggingSettings, console: Box<dyn Write + Send>) -> (Self, LogHandle) {
        let shared = Arc::new(Shared {
            most: AtomicU8::new(0),
            settings: RwLock::new(Arc::new(settings.clone())),
            file: Mutex::new(Sink::default()),
            console: Mutex::new(console),
        });
        let handle = LogHandle(Arc::clone(&shared));
        handle.reload(settings);
        (Self(shared), handle)
    }
}

impl LogHandle {
    /// Takes other settings: levels, patterns, file and style change with the next event.
    pub fn reload(&self, settings: LoggingSettings) {
        let opened = match settings.level {
            Level::Silent => Ok((None, Vec::new())),
            _ => LogFile::open(&settings.target, settings.max_file_bytes, SystemTime::now())
                .map(|(file, passed)| (Some(file), passed)),
        };
        let (file, notes) = match opened {
            Ok((file, passed)) => (file, passed),
            Err(e) => (None, vec![format!("nothing is written to a file: {e}")]),
        };
        let most = settings.level.max(settings.console_level) as u8;
        *self.0.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        *self.0.file.lock().unwrap_or_else(PoisonError::into_inner) = Sink { file, failing: false };
        self.0.most.store(most, Ordering::Relaxed);
        for note in notes {
            self.0.say(&note);
        }
    }

    /// The file that is written to now; `None` when there is none.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        let sink = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        sink.file.as_ref().map(|f| f.path(&Now::read().day))
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<LoggingSettings> {
        self.0.settings()
    }
}

/// A moment: as the log writes it, and the day at this place, which names the file.
struct Now {
    time: String,
    day: String,
}

impl Now {
    fn read() -> Self {
        let now = jiff::Zoned::now();
        Self { time: format!("{:.3}", now.timestamp()), day: now.date().to_string() }
    }
}

impl Shared {
    fn settings(&self) -> Arc<LoggingSettings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A word of the log about itself, on the console alone.
    fn say(&self, text: &str) {
        let settings = self.settings();
        if settings.console_level < Level::Warn {
            return;
        }
        let message = oc_text::visible(&settings.redactor.redact(text), 1024);
        let event = Safe { level: Level::Warn, subsystem: "log".to_owned(), message, fields: Vec::new() };
        self.to_console(&event, &settings, &Now::read());
    }

    fn to_console(&self, event: &Safe, settings: &LoggingSettings, now: &Now) {
        let line = console::line(event, settings.console_style, settings.colour, &now.time);
        let mut out = self.console.lock().unwrap_or_else(PoisonError::into_inner);
        // A console that is gone stops nothing.
        let _ = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
    }

    fn to_file(&self, event: &Safe, settings: &LoggingSettings, now: &Now) {
        let line = record::line(event, &settings.host, settings.version, &now.time);
        let failed = {
            let mut sink = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(file) = &mut sink.file else { return };
            let done = file.write(&now.day, &line);
            let was = std::mem::replace(&mut sink.failing, done.is_err());
            done.err().filter(|_| !was)
        };
        if let Some(e) = failed {
            self.say(&format!("the log file cannot be written: {e}"));
        }
    }
}

fn level_of(level: tracing::Level) -> Level {
    match level {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::INFO => Level::Info,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::TRACE => Level::Trace,
    }
}

impl Subscriber for Logger {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // The levels may change later.
        if metadata.is_event() { Interest::sometimes() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        if !metadata.is_event() {
            return false;
        }
        let level = level_of(*metadata.level());
        // A fatal event is written as an error.
        let quiet = if level == Level::Error { Level::Fatal } else { level };
        (level <= Level::Warn || is_own(metadata.target()))
            && quiet as u8 <= self.0.most.load(Ordering::Relaxed)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let settings = self.0.settings();
        let mut fields = Collect::new(&settings.redactor);
        event.record(&mut fields);
        let safe = fields.finish(level_of(*event.metadata().level()), event.metadata().target());
        let now = Now::read();
        if safe.level <= settings.level {
            self.0.to_file(&safe, &settings, &now);
        }
        if safe.level <= settings.console_level {
            self.0.to_console(&safe, &settings, &now);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
