//! A fake of Discord: its REST API and its gateway.

use serde_json::{Value, json};

use crate::chat::Chat;
use crate::fake_service::{FakeService, Notes, Reply, Request, Script, now_ms};

const TOKEN: &str = "made-up-discord-token";
const ALICE: &str = "77";
const BOSS: &str = "999";

pub struct FakeDiscord {
    service: FakeService,
    sequence: u64,
}

pub fn start() -> FakeDiscord {
    let opened = || vec![json!({ "op": 10, "d": { "heartbeat_interval": 20_000 } })];
    FakeDiscord { service: FakeService::start(Script { answer, opened, heard }), sequence: 1 }
}

fn answer(request: &Request, notes: &Notes) -> Reply {
    let call = request.json();
    if request.path.ends_with("/callback") {
        return Reply::Json(204, Value::Null);
    }
    if request.header("authorization") != format!("Bot {TOKEN}") {
        return Reply::Json(401, json!({ "message": "401: Unauthorized" }));
    }
    match request.path.as_str() {
        "/users/@me" => Reply::Json(200, json!({ "id": "4242", "username": "ourbot" })),
        "/gateway/bot" => Reply::Json(200, json!({ "url": notes.root().replace("http", "ws") })),
        "/channels/11" => Reply::Json(200, json!({ "id": "11", "type": 1 })),
        "/channels/11/typing" => Reply::Json(204, Value::Null),
        "/channels/11/messages" => {
            let rows = call["components"].as_array().into_iter().flatten();
            let buttons = rows.flat_map(|r| r["components"].as_array().into_iter().flatten());
            let buttons: Vec<_> = buttons
                .map(|b| {
                    (b["label"].as_str().unwrap().to_owned(), b["custom_id"].as_str().unwrap().to_owned())
                })
                .collect();
            if !buttons.is_empty() {
                notes.note_buttons(buttons);
            }
            notes.note(call["content"].as_str().unwrap());
            Reply::Json(200, json!({ "id": "900" }))
        }
        _ => Reply::Json(404, json!({ "message": "Unknown Channel" })),
    }
}

fn heard(frame: &Value, notes: &Notes) -> Vec<Value> {
    match frame["op"].as_u64() {
        Some(1) => vec![json!({ "op": 11 })],
        Some(2) if frame["d"]["token"] == TOKEN => {
            notes.is_ready();
            let ready =
                json!({ "session_id": "S", "resume_gateway_url": notes.root().replace("http", "ws") });
            vec![json!({ "op": 0, "t": "READY", "s": 1, "d": ready })]
        }
        other => panic!("instead of an introduction: {other:?}"),
    }
}

impl FakeDiscord {
    fn press(&mut self, who: &str) {
        let payload = self.service.button("Allow once");
        let data = json!({ "component_type": 2, "custom_id": payload });
        let press = json!({ "type": 3, "token": "press-token", "user": { "id": who }, "data": data });
        self.dispatch("INTERACTION_CREATE", press);
    }

    fn dispatch(&mut self, kind: &str, mut d: Value) {
        self.sequence += 1;
        // The service's ids hold the time.
        let id = ((now_ms() - 1_420_070_400_000) << 22) + self.sequence;
        d["id"] = id.to_string().into();
        d["channel_id"] = "11".into();
        self.service.tell(&json!({ "op": 0, "t": kind, "s": self.sequence, "d": d }));
    }
}

impl Chat for FakeDiscord {
    fn channel(&self) -> &'static str {
        "discord"
    }

    fn section(&self) -> Value {
        json!({ "token": TOKEN, "apiRoot": self.service.root(), "dm": { "policy": "pairing", "allowFrom": [BOSS] },
            "execApprovals": { "approvers": [ALICE] } })
    }

    fn greet(&mut self) {
        self.service.wait();
    }

    fn say(&mut self, text: &str) {
        let author = json!({ "id": ALICE, "username": "alice" });
        self.dispatch(
            "MESSAGE_CREATE",
            json!({ "type": 0, "content": text, "author": author, "mentions": [] }),
        );
    }

    fn approve(&mut self, _id: &str) {
        self.press(ALICE);
    }

    fn another_presses(&mut self) {
        self.press(BOSS);
    }

    fn lines(&mut self) -> Vec<String> {
        self.service.lines()
    }
}
