//! Levels, places and styles from the configuration.

use std::path::{Path, PathBuf};

use oc_fs::log_file::{MAX_BYTES, Target};
use oc_text::Redactor;
use oc_types::Node;

use super::console::Style;

/// How much is written; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Nothing.
    Silent,
    /// What ends the process.
    Fatal,
    /// What failed.
    Error,
    /// What should be looked at.
    Warn,
    /// What happened.
    Info,
    /// How it happened.
    Debug,
    /// Every step.
    Trace,
}

impl Level {
    /// Every level, quietest first.
    pub const ALL: [Self; 7] =
        [Self::Silent, Self::Fatal, Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// The word of the configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// Reads the word; another one is `None`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.word() == word.trim())
    }

    /// The number in the log file: 1 (trace) to 6 (fatal).
    #[must_use]
    pub fn id(self) -> u8 {
        7 - self as u8
    }
}

/// What the log is to be.
#[derive(Clone, Debug)]
pub struct LoggingSettings {
    /// How much goes to the file.
    pub level: Level,
    /// How much goes to the console.
    pub console_level: Level,
    /// How the console looks.
    pub console_style: Style,
    /// Whether the console may be coloured.
    pub colour: bool,
    /// Where the file is.
    pub target: Target,
    /// Size from which on a file is set aside, in bytes.
    pub max_file_bytes: u64,
    /// What masks credentials.
    pub redactor: Redactor,
    /// The name of this host.
    pub host: String,
    /// The version of this program.
    pub version: &'static str,
}

/// What the configuration does not say.
#[derive(Clone, Debug)]
pub struct Surroundings<'a> {
    /// The home, for `~`.
    pub home: &'a Path,
    /// The folder for temporary files.
    pub tmp: &'a Path,
    /// Whether the console is a terminal.
    pub terminal: bool,
    /// Whether colours were switched off (`NO_COLOR`, `--no-color`).
    pub no_colour: bool,
    /// `--verbose`: the console says more, the file does not.
    pub verbose: bool,
    /// The name of this host.
    pub host: &'a str,
    /// The version of this program.
    pub version: &'static str,
}

impl LoggingSettings {
    /// Reads `logging.*`. What is wrong there counts as absent: the configuration is checked elsewhere.
    #[must_use]
    pub fn from_config(config: &Node, around: &Surroundings<'_>) -> Self {
        let logging = config.get("logging");
        let text = |key: &str| logging.and_then(|l| l.get(key)).and_then(Node::as_str).map(str::trim);
        let level = |key: &str| text(key).and_then(Level::parse);
        let console_level = level("consoleLevel").unwrap_or(Level::Info);
        let fallback = if around.terminal { Style::Pretty } else { Style::Compact };
        let bytes =
            logging.and_then(|l| l.get("maxFileBytes")).and_then(Node::as_number).filter(|n| *n >= 1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 1; the cast saturates"
        )]
        let max_file_bytes = bytes.map_or(MAX_BYTES, |n| n as u64);
        Self {
            level: level("level").unwrap_or(Level::Info),
            console_level: if around.verbose { console_level.max(Level::Debug) } else { console_level },
            console_style: text("consoleStyle").and_then(Style::parse).unwrap_or(fallback),
            colour: around.terminal && !around.no_colour,
            target: match text("file").filter(|f| !f.is_empty()) {
                Some(file) => Target::Fixed(expanded(file, around.home)),
                None => Target::standard(around.tmp),
            },
            max_file_bytes,
            redactor: super::redactor(config),
            host: around.host.to_owned(),
            version: around.version,
        }
    }
}

fn expanded(file: &str, home: &Path) -> PathBuf {
    oc_audit::workspace::expand(file, home)
}
