//! A chat service with one person in it, and what servers of others need.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take.
pub const LONG: Duration = Duration::from_secs(60);

/// A person at a service.
pub trait Chat {
    /// The channel's id.
    fn channel(&self) -> &'static str;
    /// Its section of the configuration; `allowFrom` names somebody else, so that answers to approvals are not open to all.
    fn section(&self) -> Value;
    /// The gateway is at this port of loopback: what a service needs that calls it.
    fn called_at(&mut self, _port: u16) {}
    /// What has to be done once the bot is there (an invitation).
    fn greet(&mut self) {}
    /// Says something to the bot.
    fn say(&mut self, text: &str);
    /// Allows what was asked about: by its command, or by the button that came with it.
    fn approve(&mut self, id: &str) {
        self.say(&format!("/approve {id}"));
    }
    /// Somebody else, who may write to the bot and is no approver, presses the button that came with the question.
    fn another_presses(&mut self) {}
    /// Lines that came from the bot since the last call; waits a little.
    fn lines(&mut self) -> Vec<String>;

    /// Waits for a line of the bot that a function takes.
    fn hears(&mut self, mut take: impl FnMut(&str) -> Option<String>) -> String
    where
        Self: Sized,
    {
        let until = Instant::now() + LONG;
        let mut seen = Vec::new();
        while Instant::now() < until {
            for line in self.lines() {
                if let Some(found) = take(&line) {
                    return found;
                }
                seen.push(line);
            }
        }
        panic!("it was not said; heard: {seen:#?}");
    }
}

/// A program that ends with this value.
pub struct Peer(pub Child);

impl Peer {
    pub fn start(command: &mut Command) -> Self {
        Self(command.stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a test may be left out. Where nothing may be skipped (`OC_REQUIRE` has the word), its absence is a failure.
pub fn missing(word: &str) {
    let required = std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == word);
    assert!(!required, "no {word}: `cargo xtask test --install` brings it");
    println!("skipped: no {word}");
}

/// The folder that an install script filled.
pub fn installed(variable: &str, folder: &str, word: &str, proof: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let cache = || Some(std::env::home_dir()?.join(".cache").join(folder));
    let found = named.or_else(cache).filter(|d| d.join(proof).exists());
    if found.is_none() {
        missing(word);
    }
    found
}

/// A port of loopback that nobody uses now.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Waits until a port is listened on.
pub fn listening(port: u16) {
    let until = Instant::now() + Duration::from_secs(90);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "nothing listens on {port}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
