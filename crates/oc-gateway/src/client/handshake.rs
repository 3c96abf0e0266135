//! Challenge, `connect`, `hello-ok`.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::dial::Socket;
use super::failure::{Closed, Reason, Refusal, quoted};
use super::identity::Identity;
use super::options::Profile;
use super::target::Credentials;
use oc_types::Secret;

/// How long to wait for the close after a refusal.
const CLOSE_WAIT: Duration = Duration::from_millis(200);
/// Time between ticks when the gateway does not say, in milliseconds.
const TICK_MS: u64 = crate::protocol::frame::TICK_MS;
/// The bounds of a tick that is believed, in milliseconds.
const TICK_BOUNDS: (u64, u64) = (1_000, 600_000);

/// What the gateway said when it took the client in.
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    /// The whole answer but the device token.
    pub payload: Value,
}

impl Hello {
    fn at(&self, pointer: &str) -> Option<&Value> {
        self.payload.pointer(pointer)
    }

    /// The gateway's version.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.at("/server/version").and_then(Value::as_str)
    }

    /// The id of this connection.
    #[must_use]
    pub fn connection(&self) -> Option<&str> {
        self.at("/server/connId").and_then(Value::as_str)
    }

    /// Whether a method is offered. Gateways that list none are believed to offer all.
    #[must_use]
    pub fn offers(&self, method: &str) -> bool {
        let listed = self.at("/features/methods").and_then(Value::as_array);
        listed.is_none_or(|all| all.iter().any(|m| m.as_str() == Some(method)))
    }

    /// Health, presence and versions at the time of the handshake.
    #[must_use]
    pub fn snapshot(&self) -> &Value {
        self.at("/snapshot").unwrap_or(&Value::Null)
    }

    /// The longest message that the gateway takes, in bytes. One that does not say takes as much as this product's.
    #[must_use]
    pub fn max_payload(&self) -> usize {
        let told =
            self.at("/policy/maxPayload").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        told.unwrap_or(crate::protocol::frame::MAX_FRAME)
    }

    /// The time after which a silent gateway counts as gone: two ticks.
    pub(super) fn tick(&self) -> Duration {
        let told = self.at("/policy/tickIntervalMs").and_then(Value::as_u64).unwrap_or(TICK_MS);
        Duration::from_millis(told.clamp(TICK_BOUNDS.0, TICK_BOUNDS.1))
    }
}

/// A device token that came with a `hello-ok`.
pub(super) struct Issued {
    pub(super) token: Secret,
    pub(super) role: String,
    pub(super) scopes: Vec<String>,
}

/// What is shown to the gateway in one attempt.
pub(super) struct Shown<'a> {
    pub(super) profile: &'a Profile,
    pub(super) identity: Option<&'a Identity>,
    pub(super) credentials: &'a Credentials,
    /// Milliseconds since 1970.
    pub(super) now_ms: u64,
}

/// Shakes hands on an open socket. The caller sets the deadline.
pub(super) async fn run(
    socket: &mut Socket,
    shown: &Shown<'_>,
    masks: &[Secret],
) -> Result<(Hello, Option<Issued>), Reason> {
    let nonce = challenge(socket, masks).await?;
    let params = params(shown, &nonce);
    let frame = json!({"type": "req", "id": "connect", "method": "connect", "params": params});
    socket.send(Message::text(frame.to_string())).await.map_err(|e| broken(&e))?;
    loop {
        let frame = next(socket, masks).await?;
        if frame.get("type").and_then(Value::as_str) != Some("res")
            || frame.get("id").and_then(Value::as_str) != Some("connect")
        {
            continue;
        }
        if frame.get("ok").and_then(Value::as_bool) != Some(true) {
            let refusal = refusal(&frame, masks);
            // The close that follows says more; it is not waited for long.
            let close = tokio::time::timeout(CLOSE_WAIT, async {
                loop {
                    match next(socket, masks).await {
                        Ok(_) => {}
                        Err(Reason::Closed(close)) => return Some(close),
                        Err(_) => return None,
                    }
                }
            });
            return Err(Reason::Refused { refusal, close: close.await.ok().flatten() });
        }
        let payload = frame.get("payload").cloned().unwrap_or_default();
        return accepted(payload, shown.profile);
    }
}

fn accepted(mut payload: Value, profile: &Profile) -> Result<(Hello, Option<Issued>), Reason> {
    let (oldest, newest) = profile.protocols;
    let spoken = payload.get("protocol").and_then(Value::as_u64);
    if !spoken.is_some_and(|v| (u64::from(oldest)..=u64::from(newest)).contains(&v)) {
        return Err(Reason::Protocol(format!("it answers in version {}", spoken.unwrap_or(0))));
    }
    // The token is for the store and for nobody else.
    let token = payload
        .get_mut("auth")
        .and_then(Value::as_object_mut)
        .and_then(|auth| auth.shift_remove("deviceToken"))
        .and_then(|t| t.as_str().map(|t| Secret::new(t.to_owned())))
        .filter(|t| !t.is_blank());
    let issued = token.map(|token| {
        let part = |name: &str| payload.pointer(name);
        Issued {
            token,
            role: part("/auth/role").and_then(Value::as_str).unwrap_or(profile.role.word()).to_owned(),
            scopes: part("/auth/scopes")
                .and_then(Value::as_array)
                .map(|s| s.iter().filter_map(|s| s.as_str().map(str::to_owned)).collect())
                .unwrap_or_default(),
        }
    });
    Ok((Hello { payload }, issued))
}

/// Waits for the challenge. The nonce is always signed, so no gateway is spoken to without one.
async fn challenge(socket: &mut Socket, masks: &[Secret]) -> Result<String, Reason> {
    loop {
        let frame = next(socket, masks).await?;
        let is = |name: &str, value: &str| frame.get(name).and_then(Value::as_str) == Some(value);
        if is("type", "event") && is("event", "connect.challenge") {
            let nonce = frame.pointer("/payload/nonce").and_then(Value::as_str).unwrap_or_default();
            if nonce.is_empty() || nonce.len() > 512 || nonce.contains('|') {
                return Err(Reason::Protocol("its challenge is not usable".to_owned()));
            }
            return Ok(nonce.to_owned());
        }
    }
}

fn params(shown: &Shown<'_>, nonce: &str) -> Value {
    let Shown { profile, identity, credentials, now_ms } = shown;
    let (oldest, newest) = profile.protocols;
    let mut client = Map::new();
    client.insert("id".to_owned(), profile.id.word().into());
    client.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());
    client.insert("platform".to_owned(), std::env::consts::OS.into());
    client.insert("mode".to_owned(), profile.mode.word().into());
    let mut params = Map::new();
    params.insert("minProtocol".to_owned(), oldest.into());
    params.insert("maxProtocol".to_owned(), newest.into());
    for (name, value) in &profile.more {
        match (name.as_str(), value) {
            ("client", Value::Object(members)) => client.extend(members.clone()),
            _ => {
                params.insert(name.clone(), value.clone());
            }
        }
    }
    params.insert("client".to_owned(), Value::Object(client));
    params.insert("role".to_owned(), profile.role.word().into());
    params.insert("scopes".to_owned(), profile.scopes.as_slice().into());
    let token = credentials.token.as_ref().map(Secret::expose);
    let mut auth = Map::new();
    if let Some(token) = token {
        auth.insert("token".to_owned(), token.into());
    }
    if let Some(password) = &credentials.password {
        auth.insert("password".to_owned(), password.expose().into());
    }
    if !auth.is_empty() {
        params.insert("auth".to_owned(), Value::Object(auth));
    }
    if let Some(identity) = identity {
        params
            .insert("device".to_owned(), identity.proof(profile, token.unwrap_or_default(), nonce, *now_ms));
    }
    Value::Object(params)
}

/// The error of a response.
pub(super) fn refusal(frame: &Value, masks: &[Secret]) -> Box<Refusal> {
    let error = frame.get("error");
    let text = |name: &str| error.and_then(|e| e.get(name)).and_then(Value::as_str).unwrap_or_default();
    Box::new(Refusal {
        code: quoted(text("code"), masks),
        message: quoted(text("message"), masks),
        details: error.and_then(|e| e.get("details")).cloned().unwrap_or_default(),
        retryable: error.and_then(|e| e.get("retryable")).and_then(Value::as_bool).unwrap_or(false),
    })
}

/// The next JSON frame. Frames that are no JSON are passed over.
pub(super) async fn next(socket: &mut Socket, masks: &[Secret]) -> Result<Value, Reason> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                if let Ok(frame) = serde_json::from_str(&text) {
                    return Ok(frame);
                }
            }
            Some(Ok(Message::Close(frame))) => {
                return Err(Reason::Closed(match frame {
                    Some(f) => Closed { code: f.code.into(), reason: quoted(&f.reason, masks) },
                    None => Closed { code: 1005, reason: String::new() },
                }));
            }
            Some(Ok(_)) => {}
            Some(Err(e)) => return Err(broken(&e)),
            None => return Err(Reason::Gone),
        }
    }
}

/// A broken connection.
pub(super) fn broken(e: &Error) -> Reason {
    Reason::Broken(quoted(&e.to_string(), &[]))
}
