//! What fakes of chat services are made from: a server on loopback for requests, WebSockets and streams of events, and the notes it takes.
//!
//! They are fakes: each says what its service's documents say that it says, and understands nothing.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};

use crate::chat::LONG;

/// How long a wait for the other side is, before something else is looked at.
const SHORT: Duration = Duration::from_millis(20);

/// A request that came.
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, v)| v.as_str()).unwrap_or_default()
    }
}

/// What is answered.
pub enum Reply {
    Json(u16, Value),
    /// A stream of what [`Notes::tell`] is given.
    Events,
}

/// What the bot was told to be said, and what is to be told to it.
#[derive(Default)]
pub struct Notes {
    said: Mutex<VecDeque<String>>,
    came: Condvar,
    /// Buttons of the last message that had some: label and payload.
    buttons: Mutex<Vec<(String, String)>>,
    telling: Mutex<VecDeque<String>>,
    ready: Mutex<bool>,
    root: OnceLock<String>,
}

impl Notes {
    /// The bot said something.
    pub fn note(&self, text: &str) {
        self.said.lock().unwrap().extend(text.lines().map(str::to_owned));
        self.came.notify_all();
    }

    /// With buttons below it.
    pub fn note_buttons(&self, buttons: Vec<(String, String)>) {
        *self.buttons.lock().unwrap() = buttons;
    }

    /// The bot is there.
    pub fn is_ready(&self) {
        *self.ready.lock().unwrap() = true;
        self.came.notify_all();
    }

    /// `http://127.0.0.1:PORT`.
    pub fn root(&self) -> &str {
        self.root.get().unwrap()
    }

    fn next_telling(&self) -> Option<String> {
        // What is told before the bot is there would come too early.
        let ready = *self.ready.lock().unwrap();
        if ready { self.telling.lock().unwrap().pop_front() } else { None }
    }
}

/// How a service behaves.
pub struct Script {
    pub answer: fn(&Request, &Notes) -> Reply,
    /// What a new WebSocket says first.
    pub opened: fn() -> Vec<Value>,
    /// What it says to what it hears.
    pub heard: fn(&Value, &Notes) -> Vec<Value>,
}

impl Script {
    /// A service without WebSockets.
    pub fn requests(answer: fn(&Request, &Notes) -> Reply) -> Self {
        Self { answer, opened: Vec::new, heard: |_, _| Vec::new() }
    }
}

/// A running fake; it ends with the test's process.
pub struct FakeService {
    pub notes: Arc<Notes>,
}

impl FakeService {
    pub fn start(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let notes = Arc::new(Notes::default());
        notes.root.set(format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let (script, shared) = (Arc::new(script), Arc::clone(&notes));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, notes) = (Arc::clone(&script), Arc::clone(&shared));
                std::thread::spawn(move || serve(stream, &script, &notes));
            }
        });
        Self { notes }
    }

    pub fn root(&self) -> String {
        self.notes.root().to_owned()
    }

    /// Waits until the bot is there.
    pub fn wait(&self) {
        let ready = self.notes.ready.lock().unwrap();
        let (ready, _) = self.notes.came.wait_timeout_while(ready, LONG, |ready| !*ready).unwrap();
        assert!(*ready, "the bot did not come");
    }

    /// Tells the bot something, over its WebSocket or stream.
    pub fn tell(&self, frame: &Value) {
        self.notes.telling.lock().unwrap().push_back(frame.to_string());
    }

    /// What the bot said since the last call; waits a little.
    pub fn lines(&self) -> Vec<String> {
        let said = self.notes.said.lock().unwrap();
        let waited = self.notes.came.wait_timeout_while(said, Duration::from_millis(300), |s| s.is_empty());
        waited.unwrap().0.drain(..).collect()
    }

    /// The payload of a button of the last message that had some.
    pub fn button(&self, label: &str) -> String {
        let buttons = self.notes.buttons.lock().unwrap();
        let found = buttons.iter().find(|(l, _)| l.starts_with(label));
        found.unwrap_or_else(|| panic!("no button {label}: {buttons:?}")).1.clone()
    }
}

fn serve(stream: TcpStream, script: &Script, notes: &Notes) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    let Some(request) = read(&mut reader) else { return };
    if request.header("upgrade").eq_ignore_ascii_case("websocket") {
        let accept = derive_accept_key(request.header("sec-websocket-key").as_bytes());
        let head = format!(
            "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        if stream.write_all(head.as_bytes()).is_ok() {
            web_socket(stream, script, notes);
        }
        return;
    }
    match (script.answer)(&request, notes) {
        Reply::Json(status, value) => {
            let body = if value.is_null() { String::new() } else { value.to_string() };
            let head = format!(
                "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + &body).as_bytes());
        }
        Reply::Events => {
            let head = "HTTP/1.1 200 X\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n";
            let mut going = stream.write_all(head.as_bytes()).is_ok();
            notes.is_ready();
            while going {
                match notes.next_telling() {
                    Some(frame) => {
                        going =
                            stream.write_all(format!("event:receive\ndata:{frame}\n\n").as_bytes()).is_ok();
                    }
                    None => std::thread::sleep(SHORT),
                }
            }
        }
    }
}

fn web_socket(stream: TcpStream, script: &Script, notes: &Notes) {
    stream.set_read_timeout(Some(SHORT)).unwrap();
    let mut socket = WebSocket::from_raw_socket(stream, Role::Server, None);
    let mut out: VecDeque<String> = (script.opened)().iter().map(Value::to_string).collect();
    loop {
        while let Some(frame) = out.pop_front().or_else(|| notes.next_telling()) {
            if socket.send(Message::text(frame)).is_err() {
                return;
            }
        }
        match socket.read() {
            Ok(Message::Text(text)) => {
                let heard = serde_json::from_str(text.as_str()).unwrap();
                out.extend((script.heard)(&heard, notes).iter().map(Value::to_string));
            }
            Ok(_) => {}
            Err(Error::Io(e))
                if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut first = line.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
        match line.trim().split_once(':') {
            Some((name, value)) => headers.push((name.trim().to_owned(), value.trim().to_owned())),
            None => break,
        }
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut request =
        Request { method, path: path.to_owned(), query: query.to_owned(), headers, body: Vec::new() };
    request.body = vec![0; request.header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// Calls the gateway as a service does; status and body of the answer. HTTP/1.0: the answer ends with the connection.
pub fn call(port: u16, method: &str, target: &str, headers: &[(&str, String)], body: &str) -> (u16, String) {
    let mut head =
        format!("{method} {target} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
    (status.unwrap_or_else(|| panic!("no answer to {target}: {answer}")), body.to_owned())
}

/// Delivers an event to the gateway: until it is taken, as services do, and then once more, which has to change nothing.
pub fn deliver(port: u16, target: &str, headers: &[(&str, String)], body: &str) {
    let until = Instant::now() + LONG;
    loop {
        let (status, said) = call(port, "POST", target, headers, body);
        if status == 200 {
            break;
        }
        assert!(Instant::now() < until, "{target} is not taken: {status} {said}");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(call(port, "POST", target, headers, body).0, 200, "a replayed delivery is answered as before");
}

/// A call that proves nothing is refused. Until the account is there, nobody is; until it can tell, the service is to come again.
pub fn refused(port: u16, target: &str, headers: &[(&str, String)], body: &str) {
    let until = Instant::now() + LONG;
    let mut status = 404;
    while matches!(status, 404 | 503) && Instant::now() < until {
        status = call(port, "POST", target, headers, body).0;
    }
    assert_eq!(status, 401, "{target}");
}

/// Now, Unix milliseconds.
pub fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}
