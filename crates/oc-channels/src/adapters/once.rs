//! Offering events of services that deliver nothing twice.

use std::time::Duration;

use crate::adapter::{Door, Event, Taken};

/// How often an event is offered that cannot be taken.
const OFFERS: u32 = 10;
/// The pause between.
const PAUSE: Duration = Duration::from_secs(1);

/// Offers an event until it is taken; gives up in the end, and says so. While it waits nothing else is read, so the service waits too.
pub(super) async fn offer(door: &dyn Door, event: Event, service: &'static str, account: &str) {
    for _ in 0..OFFERS {
        match door.offer(event.clone()).await {
            Taken::Done => return,
            Taken::Later => tokio::time::sleep(PAUSE).await,
        }
    }
    tracing::warn!(service, account, "a message was lost: it could not be taken");
}
