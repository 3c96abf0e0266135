//! `openclaw approvals watch` in a real terminal (tmux): a command asks, is shown, is approved by a key, and runs; another one expires
//! unseen.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "approvals/asker.rs"]
mod asker;

/// One tmux server of our own, 80x24.
struct Tmux {
    socket: String,
}

impl Tmux {
    fn start(command: &str) -> Self {
        let socket = format!("oc-approvals-{}-{:?}", std::process::id(), std::thread::current().id());
        let socket: String = socket.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let tmux = Self { socket };
        tmux.run(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", command]);
        tmux
    }

    fn run(&self, args: &[&str]) -> String {
        let out = Command::new("tmux").args(["-L", &self.socket]).args(args).output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }

    fn press(&self, key: &str) {
        self.run(&["send-keys", key]);
    }

    #[track_caller]
    fn wait_for(&self, text: &str) -> String {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let screen = self.screen();
            if screen.contains(text) {
                return screen;
            }
            assert!(Instant::now() < end, "{text:?} did not appear:\n{screen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").args(["-L", &self.socket, "kill-server"]).output();
    }
}

/// Whether tmux is there. Where nothing may be skipped (`OC_REQUIRE`), its absence is a failure.
fn tmux_is_there() -> bool {
    let there = Command::new("tmux").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let required = std::env::var("OC_REQUIRE").unwrap_or_default();
    assert!(there || !required.split_whitespace().any(|w| w == "tmux"), "tmux is required and not there");
    if !there {
        eprintln!("skipped: no tmux");
    }
    there
}

#[test]
fn a_command_asks_is_shown_is_approved_by_a_key_and_runs() {
    if !tmux_is_there() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let watch = format!(
        "env -i HOME='{}' PATH=\"$PATH\" TERM=screen '{}' approvals watch; echo ended-$?; stty -a | grep -o ' icanon'; sleep 60",
        home.path().display(),
        env!("CARGO_BIN_EXE_openclaw"),
    );
    let tmux = Tmux::start(&watch);
    tmux.wait_for("No command waits for an answer.");

    let marker = home.path().join("it-ran");
    let command = format!("touch '{}'", marker.display());
    let mut child = asker::child(home.path(), &command, 60_000);
    let screen = tmux.wait_for("Rules ");
    for part in [
        "1 command waits",
        "Command ",
        "touch '",
        "Directory ",
        "Agent      main",
        "Session ",
        "Expires    in",
    ] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
    assert!(screen.lines().count() <= 24 && screen.lines().all(|l| l.chars().count() <= 80), "{screen}");
    assert!(screen.contains("a approve once"), "{screen}");
    assert!(!marker.exists(), "nothing runs before the answer");
    // A key right after it appeared is not taken.
    std::thread::sleep(Duration::from_millis(700));
    tmux.press("a");
    tmux.wait_for("approved once: touch");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(marker.exists(), "it ran");

    // This one is denied by a key.
    let never = home.path().join("never");
    let mut child = asker::child(home.path(), &format!("touch '{}'", never.display()), 60_000);
    tmux.wait_for("1 command waits");
    std::thread::sleep(Duration::from_millis(700));
    tmux.press("d");
    assert_eq!(child.wait().unwrap().code(), Some(asker::DENIED));
    tmux.wait_for("No command waits for an answer.");

    // This one nobody sees to: it expires.
    let mut child = asker::child(home.path(), &format!("touch '{}'", never.display()), 1_500);
    tmux.wait_for("1 command waits");
    assert_eq!(child.wait().unwrap().code(), Some(asker::TIMEOUT));
    tmux.wait_for("No command waits for an answer.");
    std::thread::sleep(Duration::from_millis(600));
    tmux.press("a");
    assert!(!never.exists());

    // The terminal is given back.
    tmux.press("q");
    let screen = tmux.wait_for("icanon");
    assert!(screen.contains("ended-0") && !screen.contains("-icanon"), "{screen}");
}

#[test]
fn control_c_gives_the_terminal_back() {
    if !tmux_is_there() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let tmux = Tmux::start(&format!(
        "env -i HOME='{}' TERM=screen '{}' approvals watch; echo ended-$?; stty -a | grep -o ' echo '; sleep 60",
        home.path().display(),
        env!("CARGO_BIN_EXE_openclaw"),
    ));
    tmux.wait_for("No command waits");
    tmux.press("C-c");
    tmux.wait_for("ended-0");
    tmux.wait_for(" echo");
}
