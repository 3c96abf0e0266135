//! From an answer to the service, through the inbox: its text is on the disk before the first piece leaves.

use std::time::Duration;

use super::Core;
use crate::adapter::{AdapterFailure, Outgoing, Sent};
use crate::delivery::chunk::chunks;
use crate::delivery::{DeliveryFailure, is_silent};
use crate::inbox::{Answer, Ending, Piece, Route};
use crate::turn::Reply;

/// How long an answer is tried again while its service cannot be reached.
const PATIENCE: Duration = Duration::from_secs(3600);
/// First and longest pause of that.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));

impl Core {
    /// The messages that a reply becomes.
    pub(super) fn pieces(&self, route: &Route, reply: &Reply) -> Vec<Piece> {
        let limit = self.rules.load().chunk(&route.channel, &route.account);
        let mut pieces: Vec<Piece> =
            chunks(&reply.text, &limit).into_iter().map(|text| Piece { text, buttons: Vec::new() }).collect();
        let buttons =
            self.courier.adapter(&route.channel, &route.account).is_ok_and(|a| a.features().buttons);
        if buttons && let Some(last) = pieces.last_mut() {
            last.buttons.clone_from(&reply.buttons);
        }
        pieces
    }

    /// Sends something that answers no entry of the inbox. It is lost when the process ends before it is sent.
    pub(super) async fn say(
        &self,
        route: &Route,
        reply: &Reply,
        purpose: &str,
    ) -> Result<Vec<Sent>, DeliveryFailure> {
        if is_silent(&reply.text) && reply.files.is_empty() {
            return Ok(Vec::new());
        }
        let pieces = self.pieces(route, reply);
        let order = self.courier.order(route);
        let _turn = order.lock().await;
        let base = format!("{}-{purpose}-{}", self.instance, fresh());
        let mut sent = Vec::new();
        for (i, piece) in pieces.into_iter().enumerate() {
            let outgoing = Outgoing { text: piece.text, buttons: piece.buttons, file: None };
            sent.push(self.courier.send(&only_first(route, i), &outgoing, &format!("{base}-{i}")).await?);
        }
        for (i, file) in reply.files.iter().enumerate() {
            let outgoing = Outgoing { file: Some(file.clone()), ..Outgoing::default() };
            sent.push(self.courier.send(&only_first(route, 1), &outgoing, &format!("{base}-f{i}")).await?);
        }
        Ok(sent)
    }

    /// Answers entries of the inbox and closes them.
    pub(super) async fn answer(
        &self,
        entries: &[u64],
        route: &Route,
        reply: Reply,
        how: Ending,
        notice: bool,
    ) {
        if is_silent(&reply.text) {
            if !reply.files.is_empty() && self.say(route, &reply, "files").await.is_err() {
                self.inbox.done(entries, Ending::Undeliverable, self.now());
                return;
            }
            self.inbox.done(entries, if how == Ending::Answered { Ending::Silent } else { how }, self.now());
            return;
        }
        let pieces = self.pieces(route, &reply);
        let id = match self.inbox.answering(entries, route.clone(), pieces.clone(), notice).await {
            Ok(id) => id,
            Err(why) => {
                // Not on the disk, so not sent: the entries are still there and are answered by the next process.
                self.observer.failed(&why.to_string());
                return;
            }
        };
        let answer = Answer::new(id, entries.to_vec(), route.clone(), pieces, notice);
        if self.send_answer(&answer, how).await {
            let files = Reply { files: reply.files, ..Reply::default() };
            if let Err(why) = self.say(route, &files, "files").await {
                self.observer.failed(&format!("{} account {}: a file: {why}", route.channel, route.account));
            }
        }
    }

    /// Sends what is left of an answer, then closes its entries. `true` when everything was sent.
    pub(super) async fn send_answer(&self, answer: &Answer, how: Ending) -> bool {
        let route = &answer.route;
        let order = self.courier.order(route);
        let _turn = order.lock().await;
        for (i, piece) in answer.pieces.iter().enumerate().skip(answer.sent.len()) {
            let outgoing = Outgoing { text: piece.text.clone(), buttons: piece.buttons.clone(), file: None };
            match self.send_piece(answer.id, &only_first(route, i), i, &outgoing).await {
                Ok(sent) => self.inbox.sent(answer.id, i, sent.id),
                Err(DeliveryFailure::Journal) => return false,
                Err(why) => {
                    self.observer
                        .failed(&format!("{} account {}: an answer: {why}", route.channel, route.account));
                    self.inbox.done(&answer.entries, Ending::Undeliverable, self.now());
                    return false;
                }
            }
        }
        self.inbox.done(&answer.entries, how, self.now());
        true
    }

    async fn send_piece(
        &self,
        answer: u64,
        route: &Route,
        i: usize,
        outgoing: &Outgoing,
    ) -> Result<Sent, DeliveryFailure> {
        let key = format!("{}-{answer}-{i}", self.instance);
        let begun = tokio::time::Instant::now();
        let mut pause = PAUSES.0;
        loop {
            let keyed = self.courier.adapter(&route.channel, &route.account)?.knows_keys();
            if !keyed {
                self.inbox.sending(answer, i).await.map_err(|_| DeliveryFailure::Journal)?;
            }
            let failure = match self.courier.send(route, outgoing, &key).await {
                Ok(sent) => return Ok(sent),
                Err(failure) => failure,
            };
            let outage = matches!(
                failure,
                DeliveryFailure::Adapter(
                    AdapterFailure::Unavailable { .. } | AdapterFailure::RateLimited { .. }
                )
            );
            // Without keys a failure in the midst of sending may have arrived.
            let refused = matches!(failure, DeliveryFailure::Adapter(AdapterFailure::RateLimited { .. }));
            if !outage
                || !(keyed || refused || route.channel.as_str() != "discord")
                || begun.elapsed() > PATIENCE
            {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }
}

/// Only the first piece answers the message; the others follow it.
pub(super) fn only_first(route: &Route, piece: usize) -> Route {
    let mut route = route.clone();
    if piece > 0 {
        route.to.reply_to = None;
    }
    route
}

/// A number that this process did not give before.
fn fresh() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let at = u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or(0);
    at.wrapping_add(NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}
