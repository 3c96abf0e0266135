//! Offering an event that the door cannot take at once.

use std::time::Duration;

use crate::adapter::{Door, Event, Taken};

/// How often an event is offered that cannot be taken.
const OFFERS: u32 = 10;
/// The pause between.
const PAUSE: Duration = Duration::from_secs(1);

/// Offers an event until it is taken, a few times; [`Taken::Later`] when it was not. While it waits the caller reads nothing else, so the
/// service waits too.
pub(super) async fn offered(door: &dyn Door, event: Event) -> Taken {
    for _ in 0..OFFERS {
        match door.offer(event.clone()).await {
            Taken::Done => return Taken::Done,
            Taken::Later => tokio::time::sleep(PAUSE).await,
        }
    }
    Taken::Later
}

/// The same for a service that delivers nothing twice: one that is not taken in the end is lost, and the log says so.
pub(super) async fn offered_or_lost(door: &dyn Door, event: Event, service: &'static str, account: &str) {
    if offered(door, event).await == Taken::Later {
        tracing::warn!(service, account, "a message was lost: it could not be taken");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use oc_policy::inbound::{ConversationId, ConversationKind, Inbound};
    use oc_types::ChannelId;

    use super::*;
    use crate::adapter::{Destination, Pending};

    /// Takes nothing before it was asked so often.
    #[derive(Debug)]
    struct Slow {
        takes_at: u32,
        asked: AtomicU32,
    }

    impl Door for Slow {
        fn offer(&self, _: Event) -> Pending<'_, Taken> {
            let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            let taken = if asked >= self.takes_at { Taken::Done } else { Taken::Later };
            Box::pin(std::future::ready(taken))
        }
    }

    async fn offer_to(takes_at: u32) -> (Taken, u32, Duration) {
        let conversation = ConversationId::new("c");
        let channel = ChannelId::parse("irc").unwrap();
        let event = Event {
            id: "1".to_owned(),
            message: Inbound::new(channel, ConversationKind::Direct, conversation.clone()),
            reply: Destination { conversation, thread: None, reply_to: None },
            attachments: Vec::new(),
            quoted: None,
            payload: None,
        };
        let door = Slow { takes_at, asked: AtomicU32::new(0) };
        let began = tokio::time::Instant::now();
        let taken = offered(&door, event).await;
        (taken, door.asked.into_inner(), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_is_offered_again_with_pauses_and_not_for_ever() {
        assert_eq!(offer_to(1).await, (Taken::Done, 1, Duration::ZERO));
        assert_eq!(offer_to(3).await, (Taken::Done, 3, PAUSE * 2));
        assert_eq!(offer_to(OFFERS).await.0, Taken::Done);
        let (taken, asked, _) = offer_to(u32::MAX).await;
        assert_eq!((taken, asked), (Taken::Later, OFFERS));
    }
}
