use std::sync::Arc;

use super::*;
use crate::adapter::{Destination, Event};
use oc_policy::inbound::{ConversationId, ConversationKind, Inbound, SenderId};
use oc_types::ChannelId;

fn item(entry: u64, sender: &str, at_ms: i64) -> Item {
    let conversation = ConversationId::new("room");
    let channel = ChannelId::parse("telegram").unwrap();
    let mut message = Inbound::new(channel, ConversationKind::Group, conversation.clone());
    message.sender.id = SenderId::new(sender);
    message.text = format!("text {entry}");
    let event = Event {
        id: entry.to_string(),
        message,
        reply: Destination { conversation, thread: None, reply_to: Some(entry.to_string()) },
        attachments: Vec::new(),
        quoted: None,
        payload: None,
    };
    Item { entry, event: Arc::new(event), at_ms, again: false }
}

fn settings(mode: QueueMode) -> LaneSettings {
    LaneSettings { mode, debounce_ms: 100, inbound_ms: 0, cap: 3, overflow: DropRule::Summarize }
}

fn turn(next: Next) -> Vec<u64> {
    match next {
        Next::Turn { items, .. } => items.iter().map(|i| i.entry).collect(),
        other => panic!("no turn: {other:?}"),
    }
}

#[test]
fn the_first_message_runs_at_once_and_the_backlog_waits_until_it_is_quiet() {
    let s = settings(QueueMode::Collect);
    let mut lane = Lane::default();
    lane.push(item(1, "a", 0), &s);
    assert_eq!(turn(lane.next(0, &s)), [1]);
    lane.push(item(2, "a", 10), &s);
    lane.push(item(3, "b", 50), &s);
    assert!(matches!(lane.next(60, &s), Next::Idle), "one turn at a time");
    lane.finished();
    assert!(matches!(lane.next(60, &s), Next::Wait(90)));
    assert_eq!(turn(lane.next(150, &s)), [2, 3]);
    lane.finished();
    assert!(matches!(lane.next(150, &s), Next::Idle));
}

#[test]
fn a_full_queue_or_a_clock_that_goes_back_does_not_wait() {
    let s = settings(QueueMode::Collect);
    let mut lane = Lane::default();
    lane.push(item(1, "a", 1000), &s);
    assert_eq!(turn(lane.next(1000, &s)), [1]);
    for e in 2..5 {
        lane.push(item(e, "a", 1000), &s);
    }
    lane.finished();
    assert_eq!(turn(lane.next(1000, &s)), [2, 3, 4]);
    lane.push(item(5, "a", 1000), &s);
    lane.finished();
    assert_eq!(turn(lane.next(5, &s)), [5]);
}

#[test]
fn sp_426_unknown_senders_are_never_the_same() {
    let (a, b) = (item(1, "", 0), item(2, "", 0));
    assert!(!a.same_sender(&b));
    assert!(item(1, "a", 0).same_sender(&item(2, "a", 0)));
    assert!(!item(1, "a", 0).same_sender(&item(2, "b", 0)));
}

#[test]
fn summaries_are_bounded_and_one_line() {
    let s = settings(QueueMode::Collect);
    let mut lane = Lane::default();
    for e in 0..100 {
        let mut i = item(e, "a", 0);
        Arc::make_mut(&mut i.event).message.text = format!("a\nb {}", "x".repeat(500));
        lane.push(i, &s);
    }
    assert_eq!(lane.len(), 3);
    let Next::Turn { summarized, .. } = lane.next(0, &s) else { panic!("no turn") };
    assert!(summarized.len() <= 20 && summarized.iter().all(|l| l.len() < 200 && !l.contains('\n')));
}
