//! The conversation: challenge, `connect`, four questions.

use futures_util::{SinkExt as _, StreamExt as _};
use oc_audit::facts::ProbeClose;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Target;

/// Largest message that is accepted from the gateway, in bytes. A gateway's own limit is far below.
const MAX_MESSAGE: usize = 8 * 1024 * 1024;
/// Longest text of the other side that an outcome quotes, in characters.
const MAX_QUOTED: usize = 160;
/// How long to wait for the close after a refusal.
const CLOSE_WAIT: std::time::Duration = std::time::Duration::from_millis(200);
/// What is asked after the handshake.
const QUESTIONS: [&str; 4] = ["health", "status", "system-presence", "config.get"];

/// How a probe ended. `error` is `None` when every question was answered.
pub(super) struct Ending {
    pub(super) error: Option<String>,
    pub(super) close: Option<ProbeClose>,
}

/// Speaks to a gateway over an open connection. The caller sets the deadline.
pub(super) async fn run(target: &Target, stream: TcpStream) -> Ending {
    let mut close = None;
    let error = match talk(target, stream, &mut close).await {
        Ok(()) => None,
        Err(why) => Some(quote(&why, target)),
    };
    if let Some(c) = &mut close {
        c.reason = quote(&c.reason, target);
    }
    Ending { error, close }
}

async fn talk(target: &Target, stream: TcpStream, close: &mut Option<ProbeClose>) -> Result<(), String> {
    let url = format!("ws://{}{}", target.authority(), target.path);
    let request = url.into_client_request().map_err(|e| format!("not an address: {e}"))?;
    let config =
        WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
    // A redirect is an error here: credentials go to the configured target and nowhere else.
    let (mut socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config))
        .await
        .map_err(|e| format!("no WebSocket: {e}"))?;
    loop {
        let frame = next(&mut socket, close).await?;
        if frame.get("type").and_then(Value::as_str) == Some("event")
            && frame.get("event").and_then(Value::as_str) == Some("connect.challenge")
        {
            break;
        }
    }
    send(
        &mut socket,
        &json!({"type": "req", "id": "connect", "method": "connect", "params": connect_params(target)}),
    )
    .await?;
    answer(&mut socket, close, &mut vec!["connect"]).await?;
    for method in QUESTIONS {
        send(&mut socket, &json!({"type": "req", "id": method, "method": method, "params": {}})).await?;
    }
    answer(&mut socket, close, &mut QUESTIONS.to_vec()).await?;
    let _ = socket.close(None).await;
    Ok(())
}

fn connect_params(target: &Target) -> Value {
    let mut auth = serde_json::Map::new();
    if let Some(token) = &target.credentials.token {
        auth.insert("token".to_owned(), token.expose().into());
    }
    if let Some(password) = &target.credentials.password {
        auth.insert("password".to_owned(), password.expose().into());
    }
    let mut params = json!({
        "minProtocol": 3,
        // A newer gateway that speaks 4 answers the same questions.
        "maxProtocol": 4,
        "client": {
            "id": "openclaw-probe",
            "version": env!("CARGO_PKG_VERSION"),
            "platform": std::env::consts::OS,
            "mode": "probe",
        },
        "role": "operator",
        // `config.get` is an administrator's method.
        "scopes": ["operator.admin"],
    });
    if let (false, Some(object)) = (auth.is_empty(), params.as_object_mut()) {
        object.insert("auth".to_owned(), Value::Object(auth));
    }
    params
}

async fn send(socket: &mut WebSocketStream<TcpStream>, frame: &Value) -> Result<(), String> {
    socket.send(Message::text(frame.to_string())).await.map_err(|e| ended(&e))
}

/// Waits for one successful answer to each of `ids`.
async fn answer(
    socket: &mut WebSocketStream<TcpStream>,
    close: &mut Option<ProbeClose>,
    ids: &mut Vec<&str>,
) -> Result<(), String> {
    while !ids.is_empty() {
        let frame = next(socket, close).await?;
        let (Some("res"), Some(id)) =
            (frame.get("type").and_then(Value::as_str), frame.get("id").and_then(Value::as_str))
        else {
            continue;
        };
        let Some(at) = ids.iter().position(|i| *i == id) else { continue };
        if frame.get("ok").and_then(Value::as_bool) != Some(true) {
            let part = |name| frame.pointer(name).and_then(Value::as_str).unwrap_or("");
            let why = format!("{id} refused: {} {}", part("/error/code"), part("/error/message"));
            // A refusal is followed by a close whose code says more; it is not waited for long.
            let _ =
                tokio::time::timeout(CLOSE_WAIT, async { while next(socket, close).await.is_ok() {} }).await;
            return Err(why.trim().to_owned());
        }
        ids.swap_remove(at);
    }
    Ok(())
}

/// The next JSON frame. Frames that are no JSON are passed over.
async fn next(
    socket: &mut WebSocketStream<TcpStream>,
    close: &mut Option<ProbeClose>,
) -> Result<Value, String> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                if let Ok(frame) = serde_json::from_str(&text) {
                    return Ok(frame);
                }
            }
            Some(Ok(Message::Close(frame))) => {
                let seen = match frame {
                    Some(f) => ProbeClose { code: f.code.into(), reason: f.reason.to_string() },
                    None => ProbeClose { code: 1005, reason: String::new() },
                };
                let text = format!("the gateway closed the connection ({}): {}", seen.code, seen.reason);
                *close = Some(seen);
                return Err(text.trim_end_matches([' ', ':']).to_owned());
            }
            Some(Ok(_)) => {}
            Some(Err(e)) => return Err(ended(&e)),
            None => return Err("the gateway ended the connection".to_owned()),
        }
    }
}

fn ended(e: &Error) -> String {
    format!("connection broken: {e}")
}

/// Text of the other side, fit to show: no control characters, bounded, and none of our credentials even if it echoes them.
fn quote(text: &str, target: &Target) -> String {
    let mut text = text.to_owned();
    for secret in [&target.credentials.token, &target.credentials.password].into_iter().flatten() {
        text = text.replace(secret.expose(), "***");
    }
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match clean.char_indices().nth(MAX_QUOTED) {
        Some((at, _)) => format!("{}...", clean.get(..at).unwrap_or_default()),
        None => clean,
    }
}
