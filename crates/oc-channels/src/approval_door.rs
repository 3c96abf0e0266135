//! Answers to approval requests that come from a chat: `/approve`, `/deny`, buttons. The queue behind the door belongs to the gateway.

use std::fmt;

use oc_policy::command::approve::{ApproveTarget, ApproveWord};
use oc_policy::inbound::{ConversationId, SenderId};
use oc_policy::session_key::SessionKey;
use oc_types::ChannelId;

use crate::adapter::Pending;
use crate::turn::Authority;

/// Through what it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// Typed.
    Text,
    /// A button that this product had minted for this person and request.
    Button,
}

/// Whether the channel's list of senders names people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SenderListing {
    /// It has entries and none is `*`.
    Listed,
    /// It is empty or has `*`: commands are open to all there, answers to approvals are not.
    Open,
}

/// An answer, with what the approver rules ask about (exec-approval 10, SP-200, SP-201, SP-413).
#[derive(Clone, Debug)]
pub struct ChatAnswer {
    /// The channel.
    pub channel: ChannelId,
    /// The account.
    pub account: String,
    /// Where it was said.
    pub conversation: ConversationId,
    /// The session of that conversation.
    pub session: SessionKey,
    /// Who says it: the service's own id.
    pub sender: SenderId,
    /// What they may do here.
    pub authority: Authority,
    /// The channel's list.
    pub listing: SenderListing,
    /// Id or code of the request, as typed.
    pub id: String,
    /// What was decided.
    pub decision: ApproveWord,
    /// Where it shall run.
    pub target: Option<ApproveTarget>,
    /// Through what.
    pub via: Via,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApprovalReply {
    /// It counts.
    Recorded {
        /// The request's code.
        code: String,
    },
    /// The same answer had been given before.
    Already {
        /// The request's code.
        code: String,
    },
    /// Another answer had been given before; it stands.
    Otherwise {
        /// The request's code.
        code: String,
        /// What stands, in words: `denied`, `allowed once` ...
        stands: String,
    },
    /// No waiting request has this code, or none that concerns this sender.
    Unknown,
    /// Several requests begin with these characters.
    Ambiguous,
    /// It was too late.
    Expired {
        /// The request's code.
        code: String,
    },
    /// The request leaves open where it runs: `host` or `sandbox` has to be said.
    NeedsTarget {
        /// The request's code.
        code: String,
    },
    /// This decision is not offered for the request.
    NotOffered {
        /// The request's code.
        code: String,
    },
    /// The sender may use commands but not answer here (no listed approver, an open channel).
    NotApprover,
    /// The sender may not even use commands: nothing is said (SP-200).
    Silent,
    /// Too many wrong codes of this sender; nothing was looked at.
    Muted,
    /// The queue cannot be used now.
    Unavailable,
}

/// Where answers go.
pub trait ApprovalDoor: fmt::Debug + Send + Sync {
    /// Checks the approver rules again at this moment, then answers the request.
    fn answer(&self, answer: ChatAnswer) -> Pending<'_, ApprovalReply>;
}
