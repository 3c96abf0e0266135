//! What every adapter has to pass: the suite (`conformance/suite.rs`), here over the fake one and over broken twins of it.
//!
//! For an adapter of a real service: include `conformance/suite.rs` by path and give [`suite::Subject`]s made by its own parser.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

#[path = "conformance/doubles.rs"]
mod doubles;
#[path = "conformance/suite.rs"]
mod suite;

use oc_channels::adapter::Event;
use oc_policy::inbound::{ConversationKind, EventKind};

/// The fake service's parser: it makes what the doubles make.
struct Fake {
    /// A defect that the suite has to find.
    broken: Option<&'static str>,
}

impl suite::Subject for Fake {
    fn channel(&self) -> &'static str {
        "telegram"
    }
    fn event(&self, wanted: &suite::Wanted<'_>) -> Option<Event> {
        let mut e =
            doubles::event("telegram", wanted.kind, wanted.id, wanted.place, wanted.sender, wanted.text);
        e.message.event = wanted.event;
        match self.broken {
            Some("blank id") => e.id.clear(),
            Some("one kind") => e.message.event = EventKind::Message,
            Some("direct by default") if wanted.kind == ConversationKind::Unknown => {
                e.message.kind = ConversationKind::Direct;
            }
            Some("sender from the room") => {
                e.message.sender.id = oc_policy::inbound::SenderId::new(wanted.place)
            }
            Some("answers elsewhere") => {
                e.reply.conversation = oc_policy::inbound::ConversationId::new("elsewhere")
            }
            Some("new id each time") => e.id = format!("{}-{}", wanted.id, wanted.delivery),
            _ => {}
        }
        Some(e)
    }
}

#[tokio::test]
async fn the_fake_adapter_passes() {
    assert_eq!(suite::check(&Fake { broken: None }).await, Vec::<String>::new());
}

#[tokio::test]
async fn each_broken_twin_is_found() {
    for broken in [
        "blank id",
        "one kind",
        "direct by default",
        "sender from the room",
        "answers elsewhere",
        "new id each time",
    ] {
        let found = suite::check(&Fake { broken: Some(broken) }).await;
        assert!(!found.is_empty(), "{broken} was not found");
    }
}
