//! What answers to approvals and quoted texts need to know about the lists of senders.

use oc_types::Node;

use super::direct::dm_keys;
use super::identity::Family;
use super::sender_list::SenderList;
use super::settings::{Setting, Settings};
use super::{Decision, Outcome};
use crate::inbound::{ConversationKind, Inbound};

/// Whether the channel's lists name people: the list of the conversation's kind has entries and none is `*`. An open or empty list lets
/// everybody use commands, which makes nobody an approver (exec-approval 10).
#[must_use]
pub fn lists_people(config: &Node, message: &Inbound) -> bool {
    let settings = Settings::of(config, &message.channel, &message.account);
    let family = Family::of(&message.channel);
    let direct = dm_keys(&settings, family).list;
    let list = match message.kind {
        ConversationKind::Direct => direct,
        ConversationKind::Group | ConversationKind::Channel | ConversationKind::Unknown => {
            let own = settings.get("groupAllowFrom");
            if own.is_set() { own } else { direct }
        }
    };
    names_only_people(&list, family)
}

fn names_only_people(list: &Setting<'_>, family: Family) -> bool {
    let list = SenderList::of(list, family);
    !list.is_empty() && !list.has_everybody()
}

/// Whether a decision lets its message's text be heard: admitted, or kept as context of a room.
#[must_use]
pub fn may_be_heard(decision: &Decision) -> bool {
    matches!(decision.outcome, Outcome::Allow(_) | Outcome::ContextOnly(_))
}
