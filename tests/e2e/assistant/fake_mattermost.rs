//! A fake of a Mattermost server: its REST API and its WebSocket.

use serde_json::{Value, json};

use crate::chat::Chat;
use crate::fake_service::{FakeService, Notes, Reply, Request, Script, now_ms};

const TOKEN: &str = "made-up-mattermost-token";
const ROOM: &str = "chn0chn0chn0chn0chn0chn0ch";
const ALICE: &str = "ali0ali0ali0ali0ali0ali0al";
const BOSS: &str = "bos0bos0bos0bos0bos0bos0bo";

pub struct FakeMattermost {
    service: FakeService,
    sequence: u64,
}

pub fn start() -> FakeMattermost {
    let service = FakeService::start(Script { answer, opened: Vec::new, heard });
    FakeMattermost { service, sequence: 0 }
}

fn answer(request: &Request, notes: &Notes) -> Reply {
    let call = request.json();
    if request.header("authorization") != format!("Bearer {TOKEN}") {
        return Reply::Json(401, json!({ "message": "Invalid session" }));
    }
    match request.path.as_str() {
        "/api/v4/users/me" => {
            Reply::Json(200, json!({ "id": "bot0bot0bot0bot0bot0bot0bo", "username": "ourbot" }))
        }
        "/api/v4/posts" if call["channel_id"] == ROOM => {
            notes.note(call["message"].as_str().unwrap());
            Reply::Json(201, json!({ "id": "pst0pst0pst0pst0pst0pst0ps" }))
        }
        "/api/v4/users/me/typing" => Reply::Json(200, json!({})),
        _ => Reply::Json(404, json!({ "message": "not found" })),
    }
}

fn heard(frame: &Value, notes: &Notes) -> Vec<Value> {
    match frame["action"].as_str() {
        Some("authentication_challenge") if frame["data"]["token"] == TOKEN => {
            notes.is_ready();
            let hello = json!({ "event": "hello", "seq": 0, "data": { "connection_id": "c1" } });
            vec![json!({ "status": "OK", "seq_reply": 1 }), hello]
        }
        Some("ping") => {
            vec![json!({ "status": "OK", "data": { "text": "pong" }, "seq_reply": frame["seq"] })]
        }
        other => panic!("instead of signing in: {other:?}"),
    }
}

impl Chat for FakeMattermost {
    fn channel(&self) -> &'static str {
        "mattermost"
    }

    fn section(&self) -> Value {
        json!({ "baseUrl": self.service.root(), "botToken": TOKEN, "allowFrom": [BOSS] })
    }

    fn greet(&mut self) {
        self.service.wait();
    }

    fn say(&mut self, text: &str) {
        self.sequence += 1;
        let id = format!("{:0>26}", self.sequence);
        let post =
            json!({ "id": id, "channel_id": ROOM, "user_id": ALICE, "message": text, "create_at": now_ms() });
        self.service
            .tell(&json!({ "event": "posted", "seq": self.sequence, "broadcast": { "channel_id": ROOM },
            "data": { "channel_type": "D", "sender_name": "@alice", "post": post.to_string() } }));
    }

    fn lines(&mut self) -> Vec<String> {
        self.service.lines()
    }
}
