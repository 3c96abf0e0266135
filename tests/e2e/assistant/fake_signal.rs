//! A fake of signal-cli's HTTP daemon.

use serde_json::{Value, json};

use crate::chat::Chat;
use crate::fake_service::{FakeService, Notes, Reply, Request, Script, now_ms};

const OWN: &str = "+15550001111";
const ALICE: &str = "+15552223333";

pub struct FakeSignal {
    service: FakeService,
    count: u64,
}

pub fn start() -> FakeSignal {
    FakeSignal { service: FakeService::start(Script::requests(answer)), count: 0 }
}

fn answer(request: &Request, notes: &Notes) -> Reply {
    if request.path == "/api/v1/events" {
        return Reply::Events;
    }
    let call = request.json();
    let result = match call["method"].as_str().unwrap() {
        "listAccounts" => json!([{ "number": OWN }]),
        "send" => {
            assert_eq!(call["params"]["recipient"], json!([ALICE]));
            notes.note(call["params"]["message"].as_str().unwrap());
            json!({ "timestamp": 99, "results": [{ "type": "SUCCESS" }] })
        }
        _ => json!({}),
    };
    Reply::Json(200, json!({ "jsonrpc": "2.0", "id": call["id"], "result": result }))
}

impl Chat for FakeSignal {
    fn channel(&self) -> &'static str {
        "signal"
    }

    fn section(&self) -> Value {
        json!({ "account": OWN, "httpUrl": self.service.root(), "allowFrom": ["+15550009999"] })
    }

    fn greet(&mut self) {
        self.service.wait();
    }

    fn say(&mut self, text: &str) {
        self.count += 1;
        let stamp = now_ms() + self.count;
        let envelope = json!({ "sourceNumber": ALICE, "sourceUuid": "33333333-cccc-4000-8000-000000000003", "timestamp": stamp, "dataMessage": { "timestamp": stamp, "message": text } });
        self.service.tell(&json!({ "account": OWN, "envelope": envelope }));
    }

    fn lines(&mut self) -> Vec<String> {
        self.service.lines()
    }
}
