//! A gateway of one's own on loopback, and bare clients of it.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use futures_util::{SinkExt as _, StreamExt as _};
use oc_config::{Environment, LoadRequest, Overrides, Reading};
use oc_gateway::server::run::{Running, start};
use oc_gateway::server::snapshot::Source;
use oc_gateway::server::state::Gateway;
use oc_gateway::settings::Flags;
use ring::digest;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, http};

/// The shared token of every gateway here.
pub const TOKEN: &str = "the-shared-token-of-the-tests";

/// `fixtures/`.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// Where a gateway listens on loopback, whoever runs it.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub port: u16,
}

/// A gateway that runs in this process.
pub struct World {
    pub home: tempfile::TempDir,
    pub gateway: Arc<Gateway>,
    place: Place,
    served: tokio::task::JoinHandle<()>,
}

impl std::ops::Deref for World {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.gateway.stop("test over", None);
        self.served.abort();
    }
}

impl World {
    /// Starts one on a free port.
    pub async fn start(config: Value) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), config).await
    }

    /// Starts one in a home that holds something already.
    pub async fn start_in(home: tempfile::TempDir, config: Value) -> Self {
        Self::with(home, config, false).await
    }

    /// Starts one with a log file of its own.
    pub async fn logged(config: Value) -> Self {
        Self::with(tempfile::tempdir().unwrap(), config, true).await
    }

    async fn with(home: tempfile::TempDir, mut config: Value, logged: bool) -> Self {
        if logged {
            config["logging"]["file"] = home.path().join("gateway.log").to_str().unwrap().into();
        }
        let state = home.path().join(".openclaw");
        std::fs::create_dir_all(&state).unwrap();
        write(&state.join("openclaw.json"), &config.to_string());
        let from = source(home.path());
        let log = logged.then(|| {
            let settings = oc_gateway::server::logging::settings(&from.load(), false);
            let (_, handle) = oc_gateway::log::Logger::new(settings, Box::new(std::io::sink()));
            write(&home.path().join("gateway.log"), "{\"0\":\"a line\"}\n");
            handle
        });
        let running = start(from, "test-host".to_owned(), log).await.unwrap();
        Self::of(home, running)
    }

    pub fn of(home: tempfile::TempDir, running: Running) -> Self {
        let gateway = Arc::clone(&running.gateway);
        let port = running.addresses.first().unwrap().port();
        let served = tokio::spawn(async move {
            running.until_stopped().await;
        });
        Self { home, gateway, place: Place { port }, served }
    }

    pub fn state_dir(&self) -> PathBuf {
        self.home.path().join(".openclaw")
    }

    /// Writes the configuration anew.
    pub fn configure(&self, config: &Value) {
        write(&self.state_dir().join("openclaw.json"), &config.to_string());
    }
}

impl Place {
    /// Opens a socket with these headers.
    pub async fn connect(&self, headers: &[(&str, &str)]) -> Socket {
        self.connect_at("/", headers).await
    }

    /// The same at another path.
    pub async fn connect_at(&self, path: &str, headers: &[(&str, &str)]) -> Socket {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let url = format!("ws://127.0.0.1:{}{path}", self.port);
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
        let (socket, _) =
            tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await.unwrap();
        Socket(socket)
    }

    /// The same without headers; `None`: no socket was given.
    pub async fn try_connect(&self) -> Option<Socket> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        let request = format!("ws://127.0.0.1:{}/", self.port).into_client_request().unwrap();
        let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
        let opened = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
        let opened = tokio::time::timeout(std::time::Duration::from_secs(60), opened).await.ok()?;
        opened.ok().map(|(socket, _)| Socket(socket))
    }

    /// A client that is in, as this device with these scopes.
    pub async fn admitted(&self, device: &Device, role: &str, scopes: &[&str]) -> (Socket, Value) {
        let (socket, answer) = self.knock(device, role, scopes, TOKEN, &[]).await;
        assert_eq!(answer["ok"], true, "{answer}");
        (socket, answer["payload"].clone())
    }

    /// One attempt to come in; the answer to `connect`.
    pub async fn knock(
        &self,
        device: &Device,
        role: &str,
        scopes: &[&str],
        token: &str,
        headers: &[(&str, &str)],
    ) -> (Socket, Value) {
        self.knock_with(device, role, scopes, token, headers, &json!({})).await
    }

    /// The same with the shared token and further parameters.
    pub async fn knock_as(
        &self,
        device: &Device,
        role: &str,
        scopes: &[&str],
        more: &Value,
    ) -> (Socket, Value) {
        self.knock_with(device, role, scopes, TOKEN, &[], more).await
    }

    async fn knock_with(
        &self,
        device: &Device,
        role: &str,
        scopes: &[&str],
        token: &str,
        headers: &[(&str, &str)],
        more: &Value,
    ) -> (Socket, Value) {
        let mut socket = self.connect(headers).await;
        let nonce = socket.json().await["payload"]["nonce"].as_str().unwrap().to_owned();
        let (id, mode) = if role == "node" { ("node-host", "node") } else { ("test", "test") };
        let mut params = json!({
            "minProtocol": 3, "maxProtocol": 3, "role": role, "scopes": scopes,
            "client": {"id": id, "version": "1", "platform": "linux", "mode": mode},
            "auth": {"token": token},
            "device": {"id": device.id, "publicKey": device.public, "nonce": nonce},
        });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        device.sign(&mut params, "v2", now_ms());
        let answer = socket.call("connect", params).await;
        (socket, answer)
    }

    /// One HTTP request over a connection of its own: status, head, body.
    pub async fn http(&self, text: &str) -> (u16, String, String) {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut all = Vec::new();
        let read = stream.read_to_end(&mut all);
        let _ = tokio::time::timeout(std::time::Duration::from_secs(15), read).await;
        let all = String::from_utf8_lossy(&all).into_owned();
        let (head, body) = all.split_once("\r\n\r\n").unwrap_or((&all, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        (status, head.to_owned(), body.to_owned())
    }
}

/// What a gateway in this home starts from.
pub fn source(home: &Path) -> Source {
    let environment = [
        ("HOME", home.to_str().unwrap()),
        ("PATH", "/usr/bin:/bin"),
        ("OPENCLAW_ALLOW_MULTI_GATEWAY", "1"),
        ("OPENCLAW_GATEWAY_TOKEN", TOKEN),
    ];
    let pairs = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Source {
        request: LoadRequest {
            environment: Environment::from_process(pairs),
            overrides: Overrides::default(),
            cwd: home.to_owned(),
            os_home: Some(home.to_owned()),
            reading: Reading::Product,
        },
        flags: Flags { any_port: true, ..Flags::default() },
    }
}

pub fn write(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    // As a careful writer does: the file is there whole, or not at all.
    let next = path.with_extension("next");
    std::fs::write(&next, text).unwrap();
    std::fs::set_permissions(&next, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::rename(next, path).unwrap();
}

pub fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap()
}

/// A frame that arrived.
#[derive(Debug)]
pub enum Frame {
    Json(Value),
    Closed(u16, String),
}

/// A bare client.
pub struct Socket(pub WebSocketStream<TcpStream>);

impl Socket {
    pub async fn next(&mut self) -> Frame {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Frame::Json(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Frame::Closed(frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(Message::Close(None))) => return Frame::Closed(1005, String::new()),
                Some(Ok(_)) => {}
                Some(Err(e)) => return Frame::Closed(1006, e.to_string()),
                None => return Frame::Closed(1006, String::new()),
            }
        }
    }

    /// The next text, not read; `None`: closed.
    pub async fn next_text(&mut self) -> Option<String> {
        loop {
            match self.0.next().await? {
                Ok(Message::Text(text)) => return Some(text.to_string()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    pub async fn json(&mut self) -> Value {
        match tokio::time::timeout(std::time::Duration::from_secs(15), self.next()).await {
            Ok(Frame::Json(value)) => value,
            other => panic!("no frame: {other:?}"),
        }
    }

    pub async fn send_text(&mut self, text: &str) {
        let _ = self.0.send(Message::text(text.to_owned())).await;
    }

    /// Sends a request and waits for its answer; events in between are passed over.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        let id = format!("{method}-{}", now_ms());
        self.send_text(&json!({"type": "req", "id": id, "method": method, "params": params}).to_string())
            .await;
        loop {
            let frame = self.json().await;
            if frame["id"] == id.as_str() {
                return frame;
            }
        }
    }

    /// Waits for an event.
    pub async fn event(&mut self, name: &str) -> Value {
        loop {
            let frame = self.json().await;
            if frame["event"] == name {
                return frame["payload"].clone();
            }
        }
    }

    /// Waits for the close; what arrives before is passed over.
    pub async fn closed(&mut self) -> (u16, String) {
        let all = async {
            loop {
                if let Frame::Closed(code, reason) = self.next().await {
                    return (code, reason);
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(15), all).await.expect("not closed")
    }

    pub async fn close(&mut self) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        let _ = self.0.close(Some(frame)).await;
    }
}

/// A device's key.
#[derive(Clone)]
pub struct Device {
    pub id: String,
    pub public: String,
    seed: [u8; 32],
}

impl Device {
    pub fn new(seed: u8) -> Self {
        let seed = [seed; 32];
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let key = pair.public_key().as_ref();
        Self {
            id: HEXLOWER.encode(digest::digest(&digest::SHA256, key).as_ref()),
            public: BASE64URL_NOPAD.encode(key),
            seed,
        }
    }

    /// Puts the signature over these parameters in.
    pub fn sign(&self, params: &mut Value, version: &str, at: u64) {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let scopes: Vec<String> =
            params["scopes"].as_array().map(|a| a.iter().map(text).collect()).unwrap_or_default();
        let role = params.get("role").and_then(Value::as_str).unwrap_or("operator").to_owned();
        let (client, device) = (&params["client"], &params["device"]);
        let mut payload = format!(
            "{version}|{}|{}|{}|{role}|{}|{at}|{}",
            self.id,
            text(&client["id"]),
            text(&client["mode"]),
            scopes.join(","),
            text(&params["auth"]["token"]),
        );
        if version == "v2" {
            payload.push('|');
            payload.push_str(&text(&device["nonce"]));
        }
        let pair = Ed25519KeyPair::from_seed_unchecked(&self.seed).unwrap();
        params["device"]["signature"] = BASE64URL_NOPAD.encode(pair.sign(payload.as_bytes()).as_ref()).into();
        params["device"]["signedAt"] = at.into();
    }
}

/// The devices of a recording, by number.
#[derive(Default)]
pub struct Keys(BTreeMap<String, Device>);

impl Keys {
    pub fn of(&mut self, number: &str) -> Device {
        let seed = number.parse::<u8>().unwrap_or(250);
        self.0.entry(number.to_owned()).or_insert_with(|| Device::new(seed.wrapping_add(1))).clone()
    }
}

/// Signs a recorded handshake the way its label says that it was signed.
pub fn sign_like(params: &mut Value, label: &str, nonce: &str, keys: &mut Keys, recorded: &Value) {
    let public = recorded["params"]["device"]["publicKey"].as_str().unwrap();
    let device = keys.of(public.trim_start_matches("<pubkey#").trim_end_matches('>'));
    let at = if label == "stale-signature" { now_ms() - 11 * 60_000 } else { now_ms() };
    let version = if recorded["params"]["device"].get("nonce").is_none() { "v1" } else { "v2" };
    if version == "v2" && label != "nonce-mismatch" {
        params["device"]["nonce"] = nonce.into();
    } else if label == "nonce-mismatch" {
        params["device"]["nonce"] = "another-sockets-nonce".into();
    }
    device.sign(params, version, at);
    if label == "bad-signature" {
        params["device"]["signature"] = BASE64URL_NOPAD.encode(&[7u8; 64]).into();
    }
}
