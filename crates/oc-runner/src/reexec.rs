//! Starting this program again in another mode: from the file that runs, whatever lies at its path by now.

use std::process::Command;

use crate::{HIDDEN, this_file};

/// This program in `mode`, with an empty environment.
pub fn command(mode: &str) -> Command {
    let mut command = Command::new(this_file());
    if std::env::args_os().nth(1).is_some_and(|a| a == HIDDEN) {
        command.arg(HIDDEN);
    }
    command.arg(mode).env_clear();
    command
}
