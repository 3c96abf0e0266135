//! The Mattermost adapter against a fake of the server: REST and WebSocket on loopback, each at a port of its own behind one address.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

#[path = "support/door.rs"]
mod door;
#[path = "support/fake_http.rs"]
mod fake_http;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use door::{TestDoor, one, soon, text, to};
use fake_http::{FakeHttp, Reply};
use oc_channels::adapter::{Adapter, AdapterFailure, Attachment, MediaKind, Outgoing, OutgoingFile};
use oc_policy::inbound::ConversationKind;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use futures_util::{SinkExt as _, StreamExt as _};

const TOKEN: &str = "made-up-mattermost-token";
const ROOM: &str = "chn0chn0chn0chn0chn0chn0ch";
const SLOW: &str = "slw0slw0slw0slw0slw0slw0sl";
const FILE: &str = "fil0fil0fil0fil0fil0fil0fi";
const ALICE: &str = "ali0ali0ali0ali0ali0ali0al";

async fn rest() -> FakeHttp {
    FakeHttp::start(|request| {
        Box::pin(async move {
            if request.header("authorization") != Some("Bearer made-up-mattermost-token") {
                let said = format!("Invalid session {}", request.header("authorization").unwrap_or_default());
                return Reply::Json(401, json!({ "message": said, "status_code": 401 }));
            }
            match request.path.as_str() {
                "/api/v4/users/me" => {
                    Reply::Json(200, json!({ "id": "bot0bot0bot0bot0bot0bot0bo", "username": "ourbot" }))
                }
                "/api/v4/posts" if request.json()["channel_id"] == SLOW => {
                    Reply::Bytes(429, vec![("Retry-After".to_owned(), "3".to_owned())], Vec::new())
                }
                "/api/v4/posts" => Reply::Json(201, json!({ "id": "P1" })),
                "/api/v4/files" => Reply::Json(201, json!({ "file_infos": [{ "id": FILE }] })),
                "/api/v4/users/me/typing" => Reply::Json(200, json!({})),
                path if path.ends_with(FILE) => Reply::Bytes(200, Vec::new(), vec![1; 50]),
                _ => Reply::Json(404, json!({ "message": "not found" })),
            }
        })
    })
    .await
}

/// One address for both: requests for the WebSocket come to the test, everything else is passed on to the fake of the REST API.
struct Front {
    port: u16,
    links: Mutex<mpsc::Receiver<(String, TcpStream)>>,
    _tasks: JoinSet<()>,
}

impl Front {
    async fn start(rest: &FakeHttp) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let behind = rest.root().replace("http://", "");
        let (give, links) = mpsc::channel(8);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let (give, behind) = (give.clone(), behind.clone());
                connections.spawn(async move {
                    let mut head = Vec::new();
                    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                        let mut piece = [0u8; 4096];
                        let n = stream.read(&mut piece).await.unwrap_or(0);
                        if n == 0 {
                            return;
                        }
                        head.extend_from_slice(&piece[..n]);
                    }
                    let text = String::from_utf8_lossy(&head).into_owned();
                    if text.contains("/api/v4/websocket") {
                        let _ = give.send((text, stream)).await;
                        return;
                    }
                    let mut inner = TcpStream::connect(behind).await.unwrap();
                    inner.write_all(&head).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut inner).await;
                });
            }
        });
        Self { port, links: Mutex::new(links), _tasks: tasks }
    }

    /// The next WebSocket, with the first line that asked for it.
    async fn link(&self) -> (String, WebSocketStream<TcpStream>) {
        let taking = async { self.links.lock().await.recv().await.unwrap() };
        let (head, mut stream) = tokio::time::timeout(door::LONG, taking).await.expect("nobody connected");
        let headers = head.lines().filter_map(|l| l.split_once(':'));
        let mut keys = headers.filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
        let key = keys.next().map(|(_, value)| value.trim().to_owned());
        let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.unwrap().as_bytes());
        let answer = format!(
            "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        let socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        (head.lines().next().unwrap().to_owned(), socket)
    }
}

async fn hear(socket: &mut WebSocketStream<TcpStream>) -> Value {
    let came = tokio::time::timeout(door::LONG, socket.next()).await.unwrap().unwrap().unwrap();
    serde_json::from_str(came.to_text().unwrap()).unwrap()
}

async fn say(socket: &mut WebSocketStream<TcpStream>, value: &Value) {
    socket.send(Message::text(value.to_string())).await.unwrap();
}

fn adapter(root: &str, token: &str) -> Arc<dyn Adapter> {
    one(&json!({ "mattermost": { "baseUrl": root, "botToken": token } }), Path::new("/nowhere"))
}

fn posted(seq: u64) -> Value {
    let post = json!({ "id": format!("p{seq}"), "channel_id": ROOM, "user_id": ALICE, "message": format!("text {seq}"), "create_at": 5 });
    json!({ "event": "posted", "seq": seq, "broadcast": { "channel_id": ROOM }, "data": { "channel_type": "D", "post": post.to_string() } })
}

#[tokio::test]
async fn a_lost_stream_is_taken_up_behind_the_last_event_that_was_taken() {
    let rest = rest().await;
    let front = Front::start(&rest).await;
    let bot = adapter(&format!("http://127.0.0.1:{}", front.port), TOKEN);
    let door = TestDoor::default();
    let service = async {
        let (head, mut link) = front.link().await;
        assert_eq!(head, "GET /api/v4/websocket HTTP/1.1");
        let sign = hear(&mut link).await;
        assert_eq!(
            (sign["action"].as_str(), sign["data"]["token"].as_str()),
            (Some("authentication_challenge"), Some(TOKEN))
        );
        say(&mut link, &json!({ "status": "OK", "seq_reply": 1 })).await;
        say(&mut link, &json!({ "event": "hello", "seq": 0, "data": { "connection_id": "c1" } })).await;
        say(&mut link, &posted(1)).await;
        let e = door.next().await;
        assert_eq!((e.message.kind, e.message.text.as_str()), (ConversationKind::Direct, "text 1"));
        say(&mut link, &json!({ "event": "typing", "seq": 2, "data": {}, "broadcast": {} })).await;
        // The third is missing.
        say(&mut link, &posted(4)).await;
        link
    };
    let (ended, _link) = soon(async { tokio::join!(bot.receive(&door), service) }).await;
    assert!(ended.to_string().contains("an event is missing"), "{ended}");
    assert!(door.is_empty());
    let again = async {
        let (head, mut link) = front.link().await;
        assert_eq!(head, "GET /api/v4/websocket?connection_id=c1&sequence_number=3 HTTP/1.1");
        hear(&mut link).await;
        say(&mut link, &posted(3)).await;
        say(&mut link, &posted(4)).await;
        assert_eq!((door.next().await.id, door.next().await.id), ("p3".to_owned(), "p4".to_owned()));
        link.close(None).await.unwrap();
    };
    let (ended, ()) = soon(async { tokio::join!(bot.receive(&door), again) }).await;
    assert!(matches!(ended, AdapterFailure::Unavailable { .. }), "{ended:?}");
    let anew = async {
        let (head, mut link) = front.link().await;
        assert!(head.contains("sequence_number=5"), "{head}");
        hear(&mut link).await;
        // The server has forgotten the stream.
        say(&mut link, &json!({ "event": "hello", "seq": 0, "data": { "connection_id": "c2" } })).await;
        say(&mut link, &posted(1)).await;
        assert_eq!(door.next().await.id, "p1");
        say(
            &mut link,
            &json!({ "status": "FAIL", "seq_reply": 1, "error": { "message": format!("bad {TOKEN}") } }),
        )
        .await;
        link
    };
    let (ended, _link) = soon(async { tokio::join!(bot.receive(&door), anew) }).await;
    assert!(matches!(&ended, AdapterFailure::Credential { why, .. } if why == "bad ***"), "{ended}");
    // Anything but the sign-in may go the next time.
    for reply in [json!(2), json!(null)] {
        let busy = async {
            let (_, mut link) = front.link().await;
            hear(&mut link).await;
            say(&mut link, &json!({ "status": "FAIL", "seq_reply": reply, "error": { "message": format!("busy {TOKEN}") } })).await;
            link
        };
        let (ended, _link) = soon(async { tokio::join!(bot.receive(&door), busy) }).await;
        assert!(matches!(&ended, AdapterFailure::Unavailable { why, .. } if why == "busy ***"), "{ended}");
    }
}

#[tokio::test]
async fn messages_go_out() {
    let rest = rest().await;
    let bot = adapter(&rest.root(), TOKEN);
    soon(bot.who()).await.unwrap();
    let limited = soon(bot.send(&to(SLOW), &text("x"))).await.unwrap_err();
    assert_eq!(limited, AdapterFailure::RateLimited { service: "Mattermost", after: Duration::from_secs(3) });
    let mut place = to(ROOM);
    place.thread = Some(ALICE.to_owned());
    let file = OutgoingFile {
        name: "a.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        bytes: b"bytes".to_vec(),
    };
    let out = Outgoing { text: "**hi** @all".to_owned(), buttons: Vec::new(), file: Some(file) };
    assert_eq!(soon(bot.send_keyed(&place, &out, "key-1")).await.unwrap().id.as_deref(), Some("P1"));
    let call = rest.calls("/posts").pop().unwrap().json();
    assert_eq!(
        (call["message"].as_str(), call["root_id"].as_str()),
        (Some("**hi** @\u{200b}all"), Some(ALICE))
    );
    assert_eq!(
        (call["file_ids"][0].as_str(), call["pending_post_id"].as_str()),
        (Some(FILE), Some("bot0bot0bot0bot0bot0bot0bo:key-1"))
    );
    bot.typing(&place).await;
    assert_eq!(rest.calls("/typing")[0].json()["parent_id"].as_str(), Some(ALICE));
    for bad in ["town-square", "", "../users/me"] {
        assert!(
            matches!(soon(bot.send(&to(bad), &text("x"))).await, Err(AdapterFailure::Refused { .. })),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn files_are_fetched_up_to_the_limit() {
    let rest = rest().await;
    let bot = adapter(&rest.root(), TOKEN);
    let named = |handle: &str| Attachment {
        kind: MediaKind::Document,
        name: None,
        media_type: None,
        bytes: None,
        handle: handle.to_owned(),
    };
    assert_eq!(soon(bot.fetch(&named(FILE), 50)).await.unwrap().len(), 50);
    assert!(matches!(soon(bot.fetch(&named(FILE), 49)).await, Err(AdapterFailure::Refused { .. })));
    assert!(matches!(soon(bot.fetch(&named("../users/me"), 49)).await, Err(AdapterFailure::Refused { .. })));
}

#[tokio::test]
async fn sp_011_a_refused_token_is_said_without_it() {
    let rest = rest().await;
    let said = soon(adapter(&rest.root(), "made-up-wrong-token").who()).await.unwrap_err().to_string();
    assert!(said.contains("channels.mattermost.botToken") && !said.contains("made-up-wrong"), "{said}");
}
