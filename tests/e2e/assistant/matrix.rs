//! Synapse, and a person with bare requests.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::chat::{Chat, Peer, free_port, installed, listening};

pub struct Matrix {
    port: u16,
    token: String,
    room: String,
    since: String,
    count: u32,
    _peer: Peer,
    _dir: tempfile::TempDir,
}

pub fn start() -> Option<Matrix> {
    let venv = installed("OPENCLAW_SYNAPSE", "openclaw-synapse", "synapse", "venv/bin/python")?.join("venv");
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let config = dir.path().join("homeserver.yaml");
    std::fs::write(&config, settings(dir.path(), port)).unwrap();
    let python = venv.join("bin/python");
    let synapse = |more: &[&str]| {
        let mut command = Command::new(&python);
        command
            .args(["-m", "synapse.app.homeserver"])
            .args(more)
            .arg("--config-path")
            .arg(&config)
            .current_dir(dir.path());
        command
    };
    assert!(synapse(&["--generate-keys"]).output().unwrap().status.success());
    let peer = Peer::start(synapse(&[]).stdout(Stdio::null()));
    listening(port);
    let mut matrix = Matrix {
        port,
        token: String::new(),
        room: String::new(),
        since: String::new(),
        count: 0,
        _peer: peer,
        _dir: dir,
    };
    for user in ["bot", "alice"] {
        let done = Command::new(venv.join("bin/register_new_matrix_user"))
            .args([
                "-k",
                "shared",
                "-u",
                user,
                "-p",
                &format!("{user}-pw"),
                "--no-admin",
                &format!("http://127.0.0.1:{port}"),
            ])
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    }
    let login = json!({ "type": "m.login.password", "identifier": { "type": "m.id.user", "user": "alice" }, "password": "alice-pw" });
    matrix.token = matrix.ask("POST", "login", &login)["access_token"].as_str().unwrap().to_owned();
    Some(matrix)
}

fn settings(dir: &Path, port: u16) -> String {
    let dir = dir.display();
    format!(
        "server_name: test.local\nreport_stats: false\npid_file: {dir}/pid\nsigning_key_path: {dir}/signing.key\n\
         media_store_path: {dir}/media\nregistration_shared_secret: shared\nmacaroon_secret_key: macaroon\nform_secret: form\n\
         trusted_key_servers: []\nsuppress_key_server_warning: true\n\
         database: {{ name: sqlite3, args: {{ database: {dir}/home.db }} }}\n\
         listeners: [{{ port: {port}, bind_addresses: ['127.0.0.1'], type: http, tls: false, resources: [{{ names: [client] }}] }}]\n\
         rc_message: {{ per_second: 1000, burst_count: 1000 }}\n\
         rc_login: {{ address: {{ per_second: 1000, burst_count: 1000 }}, account: {{ per_second: 1000, burst_count: 1000 }} }}\n"
    )
}

impl Matrix {
    /// One request of HTTP/1.0: the answer ends with the connection.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let token = if self.token.is_empty() {
            String::new()
        } else {
            format!("Authorization: Bearer {}\r\n", self.token)
        };
        let head = format!(
            "{method} /_matrix/client/v3/{path} HTTP/1.0\r\nHost: 127.0.0.1\r\n{token}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.lines().next().unwrap().contains(" 200"), "{path}: {text}");
        serde_json::from_str(body).unwrap_or_else(|e| panic!("{path}: {e}: {text}"))
    }
}

impl Chat for Matrix {
    fn channel(&self) -> &'static str {
        "matrix"
    }

    fn section(&self) -> Value {
        json!({
            "homeserver": format!("http://127.0.0.1:{}", self.port), "userId": "@bot:test.local", "password": "bot-pw",
            "autoJoin": "always", "dm": { "policy": "pairing", "allowFrom": ["@boss:test.local"] },
        })
    }

    fn greet(&mut self) {
        let made = self.ask(
            "POST",
            "createRoom",
            &json!({ "preset": "trusted_private_chat", "is_direct": true, "invite": ["@bot:test.local"] }),
        );
        self.room = made["room_id"].as_str().unwrap().to_owned();
        for _ in 0..200 {
            let members = self.ask("GET", &format!("rooms/{}/joined_members", self.room), &json!({}));
            if members["joined"].get("@bot:test.local").is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("the bot did not come");
    }

    fn say(&mut self, text: &str) {
        self.count += 1;
        let path = format!("rooms/{}/send/m.room.message/t{}", self.room, self.count);
        self.ask("PUT", &path, &json!({ "msgtype": "m.text", "body": text }));
    }

    fn lines(&mut self) -> Vec<String> {
        let since = if self.since.is_empty() { String::new() } else { format!("&since={}", self.since) };
        let got = self.ask("GET", &format!("sync?timeout=500{since}"), &json!({}));
        got["next_batch"].as_str().unwrap().clone_into(&mut self.since);
        let events =
            got["rooms"]["join"][&self.room]["timeline"]["events"].as_array().cloned().unwrap_or_default();
        let of_bot = events.iter().filter(|e| e["sender"] == "@bot:test.local");
        let texts = of_bot.filter_map(|e| e["content"]["body"].as_str());
        texts.flat_map(|t| t.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}
