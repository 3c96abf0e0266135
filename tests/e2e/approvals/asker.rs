//! A process that asks through the queue, waits, and runs what was approved: `openclaw exec run`.

use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Exit code when a person said no.
pub const DENIED: i32 = 11;
/// Exit code when nobody answered.
#[allow(dead_code, reason = "one of two test binaries waits that long")]
pub const TIMEOUT: i32 = 10;

/// Starts the asker in a home, which is also its working directory. Its requests wait `timeout_ms`.
pub fn child(home: &Path, command: &str, timeout_ms: u64) -> Child {
    let state = home.join(".openclaw");
    std::fs::create_dir_all(&state).unwrap();
    let config = format!("{{ tools: {{ exec: {{ host: 'gateway', approvalTimeoutMs: {timeout_ms} }} }} }}\n");
    std::fs::write(state.join("openclaw.json"), config).unwrap();
    Command::new(env!("CARGO_BIN_EXE_openclaw"))
        .args(["exec", "run", "--", command])
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .current_dir(home)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
