//! telegram-test-api, and a person through its client.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::chat::{Chat, Peer, free_port, installed};

const TOKEN: &str = "4242:AAbb_cc-dd";

pub struct Telegram {
    port: u16,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _peer: Peer,
}

pub fn start() -> Option<Telegram> {
    let dir = installed(
        "OPENCLAW_TELEGRAM_PEER",
        "openclaw-telegram-peer",
        "telegram-test-api",
        "node_modules/telegram-test-api",
    )?;
    let port = free_port();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/channels/telegram-server.cjs");
    let mut command = Command::new("node");
    command
        .arg(script)
        .arg(dir)
        .arg(port.to_string())
        .arg(TOKEN)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut peer = Peer::start(&mut command);
    let (input, output) = (peer.0.stdin.take().unwrap(), BufReader::new(peer.0.stdout.take().unwrap()));
    let mut telegram = Telegram { port, input, output, _peer: peer };
    assert_eq!(telegram.read()["ready"], true);
    Some(telegram)
}

impl Telegram {
    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn ask(&mut self, command: &Value) -> Value {
        self.input.write_all(format!("{command}\n").as_bytes()).unwrap();
        self.read()
    }
}

impl Chat for Telegram {
    fn channel(&self) -> &'static str {
        "telegram"
    }

    fn section(&self) -> Value {
        json!({ "botToken": TOKEN, "apiRoot": format!("http://127.0.0.1:{}", self.port), "allowFrom": ["999"] })
    }

    fn say(&mut self, text: &str) {
        self.ask(&json!({ "say": text }));
    }

    fn lines(&mut self) -> Vec<String> {
        // The server holds the request for a moment when there is nothing.
        let got = self.ask(&json!({ "updates": true }));
        let updates = got["result"].as_array().cloned().unwrap_or_default();
        let texts = updates.iter().filter_map(|u| u["message"]["text"].as_str());
        texts.flat_map(|t| t.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}
