//! Takes credentials from a person, a file or standard input. Never from the command line: other users see that.

use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use oc_fs::credential::from_file;
use oc_types::{KeyPath, Secret};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// Most bytes taken from standard input.
const LIMIT: u64 = 64 * 1024;
/// Most bytes of a typed line: a terminal holds no longer one.
const LINE: usize = 4096;
/// Ctrl-C.
const CANCEL: u8 = 3;

/// Where credentials come from.
#[derive(Debug)]
pub enum Source<'a> {
    /// A file that only the user may read.
    File {
        /// The file.
        file: &'a Path,
        /// The agents' workspaces: it may lie in none of them.
        workspaces: &'a [PathBuf],
    },
    /// A person at a terminal.
    Person,
    /// Standard input.
    Input,
}

impl<'a> Source<'a> {
    /// The file, else standard input.
    pub fn of(file: Option<&'a Path>, workspaces: &'a [PathBuf]) -> Self {
        match file {
            Some(file) => Self::File { file, workspaces },
            None if std::io::stdin().is_terminal() => Self::Person,
            None => Self::Input,
        }
    }

    /// One secret for each key, one a line in this order. `what` says what each is.
    ///
    /// # Errors
    /// Too few or too many, blank ones, one that holds control characters, a file that others can read.
    pub fn secrets(&self, wanted: &[(KeyPath, &str)]) -> Result<Vec<Secret>> {
        let texts: Vec<Secret> = match self {
            Self::Person => wanted
                .iter()
                .map(|(key, what)| hidden(&format!("{what} ({key}): ")))
                .collect::<Result<_>>()?,
            Self::Input => lines(&from_input()?),
            Self::File { file, workspaces } => {
                lines(&from_file(&KeyPath::dotted("--token-file"), file, workspaces)?)
            }
        };
        let keys = wanted.iter().map(|(key, _)| key.to_string()).collect::<Vec<_>>().join(", ");
        if texts.len() != wanted.len() {
            bail!(
                "nothing was changed: {} line(s) are needed, in this order: {keys}; there were {} (--key names one alone)",
                wanted.len(),
                texts.len()
            );
        }
        for (secret, (key, _)) in texts.iter().zip(wanted) {
            if secret.is_blank() || secret.expose().chars().any(char::is_control) {
                bail!("nothing was changed: what was given for {key} is blank or holds control characters");
            }
        }
        Ok(texts)
    }
}

fn lines(text: &Secret) -> Vec<Secret> {
    let lines = text.expose().trim_end().lines();
    lines.map(|l| Secret::new(l.trim().to_owned())).collect()
}

fn from_input() -> Result<Secret> {
    let mut text = String::new();
    std::io::stdin().take(LIMIT + 1).read_to_string(&mut text).context("standard input")?;
    if text.len() as u64 > LIMIT {
        bail!("nothing was changed: standard input holds more than {LIMIT} bytes");
    }
    Ok(Secret::new(text))
}

/// The terminal without echo, until it is dropped.
struct Quiet(Termios);

impl Quiet {
    fn start() -> Result<Self> {
        let before = tcgetattr(std::io::stdin())?;
        let mut quiet = before.clone();
        // No signals either: Ctrl-C ends the line, and the terminal is given back before the command ends.
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        quiet.special_codes[SpecialCodeIndex::VEOL] = CANCEL;
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
        let _ = writeln!(std::io::stderr());
    }
}

fn hidden(prompt: &str) -> Result<Secret> {
    say(prompt)?;
    let _quiet = Quiet::start()?;
    let mut bytes = vec![0u8; LINE];
    let count = rustix::io::read(std::io::stdin(), &mut bytes)?;
    bytes.truncate(count);
    if bytes.contains(&CANCEL) {
        bail!("nothing was changed");
    }
    let text = String::from_utf8(bytes).context("what was typed is no text")?;
    Ok(Secret::new(text.trim().to_owned()))
}

/// Asks a person for a setting, which is shown while it is typed.
///
/// # Errors
/// It is blank or cannot be read.
pub fn setting(prompt: &str) -> Result<String> {
    say(prompt)?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let line = line.trim();
    if line.is_empty() {
        bail!("nothing was changed: it is needed");
    }
    Ok(line.to_owned())
}

fn say(prompt: &str) -> Result<()> {
    let mut err = std::io::stderr().lock();
    err.write_all(prompt.as_bytes())?;
    Ok(err.flush()?)
}
