//! A process that asks through the queue, waits, and runs what was approved: `openclaw exec run`.

use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Exit code when a person said no.
#[allow(dead_code, reason = "not every test binary looks at it")]
pub const DENIED: i32 = 11;
/// Exit code when nobody answered.
#[allow(dead_code, reason = "one of two test binaries waits that long")]
pub const TIMEOUT: i32 = 10;

/// Starts the asker in a home, which is also its working directory, under a configuration of its own. Its requests wait `timeout_ms`.
#[allow(dead_code, reason = "one of the test binaries has its own configuration")]
pub fn child(home: &Path, command: &str, timeout_ms: u64) -> Child {
    let state = home.join(".openclaw");
    std::fs::create_dir_all(&state).unwrap();
    let config = format!("{{ tools: {{ exec: {{ host: 'gateway', approvalTimeoutMs: {timeout_ms} }} }} }}\n");
    std::fs::write(state.join("openclaw.json"), config).unwrap();
    child_in(home, command)
}

/// Starts the asker under the configuration that is there.
pub fn child_in(home: &Path, command: &str) -> Child {
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
