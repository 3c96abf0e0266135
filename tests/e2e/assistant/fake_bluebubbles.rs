//! A fake of a BlueBubbles server: its REST API, and the calls to the gateway.

use serde_json::{Value, json};

use crate::chat::Chat;
use crate::fake_service::{FakeService, Notes, Reply, Request, Script, deliver, now_ms, refused};

const PASSWORD: &str = "made-up-bubbles-password";
const ALICE: &str = "+15552223333";
const CHAT: &str = "iMessage;-;+15552223333";

pub struct FakeBlueBubbles {
    service: FakeService,
    gateway: u16,
    count: u64,
}

pub fn start() -> FakeBlueBubbles {
    FakeBlueBubbles { service: FakeService::start(Script::requests(answer)), gateway: 0, count: 0 }
}

fn answer(request: &Request, notes: &Notes) -> Reply {
    let call = request.json();
    if request.query != format!("password={PASSWORD}") {
        return Reply::Json(401, json!({ "error": { "message": "Unauthorized" } }));
    }
    match request.path.as_str() {
        "/api/v1/server/info" => {
            notes.is_ready();
            Reply::Json(200, json!({ "data": { "detected_imessage": "me@example.org" } }))
        }
        "/api/v1/message/text" if call["chatGuid"] == CHAT => {
            notes.note(call["message"].as_str().unwrap());
            Reply::Json(200, json!({ "data": { "guid": "SENT" } }))
        }
        path if path.ends_with("/typing") => Reply::Json(200, json!({})),
        _ => Reply::Json(404, json!({ "error": { "message": "Not Found" } })),
    }
}

impl Chat for FakeBlueBubbles {
    fn channel(&self) -> &'static str {
        "bluebubbles"
    }

    fn section(&self) -> Value {
        json!({ "serverUrl": self.service.root(), "password": PASSWORD, "allowFrom": ["+15550009999"] })
    }

    fn called_at(&mut self, port: u16) {
        self.gateway = port;
    }

    fn greet(&mut self) {
        self.service.wait();
        refused(self.gateway, "/bluebubbles-webhook?password=another", &[], "{}");
    }

    fn say(&mut self, text: &str) {
        self.count += 1;
        let data = json!({ "guid": format!("G{}", self.count), "text": text, "isFromMe": false, "dateCreated": now_ms(),
            "handle": { "address": ALICE }, "chats": [{ "guid": CHAT, "style": 45 }] });
        let body = json!({ "type": "new-message", "data": data }).to_string();
        deliver(self.gateway, &format!("/bluebubbles-webhook?password={PASSWORD}"), &[], &body);
    }

    fn lines(&mut self) -> Vec<String> {
        self.service.lines()
    }
}
