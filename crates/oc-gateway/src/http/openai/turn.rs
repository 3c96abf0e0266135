//! A turn of an HTTP caller: carried out for as long as the caller is there and its credential counts; told whole, or in pieces.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use oc_agent::message::Usage;
use oc_agent::turn::{Event, NoSink, Sink};
use serde_json::Value;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, interval_at};

use super::shown::Shown;
use crate::assistant::outside::{Over, carry_out};
use crate::assistant::runs::{Run, Standing};
use crate::assistant::runtime::{Assistant, Conversation};
use crate::entrance::credential::Accepts;
use crate::server::state::{Gateway, now_ms, stopping};

/// How often it is looked whether the credential still counts.
const LOOK: Duration = Duration::from_secs(1);
/// How often a stream in which nothing is said shows that it lives.
const BEAT: Duration = Duration::from_secs(15);
/// Most pieces that wait for a caller who reads slowly.
const WAITING: usize = 4096;
/// What a caller hears about a turn that somebody stopped.
const STOPPED: &str = "the turn was stopped";

/// One of the two forms of an answer.
pub(super) trait Form: std::fmt::Debug + Send {
    /// What a stream begins with.
    fn opening(&mut self) -> String;
    /// A piece of text.
    fn piece(&mut self, text: &str) -> String;
    /// What a stream ends with: `text` is all that was said in it.
    fn closing(&mut self, text: &str, usage: &Usage) -> String;
    /// What a stream ends with that did not end well.
    fn failing(&mut self, text: &str, why: &str) -> String;
    /// The whole answer.
    fn whole(&self, text: &str, usage: &Usage) -> Value;
}

/// A turn that was asked for.
#[derive(Debug)]
pub(super) struct Turn {
    pub gateway: Arc<Gateway>,
    pub assistant: Arc<Assistant>,
    /// What the caller's credential was right for.
    pub accepts: Accepts,
    pub what: Conversation,
    pub run: watch::Sender<Run>,
    /// The run's id.
    pub id: String,
    pub form: Box<dyn Form>,
}

impl Turn {
    /// The whole answer, or why there is none. Dropping the future stops the turn.
    pub(super) async fn whole(self) -> Result<Value, String> {
        let redactor = self.gateway.gate.snapshot().redactor().clone();
        let (here, gone) = oneshot::channel::<()>();
        let (gateway, assistant, accepts, what, run, id) =
            (self.gateway, self.assistant, self.accepts, self.what, self.run, self.id);
        // A task of its own: what a turn came to is noted also when the caller has gone.
        let running = tokio::spawn(async move {
            let gone = async {
                let _ = gone.await;
            };
            let over =
                carry_out(&gateway, &assistant, what, &NoSink, given_up(&gateway, &accepts, gone)).await;
            assistant.runs().end_and_forget(&id, &run, over.standing.clone(), now_ms());
            over
        });
        let over = running.await.map_err(|_| "the turn was lost; the log says why".to_owned())?;
        drop(here);
        match over.standing {
            Standing::Ok { reply } => {
                let text = redactor.redact(&reply.unwrap_or_default());
                Ok(self.form.whole(&text, &over.usage))
            }
            Standing::Error { why } => Err(why),
            Standing::Aborted | Standing::Running => Err(STOPPED.to_owned()),
        }
    }

    /// The answer in pieces. Dropping the receiver stops the turn.
    pub(super) fn stream(mut self) -> mpsc::Receiver<Bytes> {
        let (out, pieces) = mpsc::channel(WAITING);
        let opening = self.form.opening();
        let redactor = self.gateway.gate.snapshot().redactor().clone();
        let text = Text { form: self.form, shown: Shown::new(redactor), told: String::new(), heard: false };
        let sink = Streamed { text: Mutex::new(text), out: out.clone(), lost: Notify::new() };
        sink.send(opening);
        let (gateway, assistant, accepts, what, run, id) =
            (self.gateway, self.assistant, self.accepts, self.what, self.run, self.id);
        tokio::spawn(async move {
            let gone = async {
                tokio::select! {
                    () = out.closed() => {}
                    () = sink.lost.notified() => {}
                }
            };
            let mut beat = interval_at(Instant::now() + BEAT, BEAT);
            let over = {
                let gone = given_up(&gateway, &accepts, gone);
                let mut turn = std::pin::pin!(carry_out(&gateway, &assistant, what, &sink, gone));
                loop {
                    tokio::select! {
                        over = &mut turn => break over,
                        _ = beat.tick() => sink.send(": still here\n\n".to_owned()),
                    }
                }
            };
            assistant.runs().end_and_forget(&id, &run, over.standing.clone(), now_ms());
            // A credential that counts no longer hears nothing more.
            if gateway.snapshot().settings.accepts.is_same(&accepts) {
                let last = sink.last(&over);
                let _ = out.send(last.into()).await;
            }
        });
        pieces
    }
}

/// Returns when nobody wants the turn any more: the caller has gone, its credential is one no longer (SP-350), the gateway ends.
async fn given_up(gateway: &Gateway, accepts: &Accepts, gone: impl Future<Output = ()> + Send) {
    let mut phase = gateway.phase();
    let taken_back = async {
        let mut look = interval_at(Instant::now() + LOOK, LOOK);
        while gateway.snapshot().settings.accepts.is_same(accepts) {
            look.tick().await;
        }
    };
    tokio::select! {
        () = gone => {}
        () = taken_back => {}
        () = stopping(&mut phase) => {}
    }
}

/// What is said in a stream.
#[derive(Debug)]
struct Text {
    form: Box<dyn Form>,
    shown: Shown,
    /// All that was shown.
    told: String,
    /// Whether the present answer has said something.
    heard: bool,
}

impl Text {
    fn tell(&mut self, text: &str) -> String {
        self.told.push_str(text);
        self.form.piece(text)
    }

    /// Takes a piece of the present answer; what of it is told now. Between two answers of a turn stands an empty line.
    fn hear(&mut self, piece: &str) -> Option<String> {
        let gap = if self.heard || self.told.is_empty() { "" } else { "\n\n" };
        self.heard = true;
        let shown = self.shown.more(&format!("{gap}{piece}"));
        shown.map(|shown| self.tell(&shown))
    }

    /// Ends the present answer; another one may follow.
    fn end_answer(&mut self) -> Option<String> {
        self.heard = false;
        let rest = self.shown.rest();
        rest.map(|text| self.tell(&text))
    }
}

#[derive(Debug)]
struct Streamed {
    text: Mutex<Text>,
    out: mpsc::Sender<Bytes>,
    /// The caller reads too slowly.
    lost: Notify,
}

impl Streamed {
    fn send(&self, text: String) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.out.try_send(text.into()) {
            self.lost.notify_one();
        }
    }

    fn last(&self, over: &Over) -> String {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let text = &mut *text;
        let mut out = String::new();
        match &over.standing {
            Standing::Ok { reply } => {
                if let (false, Some(reply)) = (text.heard, reply) {
                    out.extend(text.hear(reply));
                }
                out.extend(text.end_answer());
                out.push_str(&text.form.closing(&text.told, &over.usage));
            }
            Standing::Error { why } => {
                out.extend(text.end_answer());
                out.push_str(&text.form.failing(&text.told, why));
            }
            Standing::Aborted | Standing::Running => {
                out.extend(text.end_answer());
                out.push_str(&text.form.failing(&text.told, STOPPED));
            }
        }
        out
    }
}

impl Sink for Streamed {
    fn event(&self, event: Event) {
        let piece = {
            let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
            let text = &mut *text;
            match event {
                Event::Text(more) => text.hear(&more),
                Event::Restart => text.end_answer(),
                Event::Said(whole) => {
                    let late = if text.heard { None } else { text.hear(&whole) };
                    let rest = text.end_answer();
                    Some(late.into_iter().chain(rest).collect())
                }
                Event::Started
                | Event::Thinking(_)
                | Event::Calling { .. }
                | Event::Called { .. }
                | Event::Shortening => None,
            }
        };
        if let Some(piece) = piece.filter(|p| !p.is_empty()) {
            self.send(piece);
        }
    }
}
