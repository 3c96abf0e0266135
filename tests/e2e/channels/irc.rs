//! The IRC adapter against ngIRCd: rooms and direct messages, a taken nick, long texts, a nick that changes hands.
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

use door::{LONG, TestDoor, one, soon, text, to};
use oc_channels::adapter::{Adapter, AdapterFailure};
use oc_policy::inbound::{ConversationKind, EventKind};
use peer::{Peer, free_port, listening, program};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::Command;
use tokio::task::JoinHandle;

/// A running server; it ends with this value.
struct Server {
    _peer: Peer,
    dir: tempfile::TempDir,
    port: u16,
}

async fn server(password: &str) -> Option<Server> {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    started(dir, port, &format!("Ports = {port}"), password, "").await
}

/// The same with TLS alone; the certificate lies in `cert.pem` of its folder.
async fn server_with_tls() -> Option<Server> {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let (cert, key) = certificate();
    std::fs::write(dir.path().join("cert.pem"), cert).unwrap();
    std::fs::write(dir.path().join("key.pem"), key).unwrap();
    let at = dir.path().display();
    let tls = format!("[SSL]\nCertFile = {at}/cert.pem\nKeyFile = {at}/key.pem\nPorts = {port}\n");
    started(dir, port, "", "", &tls).await
}

/// A certificate of 127.0.0.1 that is its own authority, and its key.
fn certificate() -> (String, String) {
    let params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

async fn started(
    dir: tempfile::TempDir,
    port: u16,
    ports: &str,
    password: &str,
    tls: &str,
) -> Option<Server> {
    let program = program("ngircd")?;
    let file = dir.path().join("ngircd.conf");
    let root = std::process::Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n");
    let user = if root { "ServerUID = nobody\nServerGID = nogroup\n" } else { "" };
    let password = if password.is_empty() { String::new() } else { format!("Password = {password}\n") };
    std::fs::write(
        &file,
        format!(
            "[Global]\nName = irc.test.local\nInfo = test\nListen = 127.0.0.1\n{ports}\n{user}{password}\
             [Limits]\nMaxConnectionsIP = 0\nMaxNickLength = 30\nMaxPenaltyTime = 0\n[Options]\nDNS = no\nIdent = no\nPAM = no\n{tls}"
        ),
    )
    .unwrap();
    let mut command = Command::new(program);
    command.args(["-n", "-f"]).arg(&file).stderr(Stdio::null());
    let peer = Peer::start(command);
    listening(port, LONG).await;
    Some(Server { _peer: peer, dir, port })
}

/// Another person, with a bare socket.
struct Person {
    lines: Lines<BufReader<OwnedReadHalf>>,
    out: OwnedWriteHalf,
}

impl Person {
    async fn new(port: u16, nick: &str) -> Self {
        let (reader, out) = TcpStream::connect(("127.0.0.1", port)).await.unwrap().into_split();
        let mut person = Self { lines: BufReader::new(reader).lines(), out };
        person.say(&format!("NICK {nick}\r\nUSER {nick} 0 * :{nick}")).await;
        person.until(" 376 ", " 422 ").await;
        person
    }

    async fn say(&mut self, line: &str) {
        self.out.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    }

    /// The next line that holds one of two texts.
    async fn until(&mut self, one: &str, other: &str) -> String {
        tokio::time::timeout(LONG, async {
            loop {
                let line = self.lines.next_line().await.unwrap().expect("the server closed");
                if let Some(token) = line.strip_prefix("PING ") {
                    self.out.write_all(format!("PONG {token}\r\n").as_bytes()).await.unwrap();
                }
                if line.contains(one) || line.contains(other) {
                    return line;
                }
            }
        })
        .await
        .expect("the line did not come")
    }

    async fn hears(&mut self, part: &str) -> String {
        self.until(part, part).await
    }
}

fn account(server: &Server, more: Value) -> Arc<dyn Adapter> {
    let mut section = json!({ "host": "127.0.0.1", "port": server.port, "tls": false, "nick": "ourbot", "channels": ["#room"] });
    section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    one(&json!({ "irc": section }), Path::new("/nowhere"))
}

fn run(adapter: &Arc<dyn Adapter>, door: &Arc<TestDoor>) -> JoinHandle<AdapterFailure> {
    let (adapter, door) = (Arc::clone(adapter), Arc::clone(door));
    tokio::spawn(async move { adapter.receive(&*door).await })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_with_a_real_server() {
    let Some(server) = server("").await else { return };
    let adapter = account(&server, json!({}));
    assert_eq!(soon(adapter.who()).await.unwrap().id, "ourbot");
    assert!(matches!(adapter.send(&to("#room"), &text("x")).await, Err(AdapterFailure::Unavailable { .. })));
    let door = Arc::new(TestDoor::default());
    let running = run(&adapter, &door);
    let own = door.next_that(|e| e.message.event == EventKind::Membership && e.message.from_me).await;
    assert_eq!(own.message.conversation.as_str(), "#room");

    let mut alice = Person::new(server.port, "alice").await;
    alice.say("JOIN #room").await;
    alice.hears(" 366 ").await;
    alice.say("PRIVMSG #room :ourbot: hello").await;
    let e = door.next_that(|e| e.message.event == EventKind::Message).await;
    assert_eq!((e.message.kind, e.message.mentions.bot), (ConversationKind::Group, Some(true)));
    assert!(e.message.sender.id.as_ref().unwrap().as_str().starts_with("alice!~alice@"));

    // A text that tries to be commands, and one that needs several lines.
    soon(adapter.send(&to("#room"), &text("**one**\r\nQUIT :gone\n\u{1}VERSION\u{1}"))).await.unwrap();
    assert!(alice.hears("PRIVMSG #room").await.ends_with(":one"));
    assert!(alice.hears("PRIVMSG #room").await.ends_with(":QUIT :gone"));
    assert!(alice.hears("PRIVMSG #room").await.ends_with(": VERSION"));
    let long = "word ".repeat(200);
    soon(adapter.send(&to("#room"), &text(&long))).await.unwrap();
    let mut got = 0;
    while got < 200 {
        let line = alice.hears("PRIVMSG #room").await;
        assert!(line.len() <= 510, "{}", line.len());
        got += line.matches("word").count();
    }
    assert_eq!(got, 200, "nothing was cut off by the server");

    alice.say("PRIVMSG ourbot :a word in private").await;
    let direct = door.next_that(|e| e.message.event == EventKind::Message).await;
    assert_eq!(direct.message.kind, ConversationKind::Direct);
    soon(adapter.send(&direct.reply, &text("yes?"))).await.unwrap();
    assert!(alice.hears("PRIVMSG alice").await.ends_with(":yes?"));

    let refused = soon(adapter.send(&to("#nowhere"), &text("x"))).await;
    assert!(matches!(refused, Err(AdapterFailure::Refused { .. })), "{refused:?}");
    for bad in ["alice", "#a,#b", "#a b", ""] {
        assert!(
            matches!(adapter.send(&to(bad), &text("x")).await, Err(AdapterFailure::Refused { .. })),
            "{bad}"
        );
    }
    assert!(!running.is_finished());
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_418_an_answer_does_not_go_to_whoever_took_the_nick() {
    let Some(server) = server("").await else { return };
    let adapter = account(&server, json!({}));
    let door = Arc::new(TestDoor::default());
    let running = run(&adapter, &door);
    door.next_that(|e| e.message.from_me).await;
    let mut alice = Person::new(server.port, "alice").await;
    alice.say("PRIVMSG ourbot :hello").await;
    let e = door.next_that(|e| e.message.event == EventKind::Message).await;
    alice.say("NICK alice_away").await;
    alice.hears("NICK").await;
    let gone = soon(adapter.send(&e.reply, &text("for alice alone"))).await;
    assert!(matches!(gone, Err(AdapterFailure::Refused { .. })), "{gone:?}");
    let mut mallory = Person::new(server.port, "mallory").await;
    mallory.say("NICK alice").await;
    mallory.hears("NICK").await;
    let other = soon(adapter.send(&e.reply, &text("for alice alone"))).await;
    assert!(
        matches!(&other, Err(AdapterFailure::Refused { why, .. }) if why.contains("somebody else")),
        "{other:?}"
    );
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_nick_a_password_and_a_server_that_ends() {
    let Some(server) = server("server-pw-1").await else { return };
    let wrong = account(&server, json!({ "password": "wrong-pw-2" })).who().await.unwrap_err();
    assert!(!wrong.to_string().contains("wrong-pw-2"), "{wrong}");
    assert!(
        matches!(wrong, AdapterFailure::Credential { .. } | AdapterFailure::Unavailable { .. }),
        "{wrong}"
    );
    let sasl =
        account(&server, json!({ "password": "server-pw-1", "saslPassword": "sasl-pw-3" })).who().await;
    assert!(matches!(&sasl, Err(AdapterFailure::Credential { .. })), "never in without it: {sasl:?}");
    let (first, second) = (
        account(&server, json!({ "password": "server-pw-1" })),
        account(&server, json!({ "password": "server-pw-1" })),
    );
    let (door, other) = (Arc::new(TestDoor::default()), Arc::new(TestDoor::default()));
    let running = run(&first, &door);
    door.next_that(|e| e.message.from_me).await;
    let second_running = run(&second, &other);
    other.next_that(|e| e.message.from_me).await;
    assert_eq!(second.who().await.unwrap().id, "ourbot_");
    second_running.abort();
    drop(server);
    let end = tokio::time::timeout(Duration::from_secs(20), running).await.unwrap().unwrap();
    assert!(matches!(end, AdapterFailure::Unavailable { .. }), "{end}");
    assert!(matches!(first.send(&to("#room"), &text("x")).await, Err(AdapterFailure::Unavailable { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_tls_is_believed_for_its_certificate_alone() {
    let Some(server) = server_with_tls().await else { return };
    let file = |name: &str| server.dir.path().join(name).display().to_string();
    let own =
        account(&server, json!({ "tls": true, "tlsCaFile": file("cert.pem"), "saslPassword": "sasl-pw-3" }));
    let refused = soon(own.who()).await;
    assert!(matches!(&refused, Err(AdapterFailure::Credential { .. })), "over TLS up to SASL: {refused:?}");
    let own = account(&server, json!({ "tls": true, "tlsCaFile": file("cert.pem") }));
    assert_eq!(soon(own.who()).await.unwrap().id, "ourbot");
    std::fs::write(file("other.pem"), certificate().0).unwrap();
    for other in [json!({ "tls": true, "tlsCaFile": file("other.pem") }), json!({ "tls": true })] {
        let e = soon(account(&server, other).who()).await.unwrap_err();
        assert!(matches!(&e, AdapterFailure::Unavailable { why, .. } if why.starts_with("TLS: ")), "{e}");
    }
}
