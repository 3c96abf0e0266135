//! Packages from a registry, by the user's own `npm` with the user's own settings. No lifecycle script is run.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use oc_extensions::package::Pinned;
use oc_text::visible;
use thiserror::Error;

use crate::host_view::is_program;

#[cfg(test)]
mod tests;

/// Time for one call.
pub const WAIT: Duration = Duration::from_secs(300);
/// Most bytes of what it says that are kept.
const MAX_SAID: u64 = 64 * 1024;

/// Why there is no package.
#[derive(Debug, Error)]
pub enum NpmFailure {
    /// There is no `npm`.
    #[error("`npm` is not on the search path; install it, or give a folder or a `.tgz` file instead")]
    NotThere,
    /// It could not be started, or what it left cannot be looked at.
    #[error("{}: {source}", path.display())]
    System {
        /// The program or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It took too long and was ended.
    #[error("`npm {0}` did not end within five minutes")]
    Late(&'static str),
    /// It failed.
    #[error("`npm {what}` failed: {said}")]
    Failed {
        /// The command.
        what: &'static str,
        /// The last lines of what it said.
        said: String,
    },
    /// It left something else than one package file.
    #[error("`npm pack` left no single package file")]
    NoFile,
}

/// The `npm` of a search path. Relative entries are not looked at: they mean the current directory.
#[must_use]
pub fn find(path: &str) -> Option<PathBuf> {
    std::env::split_paths(path).filter(|p| p.is_absolute()).map(|p| p.join("npm")).find(|p| is_program(p))
}

/// Fetches one version into a fresh, empty folder and returns its `.tgz`. `npm` works in that folder, so no file of the current directory
/// has a say.
///
/// # Errors
/// See [`NpmFailure`].
pub fn pack(npm: &Path, package: &Pinned, into: &Path) -> Result<PathBuf, NpmFailure> {
    let spec = package.to_string();
    let into_text = into.to_string_lossy().into_owned();
    run(npm, "pack", &["--pack-destination", &into_text, "--", &spec], into, WAIT)?;
    let system = |source| NpmFailure::System { path: into.to_owned(), source };
    let mut found = None;
    for entry in fs::read_dir(into).map_err(system)? {
        let path = entry.map_err(system)?.path();
        let is_package = path.extension().is_some_and(|e| e == "tgz");
        if !is_package || found.is_some() || !path.symlink_metadata().is_ok_and(|m| m.is_file()) {
            return Err(NpmFailure::NoFile);
        }
        found = Some(path);
    }
    found.ok_or(NpmFailure::NoFile)
}

/// Puts the packages that a package needs into its folder, without scripts, links or those that only its development needs.
///
/// # Errors
/// See [`NpmFailure`].
pub fn dependencies(npm: &Path, folder: &Path) -> Result<(), NpmFailure> {
    let flags = [
        "--omit=dev",
        "--no-bin-links",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        "--install-strategy=nested",
    ];
    run(npm, "install", &flags, folder, WAIT)
}

fn run(
    npm: &Path,
    what: &'static str,
    args: &[&str],
    folder: &Path,
    wait: Duration,
) -> Result<(), NpmFailure> {
    let system = |source| NpmFailure::System { path: npm.to_owned(), source };
    let mut child = Command::new(npm)
        .arg(what)
        // Said twice: a setting of the user's cannot switch it back on.
        .args(["--ignore-scripts", "--loglevel=error", "--no-update-notifier"])
        .args(args)
        .env("npm_config_ignore_scripts", "true")
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(system)?;
    let mut stderr = child.stderr.take();
    let (tell, told) = mpsc::channel();
    // The stream ends when the program does; the thread ends with the stream.
    std::thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(stream) = &mut stderr {
            let _ = stream.by_ref().take(MAX_SAID).read_to_end(&mut said);
            let _ = std::io::copy(stream, &mut std::io::sink());
        }
        let _ = tell.send(said);
    });
    let said = match told.recv_timeout(wait) {
        Ok(said) => said,
        Err(_) => {
            let _ = child.kill();
            let _ = child.wait();
            return Err(NpmFailure::Late(what));
        }
    };
    let status = child.wait().map_err(system)?;
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().filter(|l| !l.trim().is_empty()).take(6).collect();
    let said = oc_text::Redactor::standard().redact(&lines.join("; "));
    Err(NpmFailure::Failed { what, said: visible(&said, 600) })
}
