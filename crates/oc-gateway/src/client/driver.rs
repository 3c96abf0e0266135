//! The task that owns the socket: sends what is ordered, hands answers to those who wait, events to who reads.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use oc_types::Secret;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::Event;
use super::dial::Socket;
use super::failure::{Closed, Reason, quoted};
use super::handshake::{broken, refusal};

/// The close code of a client that heard nothing for two ticks.
const SILENT: u16 = 4000;

/// Which answer is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// The first.
    First,
    /// The one after `accepted`.
    Last,
}

/// Somebody who waits for an answer.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) method: String,
    pub(super) answered: Answered,
    pub(super) reply: oneshot::Sender<Result<Value, Reason>>,
}

/// What a client asks its connection to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Send a request.
    Call { id: String, frame: String, waiter: Waiter },
    /// Nobody waits for this id any more.
    Forget(String),
    /// Say goodbye.
    Close,
}

/// How the connection ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    reason: OnceLock<Reason>,
    missed: AtomicU64,
}

impl Ended {
    pub(super) fn reason(&self) -> Option<Reason> {
        self.reason.get().cloned()
    }

    pub(super) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

/// Runs until the connection or its owner ends. Whoever waits then gets the reason.
pub(super) async fn run(
    mut socket: Socket,
    mut orders: mpsc::Receiver<Order>,
    events: mpsc::Sender<Event>,
    ended: Arc<Ended>,
    masks: Vec<Secret>,
    tick: Duration,
) {
    let mut waiting: HashMap<String, Waiter> = HashMap::new();
    let patience = tick.saturating_mul(2);
    let mut heard = Instant::now();
    let reason = loop {
        tokio::select! {
            message = socket.next() => {
                heard = Instant::now();
                match message {
                    Some(Ok(Message::Text(text))) => {
                        if let Ok(frame) = serde_json::from_str::<Value>(&text) {
                            take(&frame, &mut waiting, &events, &ended, &masks);
                        }
                    }
                    Some(Ok(Message::Close(frame))) => {
                        break Reason::Closed(match frame {
                            Some(f) => Closed { code: f.code.into(), reason: quoted(&f.reason, &masks) },
                            None => Closed { code: 1005, reason: String::new() },
                        });
                    }
                    Some(Ok(_)) => {}
                    Some(Err(e)) => break broken(&e),
                    None => break Reason::Gone,
                }
            }
            order = orders.recv() => match order {
                Some(Order::Call { id, frame, waiter }) => {
                    waiting.insert(id, waiter);
                    if let Err(e) = socket.send(Message::text(frame)).await {
                        break broken(&e);
                    }
                }
                Some(Order::Forget(id)) => {
                    waiting.remove(&id);
                }
                Some(Order::Close) | None => {
                    let _ = socket.close(None).await;
                    break Reason::Gone;
                }
            },
            () = tokio::time::sleep_until(heard + patience) => {
                let frame = CloseFrame { code: SILENT.into(), reason: "tick timeout".into() };
                let _ = socket.close(Some(frame)).await;
                break Reason::Silent(u64::try_from(patience.as_millis()).unwrap_or(u64::MAX));
            }
        }
    };
    for (_, waiter) in waiting.drain() {
        let _ = waiter.reply.send(Err(reason.clone()));
    }
    let _ = ended.reason.set(reason);
}

/// One frame of the gateway.
fn take(
    frame: &Value,
    waiting: &mut HashMap<String, Waiter>,
    events: &mpsc::Sender<Event>,
    ended: &Ended,
    masks: &[Secret],
) {
    let text = |name: &str| frame.get(name).and_then(Value::as_str);
    match (text("type"), text("id"), text("event")) {
        (Some("res"), Some(id), _) => {
            let ok = frame.get("ok").and_then(Value::as_bool) == Some(true);
            let payload = || frame.get("payload").cloned().unwrap_or_default();
            let accepted = ok && frame.pointer("/payload/status").and_then(Value::as_str) == Some("accepted");
            if accepted && waiting.get(id).is_some_and(|w| w.answered == Answered::Last) {
                return;
            }
            let Some(waiter) = waiting.remove(id) else { return };
            let answer = if ok {
                Ok(payload())
            } else {
                Err(Reason::Method { method: waiter.method, refusal: refusal(frame, masks) })
            };
            let _ = waiter.reply.send(answer);
        }
        (Some("event"), _, Some(name)) => {
            let event = Event {
                name: name.to_owned(),
                payload: frame.get("payload").cloned().unwrap_or_default(),
                seq: frame.get("seq").and_then(Value::as_u64),
            };
            if let Err(mpsc::error::TrySendError::Full(_)) = events.try_send(event) {
                ended.missed.fetch_add(1, Ordering::Relaxed);
            }
        }
        _ => {}
    }
}
