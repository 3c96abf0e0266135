//! The suite. A [`Subject`] turns a wish into the service's own bytes and reads them with the adapter's parser; the suite looks at what
//! comes out and at what the ingress does with it.

use oc_channels::adapter::{Event, Taken};
use oc_policy::inbound::{ConversationKind, EventKind};
use serde_json::json;

use super::doubles::{World, world};

/// What the service shall report.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub id: &'a str,
    /// Which delivery of the same event this is, from 0.
    pub delivery: usize,
    pub event: EventKind,
    /// [`ConversationKind::Unknown`]: the field that says so is missing.
    pub kind: ConversationKind,
    /// The room, or of a direct chat the other party.
    pub place: &'a str,
    pub sender: &'a str,
    pub text: &'a str,
}

/// An adapter under test.
pub trait Subject {
    fn channel(&self) -> &'static str;
    /// A plain id (`1`, `-1`) in the form of the service's ids.
    fn id(&self, plain: &str) -> String {
        plain.to_owned()
    }
    /// The event as the adapter reads it from the service's bytes; `None` when the service has no such event or the adapter drops it.
    fn event(&self, wanted: &Wanted<'_>) -> Option<Event>;
}

fn closed(subject: &dyn Subject) -> World {
    let (known, room) = (subject.id("1"), subject.id("-1"));
    world(json!({ "channels": { subject.channel(): {
        "dmPolicy": "allowlist", "allowFrom": [known], "dm": { "policy": "allowlist", "allowFrom": [known] },
        "groupPolicy": "allowlist", "groupAllowFrom": [known], "groups": { room: { "requireMention": false } } } } }))
}

/// What is wrong with an adapter; empty when nothing is.
pub async fn check(subject: &dyn Subject) -> Vec<String> {
    let mut wrong = Vec::new();
    kinds(subject, &mut wrong).await;
    identity(subject, &mut wrong);
    replay(subject, &mut wrong).await;
    unknown_kind(subject, &mut wrong).await;
    wrong
}

/// Every kind of event goes through the gate: of a stranger nothing has an effect, and a kind keeps its name.
async fn kinds(subject: &dyn Subject, wrong: &mut Vec<String>) {
    let w = closed(subject);
    for event in EventKind::ALL {
        for (kind, place) in [(ConversationKind::Direct, "666"), (ConversationKind::Group, "-1")] {
            let id = format!("{event:?}-{kind:?}");
            let wanted = Wanted { id: &id, delivery: 0, event, kind, place, sender: "666", text: "/stop" };
            let Some(e) = subject.event(&wanted) else { continue };
            if e.id.trim().is_empty() {
                wrong.push(format!("{id}: the event has no id"));
            }
            if e.message.event != event && event != EventKind::Unknown {
                wrong.push(format!("{id}: read as {:?}", e.message.event));
            }
            if event == EventKind::Unknown && e.message.event != EventKind::Unknown {
                wrong.push(format!("{id}: an unknown kind is read as {:?}", e.message.event));
            }
            if w.offer(e).await != Taken::Done {
                wrong.push(format!("{id}: a refused event is delivered again and again"));
            }
        }
    }
    let effects =
        w.service.sends.get() + w.service.fetches.get() + w.service.typings.get() + w.turns.begun.get();
    if effects > 0 {
        wrong.push(format!("a stranger had {effects} effects"));
    }
}

/// Sender, conversation and the place of the answer are what the service says.
fn identity(subject: &dyn Subject, wrong: &mut Vec<String>) {
    for (kind, place, sender) in [(ConversationKind::Direct, "1", "1"), (ConversationKind::Group, "-1", "2")]
    {
        let wanted =
            Wanted { id: "i", delivery: 0, event: EventKind::Message, kind, place, sender, text: "hello" };
        let Some(e) = subject.event(&wanted) else {
            wrong.push(format!("{kind:?}: there is no plain message"));
            continue;
        };
        if e.message.sender.id.as_ref().map(|id| id.as_str()) != Some(subject.id(sender).as_str()) {
            wrong.push(format!("{kind:?}: the sender is {:?}", e.message.sender.id));
        }
        if e.message.conversation.as_str() != subject.id(place) || e.message.kind != kind {
            wrong.push(format!(
                "{kind:?}: the conversation is {:?} {:?}",
                e.message.kind, e.message.conversation
            ));
        }
        if kind == ConversationKind::Group && e.reply.conversation != e.message.conversation {
            wrong.push(format!("{kind:?}: it is answered in {:?}", e.reply.conversation));
        }
        if e.message.text != "hello" {
            wrong.push(format!("{kind:?}: the text is {:?}", e.message.text));
        }
    }
}

/// The same event delivered twice is answered once.
async fn replay(subject: &dyn Subject, wrong: &mut Vec<String>) {
    let w = closed(subject);
    for delivery in 0..2 {
        let wanted = Wanted {
            id: "r",
            delivery,
            event: EventKind::Message,
            kind: ConversationKind::Direct,
            place: "1",
            sender: "1",
            text: "hello",
        };
        if let Some(e) = subject.event(&wanted) {
            w.offer(e).await;
        }
    }
    w.idle().await;
    if w.service.texts() != ["echo: hello"] {
        wrong.push(format!("a replayed event: {:?}", w.service.texts()));
    }
}

/// Where the service does not say what kind of conversation it is, the strictest rules count (SP-415).
async fn unknown_kind(subject: &dyn Subject, wrong: &mut Vec<String>) {
    let w = world(json!({ "channels": { subject.channel(): {
        "dmPolicy": "open", "allowFrom": ["*"], "dm": { "policy": "open", "allowFrom": ["*"] }, "groupPolicy": "disabled" } } }));
    let wanted = Wanted {
        id: "u",
        delivery: 0,
        event: EventKind::Message,
        kind: ConversationKind::Unknown,
        place: "1",
        sender: "1",
        text: "hello",
    };
    if let Some(e) = subject.event(&wanted) {
        w.offer(e).await;
    }
    if w.turns.begun.get() > 0 || w.ingress.inbox().waiting() > 0 {
        wrong.push("a conversation of unknown kind was let in by the rules of one kind alone".to_owned());
    }
}
