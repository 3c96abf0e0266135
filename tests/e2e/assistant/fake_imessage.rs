//! A fake of the helper `imsg`, which the gateway starts: `fake-imsg`.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::chat::Chat;

const FAKE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/assistant/fake-imsg");
const ALICE: &str = "+15552223333";

pub struct FakeIMessage {
    dir: tempfile::TempDir,
    /// Bytes of what was asked that were read.
    read: usize,
    count: u64,
}

pub fn start() -> FakeIMessage {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("db.told"), "").unwrap();
    FakeIMessage { dir, read: 0, count: 0 }
}

impl FakeIMessage {
    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

impl Chat for FakeIMessage {
    fn channel(&self) -> &'static str {
        "imessage"
    }

    fn section(&self) -> Value {
        json!({ "cliPath": FAKE, "dbPath": self.file("db"), "allowFrom": ["+15550009999"] })
    }

    fn say(&mut self, text: &str) {
        self.count += 1;
        let message = json!({ "id": self.count, "guid": format!("G{}", self.count), "chat_id": 7, "sender": ALICE, "is_from_me": false,
            "text": text, "is_group": false });
        let line = json!({ "jsonrpc": "2.0", "method": "message", "params": { "subscription": 1, "message": message } });
        let mut told = std::fs::OpenOptions::new().append(true).open(self.file("db.told")).unwrap();
        told.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn lines(&mut self) -> Vec<String> {
        let asked = std::fs::read_to_string(self.file("db.asked")).unwrap_or_default();
        let whole = asked.rfind('\n').map_or(0, |at| at + 1);
        let new = &asked[self.read.min(whole)..whole];
        self.read = whole;
        if new.is_empty() {
            std::thread::sleep(Duration::from_millis(100));
        }
        let calls = new.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
        let sent = calls.filter(|c| c["method"] == "send");
        sent.flat_map(|c| {
            assert_eq!(c["params"]["chat_id"], 7, "{c}");
            let text = c["params"]["text"].as_str().unwrap().to_owned();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
    }
}
