//! The file of the running program, to start it again.

use std::path::PathBuf;

/// The link of Linux to the file that runs.
const RUNNING: &str = "/proc/self/exe";

/// The file of the running program, to start it again.
///
/// On Linux that is the link of the kernel: the very file that runs, also when an upgrade has put another one at its path. Other systems
/// have no such link; there it is the path that the system noted when the program started, which is what they offer (macOS:
/// `_NSGetExecutablePath`). When the system does not say, it is the path of the link all the same: nothing lies there, so starting it
/// fails, and nothing else runs in its place.
#[must_use]
pub fn this_file() -> PathBuf {
    if cfg!(target_os = "linux") { PathBuf::from(RUNNING) } else { noted() }
}

/// The path that the system noted at the start.
fn noted() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from(RUNNING))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_name_the_program_that_runs() {
        let by_link = std::fs::canonicalize(this_file()).unwrap();
        let by_note = std::fs::canonicalize(noted()).unwrap();
        assert_eq!(by_link, by_note);
        assert!(noted().is_absolute());
    }
}
