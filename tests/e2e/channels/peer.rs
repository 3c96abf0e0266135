//! Servers of others that adapters are tested with: found, started on loopback, ended.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Whether a test may be left out. Where nothing may be skipped (`OC_REQUIRE` has the word), its absence is a failure.
fn missing(word: &str, how: &str) {
    let required = std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == word);
    assert!(!required, "no {word}: {how}");
    println!("skipped: no {word} ({how})");
}

/// The folder that an install script filled; said when it is missing. `proof` is a path in it.
pub fn installed(variable: &str, folder: &str, word: &str, proof: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let cache = || Some(std::env::home_dir()?.join(".cache").join(folder));
    let found = named.or_else(cache).filter(|d| d.join(proof).exists());
    if found.is_none() {
        missing(word, "`cargo xtask test --install` brings it");
    }
    found
}

/// A program on the path; said when it is missing.
pub fn program(name: &'static str) -> Option<&'static str> {
    let there = std::process::Command::new(name)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    if !there {
        missing(name, "`cargo xtask test --install` brings it");
    }
    there.then_some(name)
}

/// A port of loopback that nobody uses now.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Waits until a port is listened on.
pub async fn listening(port: u16, limit: Duration) {
    let until = tokio::time::Instant::now() + limit;
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(tokio::time::Instant::now() < until, "nothing listens on {port}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A program that is ended with this value; it is spoken with in lines of JSON, if at all.
pub struct Peer {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { _child: child, input, output }
    }

    /// The next line.
    pub async fn line(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(60), self.output.next_line()).await;
        serde_json::from_str(&line.expect("no line in time").unwrap().expect("it ended")).unwrap()
    }

    pub async fn ask(&mut self, command: &Value) -> Value {
        self.input.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        self.line().await
    }
}
