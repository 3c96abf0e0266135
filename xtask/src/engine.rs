//! A container engine for the tests: the one that answers, or one that is started for them and stopped afterwards.

use std::process::Command;

use crate::steps::root;

/// Whether the engine was started here.
#[derive(Debug)]
enum Whose {
    /// It ran before.
    Found,
    /// It ends with the tests.
    Started,
}

/// An engine that answers, for as long as this lives.
#[derive(Debug)]
pub struct Engine(Whose);

impl Engine {
    /// The engine that answers; with `start`, one is started when none does (as root). `None`: the tests that need one say so.
    pub fn find(start: bool) -> Option<Self> {
        if script("status") {
            return Some(Self(Whose::Found));
        }
        (start && script("start")).then_some(Self(Whose::Started))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if matches!(self.0, Whose::Started) && !script("stop") {
            println!("the engine that the tests started could not be stopped");
        }
    }
}

fn script(word: &str) -> bool {
    Command::new("sh")
        .arg(root().join(".ci/start-dockerd.sh"))
        .arg(word)
        .stdin(std::process::Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}
