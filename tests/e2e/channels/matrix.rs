//! The Matrix adapter against Synapse (PyPI, `.ci/install-synapse`): invitations, direct chats that become rooms, threads, files, restarts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

#[path = "../../../crates/oc-channels/tests/support/door.rs"]
mod door;
#[path = "peer.rs"]
mod peer;

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use door::{TestDoor, one, soon, text, to};
use oc_channels::adapter::{Adapter, AdapterFailure, Destination, Event, Outgoing, OutgoingFile};
use oc_policy::inbound::{ConversationId, ConversationKind, EventKind};
use peer::{Peer, free_port, installed, listening};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::task::JoinHandle;

struct Server {
    _peer: Peer,
    dir: tempfile::TempDir,
    venv: std::path::PathBuf,
    port: u16,
}

/// Starts a homeserver with two users and a third.
async fn server() -> Option<Server> {
    let venv = installed("OPENCLAW_SYNAPSE", "openclaw-synapse", "synapse", "venv/bin/python")?.join("venv");
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let config = dir.path().join("homeserver.yaml");
    std::fs::write(&config, settings(dir.path(), port)).unwrap();
    let python = venv.join("bin/python");
    let keys = std::process::Command::new(&python)
        .args(["-m", "synapse.app.homeserver", "--generate-keys", "--config-path"])
        .arg(&config)
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(keys.status.success(), "{}", String::from_utf8_lossy(&keys.stderr));
    let mut command = Command::new(&python);
    command
        .args(["-m", "synapse.app.homeserver", "--config-path"])
        .arg(&config)
        .current_dir(dir.path())
        .stderr(Stdio::null());
    let peer = Peer::start(command);
    listening(port, Duration::from_secs(90)).await;
    let server = Server { _peer: peer, dir, venv, port };
    for user in ["bot", "alice", "carol"] {
        server.register(user);
    }
    Some(server)
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
         rc_login: {{ address: {{ per_second: 1000, burst_count: 1000 }}, account: {{ per_second: 1000, burst_count: 1000 }}, failed_attempts: {{ per_second: 1000, burst_count: 1000 }} }}\n\
         rc_joins: {{ local: {{ per_second: 1000, burst_count: 1000 }}, remote: {{ per_second: 1000, burst_count: 1000 }} }}\n\
         rc_invites: {{ per_room: {{ per_second: 1000, burst_count: 1000 }}, per_user: {{ per_second: 1000, burst_count: 1000 }} }}\n"
    )
}

impl Server {
    fn root(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn register(&self, user: &str) {
        let done = std::process::Command::new(self.venv.join("bin/register_new_matrix_user"))
            .args(["-k", "shared", "-u", user, "-p", &format!("{user}-pw"), "--no-admin", &self.root()])
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    }

    fn adapter(&self, more: Value) -> Arc<dyn Adapter> {
        let mut section = json!({ "homeserver": self.root(), "userId": "@bot:test.local", "password": "bot-pw", "autoJoin": "always" });
        section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        one(&json!({ "matrix": section }), &self.dir.path().join("state"))
    }
}

/// Another person, with bare requests.
struct Person {
    client: reqwest::Client,
    root: String,
    token: String,
    count: u32,
}

impl Person {
    async fn new(server: &Server, name: &str) -> Self {
        let config =
            rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth();
        let client = reqwest::Client::builder().tls_backend_preconfigured(config).build().unwrap();
        let mut person = Self { client, root: server.root(), token: String::new(), count: 0 };
        let login = json!({ "type": "m.login.password", "identifier": { "type": "m.id.user", "user": name }, "password": format!("{name}-pw") });
        let answer = person.post("login", login).await;
        person.token = answer["access_token"].as_str().unwrap().to_owned();
        person
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = request.bearer_auth(&self.token).timeout(Duration::from_secs(30)).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    fn at(&self, path: &str) -> String {
        format!("{}/_matrix/client/v3/{path}", self.root)
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.ask(self.client.post(self.at(path)).json(&body)).await
    }

    async fn get(&self, path: &str) -> Value {
        self.ask(self.client.get(self.at(path))).await
    }

    async fn room(&self, body: Value) -> String {
        self.post("createRoom", body).await["room_id"].as_str().unwrap().to_owned()
    }

    async fn send(&mut self, room: &str, kind: &str, content: Value) -> String {
        self.count += 1;
        let path = self.at(&format!("rooms/{room}/send/{kind}/t{}", self.count));
        self.ask(self.client.put(path).json(&content)).await["event_id"].as_str().unwrap().to_owned()
    }

    async fn say(&mut self, room: &str, body: &str) -> String {
        self.send(room, "m.room.message", json!({ "msgtype": "m.text", "body": body })).await
    }

    async fn latest(&self, room: &str) -> Vec<Value> {
        let answer = self.get(&format!("rooms/{room}/messages?dir=b&limit=20")).await;
        answer["chunk"].as_array().unwrap().clone()
    }
}

fn run(adapter: &Arc<dyn Adapter>, door: &Arc<TestDoor>) -> JoinHandle<AdapterFailure> {
    let (adapter, door) = (Arc::clone(adapter), Arc::clone(door));
    tokio::spawn(async move { adapter.receive(&*door).await })
}

async fn of_kind(door: &TestDoor, kind: EventKind) -> Event {
    door.next_that(|e| e.message.event == kind && !e.message.from_me).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_with_a_real_homeserver() {
    let Some(server) = server().await else { return };
    let (mut alice, carol) = (Person::new(&server, "alice").await, Person::new(&server, "carol").await);

    let wrong = server.adapter(json!({ "password": "no-such-pw" }));
    let refused = soon(wrong.who()).await.unwrap_err();
    assert!(
        matches!(&refused, AdapterFailure::Credential { key, .. } if key == "channels.matrix.password"),
        "{refused}"
    );
    let other = server.adapter(json!({ "userId": "@alice:test.local", "password": "alice-pw" }));
    assert_eq!(soon(other.who()).await.unwrap().id, "@alice:test.local");

    // Nobody is followed without the key.
    let shy = server.adapter(json!({ "autoJoin": "off" }));
    let (door, shy_door) = (Arc::new(TestDoor::default()), Arc::new(TestDoor::default()));
    let shy_running = run(&shy, &shy_door);
    let direct = alice
        .room(json!({ "invite": ["@bot:test.local"], "is_direct": true, "preset": "trusted_private_chat" }))
        .await;
    alice.say(&direct, "before you came").await;
    let invited = of_kind(&shy_door, EventKind::Membership).await;
    assert_eq!(invited.message.sender.id.as_ref().unwrap().as_str(), "@alice:test.local");
    shy_running.abort();
    let _ = shy_running.await;
    assert!(
        alice.get(&format!("rooms/{direct}/joined_members")).await["joined"]["@bot:test.local"].is_null()
    );
    std::fs::remove_dir_all(server.dir.path().join("state")).unwrap();

    let adapter = server.adapter(json!({}));
    let running = run(&adapter, &door);
    let first = of_kind(&door, EventKind::Message).await;
    assert_eq!(
        (first.message.text.as_str(), first.message.kind),
        ("before you came", ConversationKind::Direct)
    );
    assert_eq!(
        (first.message.conversation.as_str(), first.reply.conversation.as_str()),
        ("@alice:test.local", direct.as_str())
    );

    adapter.typing(&first.reply).await;
    let sent = soon(adapter.send(&first.reply, &text("**hi** <b>\nsecond line"))).await.unwrap();
    let shown = alice.latest(&direct).await;
    let answer = shown.iter().find(|e| e["event_id"].as_str() == sent.id.as_deref()).unwrap();
    assert_eq!(answer["content"]["formatted_body"], "<b>hi</b> &lt;b&gt;<br>\nsecond line");
    assert_eq!(answer["content"]["m.relates_to"]["m.in_reply_to"]["event_id"], first.id.as_str());

    // Answers, edits, reactions, removals.
    let own = sent.id.unwrap();
    alice.send(&direct, "m.room.message", json!({ "msgtype": "m.text", "body": "answer", "m.relates_to": { "m.in_reply_to": { "event_id": own } } })).await;
    assert!(of_kind(&door, EventKind::Message).await.message.mentions.reply_to_bot);
    alice
        .send(
            &direct,
            "m.reaction",
            json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": own, "key": "+1" } }),
        )
        .await;
    assert_eq!(of_kind(&door, EventKind::Reaction).await.message.text, "+1");

    // A third person turns the direct chat into a room at the next message.
    alice.post(&format!("rooms/{direct}/invite"), json!({ "user_id": "@carol:test.local" })).await;
    carol.post(&format!("join/{direct}"), json!({})).await;
    alice.send(&direct, "m.room.message", json!({ "msgtype": "m.text", "body": "now three", "m.mentions": { "user_ids": ["@bot:test.local"] } })).await;
    let three = of_kind(&door, EventKind::Message).await;
    assert_eq!(
        (three.message.kind, three.message.conversation.as_str()),
        (ConversationKind::Group, direct.as_str())
    );
    assert_eq!(three.message.mentions.bot, Some(true));

    // A file in each direction.
    let up = alice
        .ask(
            alice
                .client
                .post(format!("{}/_matrix/media/v3/upload?filename=a.txt", server.root()))
                .header("content-type", "text/plain")
                .body(vec![b'x'; 5000]),
        )
        .await;
    alice
        .send(
            &direct,
            "m.room.message",
            json!({ "msgtype": "m.file", "body": "a.txt", "url": up["content_uri"], "info": { "size": 1 } }),
        )
        .await;
    let with_file = of_kind(&door, EventKind::Message).await;
    assert_eq!(soon(adapter.fetch(&with_file.attachments[0], 5000)).await.unwrap().len(), 5000);
    let too_large = soon(adapter.fetch(&with_file.attachments[0], 4999)).await;
    assert!(
        matches!(too_large, Err(AdapterFailure::Refused { .. })),
        "the size it says is not believed: {too_large:?}"
    );
    let file =
        OutgoingFile { name: "b.png".to_owned(), media_type: "image/png".to_owned(), bytes: b"PNG".to_vec() };
    soon(adapter.send(&to(&direct), &Outgoing { file: Some(file), ..text("see") })).await.unwrap();
    assert_eq!(alice.latest(&direct).await[0]["content"]["msgtype"], "m.image");

    // Threads keep to themselves.
    let thread = Destination {
        conversation: ConversationId::new(&direct),
        thread: Some(first.id.clone()),
        reply_to: None,
    };
    soon(adapter.send(&thread, &text("in the thread"))).await.unwrap();
    assert_eq!(alice.latest(&direct).await[0]["content"]["m.relates_to"]["rel_type"], "m.thread");

    let nowhere = soon(adapter.send(&to("!nowhere:test.local"), &text("x"))).await;
    assert!(matches!(nowhere, Err(AdapterFailure::Refused { .. })), "{nowhere:?}");
    assert!(matches!(
        adapter.send(&to("#alias:test.local"), &text("x")).await,
        Err(AdapterFailure::Refused { .. })
    ));

    // A restart goes on where it ended: what came meanwhile is delivered, what was taken is not again.
    running.abort();
    let _ = running.await;
    // More than the server gives in one answer.
    for n in 0..130 {
        alice.say(&direct, &format!("away {n}")).await;
    }
    alice.say(&direct, "while you were away").await;
    let again = server.adapter(json!({}));
    let door = Arc::new(TestDoor::default());
    door.refuse(1);
    let running = run(&again, &door);
    for n in 0..130 {
        assert_eq!(of_kind(&door, EventKind::Message).await.message.text, format!("away {n}"));
    }
    let missed = of_kind(&door, EventKind::Message).await;
    assert_eq!(missed.message.text, "while you were away");
    assert!(door.is_empty());
    running.abort();
}
