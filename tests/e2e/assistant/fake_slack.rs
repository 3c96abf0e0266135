//! A fake of Slack: its Web API, Socket Mode, and the Events API, which calls the gateway.

use data_encoding::HEXLOWER;
use ring::hmac;
use serde_json::{Value, json};

use crate::chat::Chat;
use crate::fake_service::{FakeService, Notes, Reply, Request, Script, deliver, now_ms, refused};

const BOT: &str = "xoxb-made-up-1";
const APP: &str = "xapp-made-up-1";
const SECRET: &str = "made-up-signing-secret";
const ALICE: &str = "U0ALICE";
const BOSS: &str = "U0BOSS";

pub struct FakeSlack {
    service: FakeService,
    /// The gateway's port, where the service calls; without one it speaks over the WebSocket.
    calls: Option<u16>,
    http: bool,
    count: u64,
}

/// In Socket Mode, or calling.
pub fn start(http: bool) -> FakeSlack {
    let opened = || vec![json!({ "type": "hello" })];
    let service = FakeService::start(Script { answer, opened, heard: |_, _| Vec::new() });
    FakeSlack { service, calls: None, http, count: 0 }
}

fn answer(request: &Request, notes: &Notes) -> Reply {
    let call = request.json();
    let token = if request.path == "/apps.connections.open" { APP } else { BOT };
    if request.header("authorization") != format!("Bearer {token}") {
        return Reply::Json(200, json!({ "ok": false, "error": "invalid_auth" }));
    }
    match request.path.as_str() {
        "/auth.test" => {
            notes.is_ready();
            Reply::Json(
                200,
                json!({ "ok": true, "user_id": "U0BOT", "user": "ourbot", "bot_id": "B0BOT", "team_id": "T1" }),
            )
        }
        "/apps.connections.open" => {
            let url = format!("{}/link", notes.root().replace("http", "ws"));
            Reply::Json(200, json!({ "ok": true, "url": url }))
        }
        "/chat.postMessage" if call["channel"] == "D0ALICE" => {
            let blocks = call["blocks"].as_array().cloned().unwrap_or_default();
            let elements = blocks.iter().flat_map(|b| b["elements"].as_array().into_iter().flatten());
            let buttons: Vec<_> = elements
                .map(|e| {
                    let label = e["text"]["text"].as_str().unwrap();
                    (label.to_owned(), e["value"].as_str().unwrap().to_owned())
                })
                .collect();
            if !buttons.is_empty() {
                notes.note_buttons(buttons);
            }
            notes.note(call["text"].as_str().unwrap());
            Reply::Json(200, json!({ "ok": true, "ts": "1700.5" }))
        }
        _ => Reply::Json(200, json!({ "ok": false, "error": "channel_not_found" })),
    }
}

impl FakeSlack {
    fn press(&mut self, who: &str) {
        let action = json!({ "type": "button", "value": self.service.button("Allow once") });
        let press = json!({ "type": "block_actions", "trigger_id": format!("t{}", self.count), "team": { "id": "T1" }, "user": { "id": who },
            "channel": { "id": "D0ALICE", "name": "directmessage" }, "actions": [action] });
        self.happens("interactive", &press);
    }

    fn signed(&self, port: u16, kind: &str, body: &str) {
        let stamp = (now_ms() / 1000).to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let tag = hmac::sign(&key, format!("v0:{stamp}:{body}").as_bytes());
        let headers = [
            ("content-type", kind.to_owned()),
            ("x-slack-request-timestamp", stamp),
            ("x-slack-signature", format!("v0={}", HEXLOWER.encode(tag.as_ref()))),
        ];
        deliver(port, "/slack/events", &headers, body);
    }

    fn happens(&mut self, kind: &str, payload: &Value) {
        self.count += 1;
        match self.calls.filter(|_| self.http) {
            Some(port) if kind == "events_api" => self.signed(port, "application/json", &payload.to_string()),
            Some(port) => {
                let body = format!("payload={}", percent(&payload.to_string()));
                self.signed(port, "application/x-www-form-urlencoded", &body);
            }
            None => {
                let id = self.count.to_string();
                self.service.tell(&json!({ "envelope_id": id, "type": kind, "payload": payload }));
            }
        }
    }
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

impl Chat for FakeSlack {
    fn channel(&self) -> &'static str {
        "slack"
    }

    fn section(&self) -> Value {
        let mut section = json!({ "botToken": BOT, "apiRoot": self.service.root(),
            "dm": { "policy": "pairing", "allowFrom": [BOSS] }, "execApprovals": { "approvers": [ALICE] } });
        if self.http {
            section["mode"] = "http".into();
            section["signingSecret"] = SECRET.into();
        } else {
            section["appToken"] = APP.into();
        }
        section
    }

    fn called_at(&mut self, port: u16) {
        self.calls = Some(port);
    }

    fn greet(&mut self) {
        self.service.wait();
        if let Some(port) = self.calls.filter(|_| self.http) {
            refused(
                port,
                "/slack/events",
                &[("x-slack-request-timestamp", (now_ms() / 1000).to_string())],
                "{}",
            );
        }
    }

    fn say(&mut self, text: &str) {
        let now = now_ms();
        let stamp = format!("{}.{:06}", now / 1000, (now % 1000) * 1000 + self.count);
        let event = json!({ "type": "message", "channel": "D0ALICE", "channel_type": "im", "user": ALICE, "text": text, "ts": stamp });
        let id = format!("Ev{}", self.count);
        self.happens(
            "events_api",
            &json!({ "type": "event_callback", "event_id": id, "team_id": "T1", "event": event }),
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
