//! A fake of WhatsApp's Cloud API: the Graph API, and the calls to the gateway.

use data_encoding::HEXLOWER;
use ring::hmac;
use serde_json::{Value, json};

use crate::chat::Chat;
use crate::fake_service::{FakeService, Notes, Reply, Request, Script, call, deliver, now_ms, refused};

const TOKEN: &str = "made-up-access-token";
const SECRET: &str = "made-up-app-secret";
const VERIFY: &str = "made-up-verify-token";
const ALICE: &str = "15552223333";
const BOSS: &str = "15550009999";
const PATH: &str = "/whatsapp-webhook";

pub struct FakeWhatsApp {
    service: FakeService,
    gateway: u16,
    count: u64,
}

pub fn start() -> FakeWhatsApp {
    FakeWhatsApp { service: FakeService::start(Script::requests(answer)), gateway: 0, count: 0 }
}

fn answer(request: &Request, notes: &Notes) -> Reply {
    let call = request.json();
    if request.header("authorization") != format!("Bearer {TOKEN}") {
        return Reply::Json(
            401,
            json!({ "error": { "message": "Invalid OAuth access token", "code": 190 } }),
        );
    }
    match request.path.as_str() {
        "/1055" => {
            notes.is_ready();
            Reply::Json(
                200,
                json!({ "id": "1055", "display_phone_number": "+1 555 000 1111", "verified_name": "Ours" }),
            )
        }
        // Seen and typing.
        "/1055/messages" if call["status"] == "read" => Reply::Json(200, json!({ "success": true })),
        "/1055/messages" if call["to"] == ALICE => {
            let buttons = call["interactive"]["action"]["buttons"].as_array().cloned().unwrap_or_default();
            if !buttons.is_empty() {
                let of = |b: &Value, key: &str| b["reply"][key].as_str().unwrap().to_owned();
                notes.note_buttons(buttons.iter().map(|b| (of(b, "title"), of(b, "id"))).collect());
            }
            let text = call["text"]["body"].as_str().or(call["interactive"]["body"]["text"].as_str());
            notes.note(text.unwrap());
            Reply::Json(200, json!({ "messages": [{ "id": "wamid.OUT" }] }))
        }
        _ => Reply::Json(404, json!({ "error": { "message": "Unknown path" } })),
    }
}

impl FakeWhatsApp {
    fn press(&mut self, who: &str) {
        let reply = json!({ "id": self.service.button("Allow once"), "title": "Allow once" });
        self.happens(who, "interactive", json!({ "type": "button_reply", "button_reply": reply }));
    }

    fn happens(&mut self, who: &str, kind: &str, content: Value) {
        self.count += 1;
        let mut message = json!({ "from": who, "id": format!("wamid.IN{}", self.count), "type": kind,
            "timestamp": (now_ms() / 1000).to_string() });
        message[kind] = content;
        let value = json!({ "metadata": { "display_phone_number": "15550001111", "phone_number_id": "1055" },
            "contacts": [{ "wa_id": who, "profile": { "name": "Somebody" } }], "messages": [message] });
        let body = json!({ "object": "whatsapp_business_account",
            "entry": [{ "changes": [{ "field": "messages", "value": value }] }] });
        let body = body.to_string();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body.as_bytes());
        let signature = format!("sha256={}", HEXLOWER.encode(tag.as_ref()));
        deliver(self.gateway, PATH, &[("x-hub-signature-256", signature)], &body);
    }
}

impl Chat for FakeWhatsApp {
    fn channel(&self) -> &'static str {
        "whatsapp"
    }

    fn section(&self) -> Value {
        json!({ "allowFrom": [format!("+{BOSS}")], "execApprovals": { "approvers": [format!("+{ALICE}")] },
            "cloud": { "phoneNumberId": "1055", "accessToken": TOKEN, "appSecret": SECRET, "verifyToken": VERIFY,
                "apiRoot": self.service.root() } })
    }

    fn called_at(&mut self, port: u16) {
        self.gateway = port;
    }

    fn greet(&mut self) {
        self.service.wait();
        let forged = format!("sha256={}", "0".repeat(64));
        refused(self.gateway, PATH, &[("x-hub-signature-256", forged)], "{}");
        // The address is verified before the service calls it.
        let asks = |token: &str| {
            let query = format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444");
            call(self.gateway, "GET", &format!("{PATH}?{query}"), &[], "")
        };
        assert_eq!(asks(VERIFY), (200, "1158201444".to_owned()));
        let (status, said) = asks("another");
        assert_eq!((status, said.contains("1158201444")), (401, false));
    }

    fn say(&mut self, text: &str) {
        self.happens(ALICE, "text", json!({ "body": text }));
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
