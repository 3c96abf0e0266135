//! The DevTools protocol over a pair of pipes: JSON texts that end with a NUL byte.
//!
//! The pipes are inherited by the browser and by nobody else, so there is no port that another process could find (SP-246).

pub(crate) mod method;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
    BufReader,
};
use tokio::sync::{Notify, mpsc, oneshot};

use method::Method;

/// Longest message of the browser that is read, in bytes; a longer one is left out.
const LARGEST: u64 = 64 * 1024 * 1024;
/// What is left out of one message at most, in bytes; a longer one ends the connection.
const LEFT_OUT: u64 = 1024 * 1024 * 1024;
/// Messages to the browser that wait at most.
const QUEUE: usize = 256;
/// How long an answer may take when nothing else is said.
pub(crate) const TIME: Duration = Duration::from_secs(15);

/// Why a request brought no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum CdpFailure {
    /// The browser is gone.
    #[error("the browser is gone")]
    Gone,
    /// No answer in time.
    #[error("the browser did not answer {0} in time")]
    Slow(&'static str),
    /// The browser refused.
    #[error("the browser refused {method}: {why}")]
    Refused {
        /// The method.
        method: &'static str,
        /// Its words, printable.
        why: String,
    },
    /// The answer has another form.
    #[error("the browser answered {0} in an unknown form")]
    Odd(&'static str),
}

/// Something that happened in the browser.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Its name.
    pub name: String,
    /// The session of the tab; `None` for the browser itself.
    pub session: Option<String>,
    /// What is said about it. Untrusted.
    pub params: Value,
}

/// A message without an answer that anybody waits for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    /// The session of the tab; `None` for the browser itself.
    pub session: Option<String>,
    /// The method.
    pub method: &'static str,
    /// Its parameters.
    pub params: Value,
}

/// The connection.
#[derive(Clone, Debug)]
pub(crate) struct Cdp {
    out: mpsc::Sender<Vec<u8>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    next: AtomicU64,
    waiting: Mutex<Waiting>,
    /// Woken when the connection is over.
    over: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    gone: bool,
    answers: HashMap<u64, oneshot::Sender<Result<Value, String>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Incoming {
    id: Option<u64>,
    result: Option<Value>,
    error: Option<Refusal>,
    method: Option<String>,
    #[serde(default)]
    params: Value,
    session_id: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

/// What carries the messages: to be run beside everything else, and dropped to end the connection.
pub(crate) struct Carrier<R, W> {
    from: R,
    to: W,
    queue: mpsc::Receiver<Vec<u8>>,
    cdp: Cdp,
}

impl Cdp {
    /// A connection over a reading and a writing end.
    pub fn new<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(from: R, to: W) -> (Self, Carrier<R, W>) {
        let (out, queue) = mpsc::channel(QUEUE);
        let cdp = Self { out, shared: Arc::default() };
        (cdp.clone(), Carrier { from, to, queue, cdp })
    }

    /// Asks, and waits for the answer.
    pub async fn call<M: Method>(&self, session: Option<&str>, method: &M) -> Result<M::Answer, CdpFailure> {
        self.call_within(session, method, TIME).await
    }

    /// The same with another time.
    pub async fn call_within<M: Method>(
        &self,
        session: Option<&str>,
        method: &M,
        time: Duration,
    ) -> Result<M::Answer, CdpFailure> {
        let params = serde_json::to_value(method).map_err(|_| CdpFailure::Odd(M::NAME))?;
        let (id, message) = self.message(session, M::NAME, &params);
        let (send, answer) = oneshot::channel();
        {
            let mut waiting = self.waiting();
            if waiting.gone {
                return Err(CdpFailure::Gone);
            }
            waiting.answers.insert(id, send);
        }
        let _forget = Forget { cdp: self, id };
        let exchange = async {
            self.out.send(message).await.map_err(|_| CdpFailure::Gone)?;
            answer.await.map_err(|_| CdpFailure::Gone)
        };
        match tokio::time::timeout(time, exchange).await {
            Err(_) => Err(CdpFailure::Slow(M::NAME)),
            Ok(Err(gone)) => Err(gone),
            Ok(Ok(Err(why))) => {
                Err(CdpFailure::Refused { method: M::NAME, why: oc_text::visible(&why, 200) })
            }
            Ok(Ok(Ok(result))) => M::Answer::deserialize(result).map_err(|_| CdpFailure::Odd(M::NAME)),
        }
    }

    /// Says something without waiting. When it does not fit into the queue, the browser is behind by hundreds of messages, and the connection
    /// ends: orders close tabs and stop downloads, and a browser that does not get one goes on unwatched.
    pub fn tell(&self, order: &Order) {
        let (_, message) = self.message(order.session.as_deref(), order.method, &order.params);
        if self.out.try_send(message).is_err() {
            self.gone();
        }
    }

    fn message(&self, session: Option<&str>, method: &str, params: &Value) -> (u64, Vec<u8>) {
        let id = self.shared.next.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let (Some(session), Some(message)) = (session, message.as_object_mut()) {
            message.insert("sessionId".to_owned(), session.into());
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        (id, bytes)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, bytes: &[u8]) -> Option<Event> {
        let incoming: Incoming = serde_json::from_slice(bytes).ok()?;
        if let Some(id) = incoming.id {
            let answer = match incoming.error {
                Some(refusal) => Err(refusal.message),
                None => Ok(incoming.result.unwrap_or_default()),
            };
            if let Some(waits) = self.waiting().answers.remove(&id) {
                let _ = waits.send(answer);
            }
            return None;
        }
        Some(Event { name: incoming.method?, session: incoming.session_id, params: incoming.params })
    }

    fn gone(&self) {
        let mut waiting = self.waiting();
        waiting.gone = true;
        waiting.answers.clear();
        self.shared.over.notify_one();
    }
}

/// A request that nobody waits for any more.
struct Forget<'a> {
    cdp: &'a Cdp,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.cdp.waiting().answers.remove(&self.id);
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Carrier<R, W> {
    /// Carries until one side ends, says something without an end, or does not hear any more. `on_event` must not wait.
    pub async fn run(self, on_event: impl Fn(&Cdp, &Event)) {
        let Self { from, mut to, mut queue, cdp } = self;
        let _over = Over(cdp.clone());
        let writing = async {
            while let Some(message) = queue.recv().await {
                if to.write_all(&message).await.is_err() || to.flush().await.is_err() {
                    return;
                }
            }
        };
        let reading = async {
            let mut from = BufReader::with_capacity(64 * 1024, from);
            let mut message = Vec::new();
            loop {
                message.clear();
                let read = (&mut from).take(LARGEST).read_until(0, &mut message).await;
                match (read, message.pop()) {
                    (Ok(_), Some(0)) => {}
                    // Somebody may wait for it in vain; the browser goes on.
                    (Ok(n), Some(_)) if u64::try_from(n).is_ok_and(|n| n >= LARGEST) => {
                        if !leave_out(&mut from, &mut message).await {
                            return;
                        }
                        continue;
                    }
                    (Ok(_) | Err(_), _) => return,
                }
                if let Some(event) = cdp.take(&message) {
                    on_event(&cdp, &event);
                }
                message.shrink_to(1024 * 1024);
            }
        };
        tokio::select! {
            () = writing => {}
            () = reading => {}
            () = cdp.shared.over.notified() => {}
        }
    }
}

/// Passes over the rest of a message; whether it has an end.
async fn leave_out(from: &mut (impl AsyncBufRead + Unpin), piece: &mut Vec<u8>) -> bool {
    let mut left = LEFT_OUT;
    loop {
        piece.clear();
        let read = (&mut *from).take(left.min(LARGEST)).read_until(0, piece).await;
        let Some(n) = read.ok().and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0) else { return false };
        if piece.last() == Some(&0) {
            return true;
        }
        left = left.saturating_sub(n);
    }
}

/// Whoever waits learns that the connection is over, also when its task is dropped.
struct Over(Cdp);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.gone();
    }
}
