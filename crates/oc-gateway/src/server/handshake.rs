//! From an open socket to a connection: challenge, `connect`, the decision, and what follows from it (gateway 4).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role as Side, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::attempt::Attempt;
use super::connection::{Connection, text_of};
use super::gated::{Gated, Opener};
use super::head::Head;
use super::outbox::{Ending, Outbox};
use super::session;
use super::slots::Slot;
use super::snapshot::Snapshot;
use super::state::{Gateway, Phase, now_ms};
use crate::devices::{Actor, Admission, Ask, Devices, Token, Wish};
use crate::entrance::admission::{self, Facts, Grant, Method, Refusal, Verdict};
use crate::entrance::peer::Caller;
use crate::entrance::tailscale;
use crate::entrance::throttle::Class;
use crate::protocol::connect::{Connect, Role};
use crate::protocol::frame::{
    self, Close, Code, Failure, MAX_FRAME, MAX_FRAME_BEFORE_AUTH, NotARequest, Outgoing,
};

/// Time from the open socket to the greeting.
const DEADLINE: Duration = Duration::from_secs(10);
/// Bytes of frame headers that come on top of a handshake's frame.
const FRAME_HEADS: usize = 1024;
/// Buffer of a connection for reading, in bytes: small, since most connections are idle.
const READ_BUFFER: usize = 2048;

/// The socket.
pub type Socket = WebSocketStream<Gated<TokioIo<Upgraded>>>;

/// Who calls, as the listener knows it.
#[derive(Debug)]
pub struct Arrival {
    /// The other end of the socket.
    pub remote: SocketAddr,
    /// The request's head.
    pub head: Head,
    /// The place among sockets without a credential.
    pub slot: Slot,
}

/// Serves one socket to its end.
pub async fn serve(gateway: Arc<Gateway>, upgraded: Upgraded, arrival: Arrival) {
    let (stream, opener) = Gated::new(TokioIo::new(upgraded), MAX_FRAME_BEFORE_AUTH + FRAME_HEADS);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(usize::MAX)
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME));
    let mut socket = WebSocketStream::from_raw_socket(stream, Side::Server, Some(config)).await;
    let Arrival { remote, head, slot } = arrival;
    // In a box of its own, which is given back: what a handshake needs is much, and most connections are idle.
    let greeting = Box::pin(greet(&gateway, &mut socket, &head, remote, &opener));
    let greeted = tokio::time::timeout(DEADLINE, greeting).await;
    let greeted = greeted.unwrap_or_else(|_| Err(Ending::now(Close::Policy, "handshake timeout")));
    drop(slot);
    drop(head);
    gateway.counters.handshake(greeted.is_ok());
    match greeted {
        Ok((connection, hello)) => {
            opener.open();
            session::drive(&gateway, &mut socket, &connection, hello).await;
        }
        Err(ending) => session::close(&mut socket, &ending).await,
    }
}

/// The conversation up to the greeting; the inner error is how the socket ends.
async fn greet(
    gateway: &Arc<Gateway>,
    socket: &mut Socket,
    head: &Head,
    remote: SocketAddr,
    opener: &Opener,
) -> Result<(Arc<Connection>, String), Ending> {
    let gone = || Ending::now(Close::Policy, "");
    let nonce = uuid::Uuid::new_v4().to_string();
    let challenge = Outgoing::Event {
        event: "connect.challenge".to_owned(),
        payload: Some(json!({ "nonce": nonce, "ts": now_ms() })),
        seq: None,
        state_version: None,
    };
    socket.send(Message::Text(text_of(&challenge))).await.map_err(|_| gone())?;
    let text = loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => break text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Err(Error::Capacity(_))) => return Err(Ending::now(Close::TooLarge, "frame too large")),
            Some(Err(_)) if opener.is_exhausted() => {
                return Err(Ending::now(Close::TooLarge, "frame too large"));
            }
            Some(Ok(Message::Binary(_))) => return Err(Ending::now(Close::Policy, "text frames only")),
            Some(Err(e)) => return Err(session::broken(&e).unwrap_or_else(gone)),
            Some(Ok(Message::Close(_) | Message::Frame(_))) | None => return Err(gone()),
        }
    };
    let snapshot = gateway.snapshot();
    let caller = head.caller(remote.ip(), &snapshot.settings.proxies, &snapshot.own);
    let request = match frame::read(&text) {
        Ok(request) if request.method == "connect" => request,
        Ok(request) => {
            let failure = Failure::new(Code::InvalidRequest, "the first request has to be connect");
            refuse(socket, &request.id, failure).await;
            return Err(Ending::after(Close::Policy, "the first request has to be connect"));
        }
        Err(NotARequest::NotJson | NotARequest::Shape { .. }) => {
            return Err(Ending::after(Close::Policy, "the first frame has to be a connect request"));
        }
    };
    drop(text);
    let (connect, role) = match Connect::read(request.params) {
        Ok(read) => read,
        Err(refused) => {
            note(&snapshot, caller, None, refused.cause);
            let reason = refused.failure.message.clone();
            let close = refused.close;
            refuse(socket, &request.id, refused.failure).await;
            return Err(Ending::after(close, reason));
        }
    };
    let door = Door { gateway, snapshot: &snapshot, head, remote: remote.ip(), caller, nonce: &nonce };
    let entered = match door.admit(&connect, role).await {
        Ok(grant) => door.enter(&connect, grant).await,
        Err(refusal) => Err(refusal),
    };
    match entered {
        Ok((connection, token)) => {
            super::arrive::announce(gateway, &snapshot, &connection, &connect);
            let hello = super::arrive::hello(gateway, &snapshot, &connection, token.as_ref()).await;
            Ok((connection, crate::methods::answer_of_text(&request.id, &hello)))
        }
        Err(refusal) => {
            note(&snapshot, caller, Some(&connect), refusal.cause);
            let reason = refusal.failure.message.clone();
            let close = refusal.close;
            refuse(socket, &request.id, refusal.failure).await;
            Err(Ending::after(close, reason))
        }
    }
}

async fn refuse(socket: &mut Socket, id: &str, failure: Failure) {
    let answer = Outgoing::answer(id, Err(failure));
    let _ = socket.send(Message::Text(text_of(&answer))).await;
}

/// One line for the log. What a peer says about itself is cut and made visible (SP-349).
fn note(snapshot: &Snapshot, caller: Caller, connect: Option<&Connect>, cause: &str) {
    let client = connect.map_or("unknown", |c| c.client.id.word());
    let mode = connect.map_or("unknown", |c| c.client.mode.word());
    let version = connect.map(|c| oc_text::visible(&c.client.version, 40)).unwrap_or_default();
    let remote = caller.address().map_or_else(|| "unknown".to_owned(), |a| a.to_string());
    tracing::warn!(
        target: "gateway/ws",
        remote, client, mode, version, reason = cause, generation = snapshot.generation,
        "connection refused"
    );
}

/// One attempt to come in.
struct Door<'a> {
    gateway: &'a Arc<Gateway>,
    snapshot: &'a Snapshot,
    head: &'a Head,
    remote: std::net::IpAddr,
    caller: Caller,
    nonce: &'a str,
}

impl Door<'_> {
    /// Decides, and carries the decision out: budget and pairing.
    async fn admit(&self, connect: &Connect, role: Role) -> Result<Grant, Box<Refusal>> {
        let page = self.head.origin.is_some();
        let tried = admission::tried(connect);
        let attempt = match tried {
            Some(class) => Some(self.begin(class, page).await?),
            None => None,
        };
        let tailnet_user = self.tailnet_user().await;
        // Nobody else's business is read for a caller that names no device.
        let devices = match connect.device.is_some().then(|| self.read_devices()) {
            None => Devices::default(),
            Some(reading) => match reading.await {
                Ok(devices) => devices,
                Err(refusal) => {
                    // Nothing was judged.
                    if let Some(attempt) = attempt {
                        attempt.no_guess();
                    }
                    return Err(refusal);
                }
            },
        };
        let facts = Facts {
            connect,
            role,
            caller: self.caller,
            host: self.head.host.as_deref(),
            origin: self.head.origin.as_deref(),
            origins: &self.snapshot.origins,
            break_glass: self.snapshot.break_glass(),
            accepts: &self.snapshot.settings.accepts,
            tailnet_user: tailnet_user.as_deref(),
            devices: &devices,
            challenge: self.nonce,
            now_ms: now_ms(),
        };
        let verdict = admission::decide(&facts);
        if let Some(attempt) = attempt {
            match &verdict {
                Verdict::Admit(_) | Verdict::Pair { .. } => attempt.right(),
                // Neither a wrong signature nor a foreign origin is a guess at the secret.
                Verdict::Refuse(r) if r.guessed.is_none() => attempt.no_guess(),
                Verdict::Refuse(_) => attempt.wrong().await,
            }
        }
        match verdict {
            Verdict::Refuse(refusal) => Err(Box::new(refusal)),
            Verdict::Admit(grant) => Ok(grant),
            Verdict::Pair { grant, why, silent } => {
                let request = self.ask(connect, &grant, silent).await?;
                if silent {
                    return Ok(grant);
                }
                let failure = Failure::new(Code::NotPaired, "pairing required")
                    .with_details(json!({ "requestId": request, "reason": why.word() }));
                Err(Box::new(Refusal { failure, close: Close::Policy, cause: why.word(), guessed: None }))
            }
        }
    }

    /// Takes an attempt out of the caller's budget.
    async fn begin(&self, class: Class, page: bool) -> Result<Attempt, Box<Refusal>> {
        Attempt::begin(self.gateway, class, self.caller, page).await.map_err(|ms| {
            let mut failure = Failure::new(
                Code::Unavailable,
                "too many wrong credentials from this address; try again later",
            )
            .with_details(json!({ "reason": "rate_limited" }));
            failure.retryable = Some(true);
            failure.retry_after_ms = Some(ms);
            Box::new(Refusal { failure, close: Close::Policy, cause: "rate-limited", guessed: None })
        })
    }

    /// The confirmed tailnet identity, where it counts at all.
    async fn tailnet_user(&self) -> Option<String> {
        if self.caller.is_local_direct() {
            return None;
        }
        let head = self.head;
        let headers = tailscale::Headers {
            forwarded_for: head.forwarded_for.as_deref(),
            forwarded_proto: head.forwarded_proto.as_deref(),
            forwarded_host: head.forwarded_host.as_deref(),
            login: head.tailscale_login.as_deref(),
            ..tailscale::Headers::default()
        };
        let allowed = self.snapshot.settings.tailscale.identity;
        let claim = tailscale::claim(tailscale::Surface::Handshake, allowed, self.remote, headers).ok()?;
        let whois = self.gateway.tailnet.whois(claim.address).await;
        match claim.confirm(whois) {
            Ok(identity) => Some(identity.login),
            Err(why) => {
                tracing::warn!(target: "gateway/ws", reason = why.word(), "a tailnet identity was not confirmed");
                None
            }
        }
    }

    async fn read_devices(&self) -> Result<Devices, Box<Refusal>> {
        let gateway = Arc::clone(self.gateway);
        blocking(move || gateway.devices.read().map_err(|e| e.to_string())).await
    }

    /// Notes the request of a device; a silent one is approved in the same step.
    async fn ask(&self, connect: &Connect, grant: &Grant, silent: bool) -> Result<String, Box<Refusal>> {
        let Some(device) = grant.device.clone() else { return Err(broken("no device to pair")) };
        let ask = Ask {
            device: device.clone(),
            role: grant.role,
            scopes: grant.scopes.clone(),
            display_name: connect.client.display_name.clone(),
            platform: connect.client.platform.clone(),
            client_id: connect.client.id.word().to_owned(),
            client_mode: connect.client.mode.word().to_owned(),
            commands: offered(connect, grant.role),
            remote_ip: self.caller.address().filter(|a| !a.is_loopback()).map(|a| a.to_string()),
            silent,
        };
        let token = fresh_token()?;
        let gateway = Arc::clone(self.gateway);
        let admin = Actor {
            scopes: crate::authority::Scopes::from_iter([crate::authority::Scope::Admin]),
            device: None,
        };
        let done = blocking(move || {
            let change = gateway.devices.change(|devices, now| {
                let new = uuid::Uuid::new_v4().to_string();
                let taken = devices.is_removed(&ask.device.id, ask.role);
                let (id, created) = devices.ask(ask, new, now)?;
                // Taken away since the list was read: a person is needed now.
                if silent && !taken {
                    devices.approve(&id, &admin, token, now)?;
                }
                let pending = devices.pending.get(&id).cloned();
                Ok::<_, crate::devices::DeviceError>((id, created, pending))
            });
            match change {
                Ok(Ok(done)) => Ok(done),
                Ok(Err(why)) => Err(why.to_string()),
                Err(failure) => Err(failure.to_string()),
            }
        })
        .await?;
        let (id, created, pending) = done;
        let registry = &self.gateway.registry;
        let weight = super::outbox::Weight::Needed;
        if silent {
            let resolved =
                json!({ "requestId": id, "deviceId": device.id, "decision": "approved", "ts": now_ms() });
            registry.broadcast("device.pair.resolved", resolved, weight, None);
        } else if let Some(pending) = pending.filter(|_| created) {
            registry.broadcast("device.pair.requested", pending.as_wire(), weight, None);
        }
        Ok(id)
    }

    /// The connection, in the list, and the device's token.
    ///
    /// It stands in the list before it is looked at once more whether what opened the door still does: whoever takes that away either finds
    /// the connection, and ends it, or did so earlier, and it is not let in (SP-067, SP-328).
    async fn enter(
        &self,
        connect: &Connect,
        grant: Grant,
    ) -> Result<(Arc<Connection>, Option<Token>), Box<Refusal>> {
        let connection = Arc::new(Connection {
            id: uuid::Uuid::new_v4().to_string(),
            number: self.gateway.registry.number(),
            role: grant.role,
            scopes: grant.scopes,
            device: grant.device,
            method: grant.method,
            caller: self.caller,
            caps: connect.caps.clone(),
            since_ms: now_ms(),
            outbox: Outbox::default(),
            running: std::sync::atomic::AtomicUsize::new(0),
            client: connect.client.clone(),
        });
        self.gateway.registry.insert(Arc::clone(&connection));
        let entered = match self.is_in_force(&connection) {
            Ok(()) => self.hand_out(connect, &connection).await,
            Err(refusal) => Err(refusal),
        };
        entered
            .map(|token| (Arc::clone(&connection), token))
            .inspect_err(|_| self.gateway.registry.remove(connection.number))
    }

    /// Whether the reading under which it was decided is still the one in force, as far as it let this caller in.
    fn is_in_force(&self, connection: &Connection) -> Result<(), Box<Refusal>> {
        if *self.gateway.phase().borrow() != Phase::Running {
            let failure = Failure::new(Code::Unavailable, "the gateway stops or starts anew");
            return Err(Box::new(Refusal {
                failure,
                close: Close::Restart,
                cause: "stopping",
                guessed: None,
            }));
        }
        let now = self.gateway.snapshot();
        let same = now.settings.accepts.is_same(&self.snapshot.settings.accepts);
        if same || !connection.method.is_shared() { Ok(()) } else { Err(admission::taken_back()) }
    }

    /// The device's token for its role: the live one, or a new one. Under the lock of the store it is checked that the device still has what
    /// it came in with; a token that was taken back buys no new one.
    async fn hand_out(
        &self,
        connect: &Connect,
        connection: &Connection,
    ) -> Result<Option<Token>, Box<Refusal>> {
        let Some(device) = connection.device.clone() else { return Ok(None) };
        let fresh = fresh_token()?;
        let gateway = Arc::clone(self.gateway);
        let (role, scopes, method) = (connection.role, connection.scopes.clone(), connection.method);
        let (shown, commands) = (connect.auth.clone(), offered(connect, role));
        let handed = blocking(move || {
            let change = gateway.devices.change(|devices, now| {
                let wish = Wish { device: &device, role, scopes: &scopes };
                let stands = devices.admit(&wish) == Admission::Admit
                    && (method != Method::DeviceToken
                        || admission::opens_as_device(devices, &wish, shown.as_ref()));
                if !stands {
                    return None;
                }
                if let Some(commands) = commands {
                    devices.pin(&device.id, commands);
                }
                devices.hand_out(&device.id, role, fresh, now)
            });
            change.map_err(|e| e.to_string())
        })
        .await?;
        handed.map(Some).ok_or_else(admission::taken_back)
    }
}

/// What a node offers, sorted; `None` for the other role.
fn offered(connect: &Connect, role: Role) -> Option<Vec<String>> {
    (role == Role::Node).then(|| {
        let all: std::collections::BTreeSet<&String> = connect.commands.iter().collect();
        all.into_iter().cloned().collect()
    })
}

fn fresh_token() -> Result<String, Box<Refusal>> {
    oc_fs::random::token_hex(16).map(|s| s.expose().to_owned()).map_err(|e| broken(&e.to_string()))
}

/// Runs a step on files off the reactor; a failure is an answer that lets nobody in.
async fn blocking<T: Send + 'static>(
    step: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, Box<Refusal>> {
    match tokio::task::spawn_blocking(step).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(why)) => Err(broken(&why)),
        Err(why) => Err(broken(&why.to_string())),
    }
}

/// The gateway's own trouble: the log says what, the caller only that it was not let in.
fn broken(why: &str) -> Box<Refusal> {
    tracing::error!(target: "gateway/ws", why, "the device store cannot be used");
    let failure = Failure::new(Code::Unavailable, "the gateway cannot check devices now; its log says why");
    Box::new(Refusal { failure, close: Close::Policy, cause: "device-store", guessed: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a socket keeps while it is idle, beside its buffers: one large step of its life would be room in every connection.
    #[test]
    fn a_connection_is_small() {
        fn size<A, B, C, F: Future>(_: impl Fn(A, B, C) -> F) -> usize {
            size_of::<F>()
        }
        let size = size(serve);
        assert!(size <= 2048, "{size}");
    }
}
