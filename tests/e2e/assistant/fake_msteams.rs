//! A fake of the Bot Framework for Microsoft Teams: sign-in, keys, answers, and the calls to the gateway with signed tokens.

use std::process::Command;
use std::sync::OnceLock;

use data_encoding::BASE64URL_NOPAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use crate::chat::{Chat, missing};
use crate::fake_service::{FakeService, Notes, Reply, Request, Script, deliver, now_ms, refused};

const PASSWORD: &str = "made-up-app-password";
const TOKEN: &str = "made-up-service-token";
const CHAT: &str = "a:chat";
const ALICE: &str = "11111111-aaaa-4000-8000-000000000001";

const BOSS: &str = "22222222-bbbb-4000-8000-000000000002";

/// The key with which this run's service signs.
static KEY: OnceLock<RsaKeyPair> = OnceLock::new();

pub struct FakeTeams {
    service: FakeService,
    gateway: u16,
    count: u64,
}

/// `None`: there is nothing that makes a key.
pub fn start() -> Option<FakeTeams> {
    let made = Command::new("openssl")
        .args([
            "genpkey",
            "-quiet",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:2048",
            "-outform",
            "DER",
        ])
        .output();
    let Ok(made) = made else {
        missing("openssl");
        return None;
    };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    // Releases differ in the form that they write.
    let key = RsaKeyPair::from_der(&made.stdout).or_else(|_| RsaKeyPair::from_pkcs8(&made.stdout)).unwrap();
    assert!(KEY.set(key).is_ok(), "one fake a process");
    Some(FakeTeams { service: FakeService::start(Script::requests(answer)), gateway: 0, count: 0 })
}

fn answer(request: &Request, notes: &Notes) -> Reply {
    let call = request.json();
    match request.path.as_str() {
        "/login/botframework.com/oauth2/v2.0/token" => {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            assert!(body.contains(&format!("client_secret={PASSWORD}&")), "{body}");
            return Reply::Json(200, json!({ "access_token": TOKEN, "expires_in": 3600 }));
        }
        "/openid" => return Reply::Json(200, json!({ "jwks_uri": format!("{}/keys", notes.root()) })),
        "/keys" => {
            let public = PublicKeyComponents::<Vec<u8>>::from(KEY.get().unwrap().public());
            let (n, e) = (BASE64URL_NOPAD.encode(&public.n), BASE64URL_NOPAD.encode(&public.e));
            notes.is_ready();
            let key = json!({ "kty": "RSA", "use": "sig", "kid": "k1", "n": n, "e": e, "endorsements": ["msteams"] });
            return Reply::Json(200, json!({ "keys": [key] }));
        }
        _ => {}
    }
    if request.header("authorization") != format!("Bearer {TOKEN}") {
        return Reply::Json(401, json!({}));
    }
    if request.path != "/teams/v3/conversations/a%3Achat/activities" {
        return Reply::Json(404, json!({ "error": { "message": "no such conversation" } }));
    }
    if call["type"] == "message" {
        let card = &call["attachments"][0]["content"];
        let actions = card["actions"].as_array().cloned().unwrap_or_default();
        if !actions.is_empty() {
            let of = |a: &Value| {
                (a["title"].as_str().unwrap().to_owned(), a["data"]["openclaw"].as_str().unwrap().to_owned())
            };
            notes.note_buttons(actions.iter().map(of).collect());
        }
        notes.note(call["text"].as_str().or(card["body"][0]["text"].as_str()).unwrap());
    }
    Reply::Json(201, json!({ "id": "OUT" }))
}

impl FakeTeams {
    fn address(&self) -> String {
        format!("{}/teams/", self.service.root())
    }

    /// A token for our app and the address at which we answer.
    fn token(&self) -> String {
        let now = now_ms() / 1000;
        let part = |v: &Value| BASE64URL_NOPAD.encode(v.to_string().as_bytes());
        let head = part(&json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" }));
        let claims = part(
            &json!({ "iss": "https://api.botframework.com", "aud": "app-1", "nbf": now - 60, "exp": now + 600,
            "serviceurl": self.address() }),
        );
        let signed = format!("{head}.{claims}");
        let key = KEY.get().unwrap();
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("Bearer {signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    fn press(&mut self, who: &str) {
        self.happens(who, ("value", json!({ "openclaw": self.service.button("Allow once") })));
    }

    fn happens(&mut self, who: &str, what: (&str, Value)) {
        self.count += 1;
        let mut activity = json!({ "type": "message", "id": format!("A{}", self.count), "channelId": "msteams",
            "serviceUrl": self.address(), "from": { "id": format!("29:{who}"), "aadObjectId": who, "name": "Somebody" },
            "recipient": { "id": "28:app-1" }, "conversation": { "id": CHAT, "conversationType": "personal" } });
        activity[what.0] = what.1;
        deliver(self.gateway, "/api/messages", &[("authorization", self.token())], &activity.to_string());
    }
}

impl Chat for FakeTeams {
    fn channel(&self) -> &'static str {
        "msteams"
    }

    fn section(&self) -> Value {
        let root = self.service.root();
        json!({ "appId": "app-1", "appPassword": PASSWORD, "apiRoot": format!("{root}/teams"),
            "loginRoot": format!("{root}/login"), "openIdRoot": format!("{root}/openid"),
            "allowFrom": [BOSS], "execApprovals": { "approvers": [ALICE] } })
    }

    fn called_at(&mut self, port: u16) {
        self.gateway = port;
    }

    fn greet(&mut self) {
        self.service.wait();
        let cut = self.token();
        let cut = cut.rsplit_once('.').unwrap().0.to_owned() + ".AAAA";
        refused(self.gateway, "/api/messages", &[("authorization", cut)], "{}");
    }

    fn say(&mut self, text: &str) {
        self.happens(ALICE, ("text", text.into()));
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
