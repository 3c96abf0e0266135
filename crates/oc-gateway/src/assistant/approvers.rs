//! Answers to approvals from a chat, into the one durable queue (exec-approval 10, SP-200 to SP-203).

use std::sync::Weak;

use oc_approval::approver::{Approvers, ChannelList, ChatSender, CommandRight, NoPermit, Ownership, Permit};
use oc_approval::life_cycle::{Answered, Decision, Kind, Refused, Target};
use oc_channels::adapter::Pending;
use oc_channels::approval_door::{ApprovalDoor, ApprovalReply, ChatAnswer, SenderListing, Via};
use oc_fs::approval_queue::QueueFailure;
use oc_policy::command::approve::{ApproveTarget, ApproveWord};
use oc_policy::command::gate::CommandGrant;
use oc_policy::owner_only;
use oc_types::{ChannelId, Node};

use crate::server::state::Gateway;

/// Ids that `channels.<channel>.execApprovals.approvers` names; the account's own list counts instead where it has one.
#[must_use]
pub fn approvers(config: &Node, channel: &ChannelId, account: &str) -> Option<Vec<String>> {
    let base = config.path(&["channels", channel.as_str()])?;
    let own = base.path(&["accounts", account, "execApprovals", "approvers"]);
    let list = own.or_else(|| base.path(&["execApprovals", "approvers"]))?;
    // What is there and no list names nobody.
    Some(list.entries().unwrap_or_default())
}

/// Who may press buttons: the listed approvers alone.
#[must_use]
pub fn pressers(config: &Node, channel: &ChannelId, account: &str) -> Vec<String> {
    approvers(config, channel, account).unwrap_or_default()
}

/// The door of a gateway's queue.
#[derive(Clone, Debug)]
pub struct QueueDoor {
    gateway: Weak<Gateway>,
}

impl QueueDoor {
    /// Over a gateway.
    #[must_use]
    pub fn new(gateway: Weak<Gateway>) -> Self {
        Self { gateway }
    }
}

impl ApprovalDoor for QueueDoor {
    fn answer(&self, answer: ChatAnswer) -> Pending<'_, ApprovalReply> {
        Box::pin(async move {
            let Some(gateway) = self.gateway.upgrade() else { return ApprovalReply::Unavailable };
            let config = gateway.snapshot();
            let (queue, changed) = (gateway.queue.clone(), gateway.queue_changed.clone());
            let answering = tokio::task::spawn_blocking(move || {
                let permit = match permit(&config.tree, &answer) {
                    Ok(permit) => permit,
                    Err(NoPermit::Unauthorised) => return ApprovalReply::Silent,
                    Err(NoPermit::OpenChannel | NoPermit::NotListed | NoPermit::Scope) => {
                        return ApprovalReply::NotApprover;
                    }
                };
                let decision = match answer.decision {
                    ApproveWord::AllowOnce => Decision::AllowOnce,
                    ApproveWord::AllowAlways => Decision::AllowAlways,
                    ApproveWord::Deny => Decision::Deny,
                };
                let target = answer.target.map(|t| match t {
                    ApproveTarget::Host => Target::Host,
                    ApproveTarget::Sandbox => Target::Sandbox,
                });
                reply(queue.answer(answer.id.trim(), decision, target, &permit), &answer.id)
            });
            let reply = answering.await.unwrap_or(ApprovalReply::Unavailable);
            changed.notify_one();
            reply
        })
    }
}

fn permit(config: &Node, answer: &ChatAnswer) -> Result<Permit, NoPermit> {
    let approvers = Approvers { exec: approvers(config, &answer.channel, &answer.account), plugin: None };
    if answer.via == Via::Button {
        return Permit::button(
            answer.channel.as_str(),
            answer.sender.as_str(),
            &approvers,
            Kind::Exec,
            &answer.id,
        );
    }
    let sender = ChatSender {
        channel: answer.channel.as_str(),
        id: answer.sender.as_str(),
        right: match answer.authority.commands {
            CommandGrant::Authorized => CommandRight::Authorised,
            CommandGrant::Refused => CommandRight::Unauthorised,
        },
        list: match answer.listing {
            SenderListing::Listed => ChannelList::Listed,
            SenderListing::Open => ChannelList::Open,
        },
        ownership: match answer.authority.owner {
            owner_only::Ownership::Proven => Ownership::Owner,
            owner_only::Ownership::NotProven => Ownership::Other,
        },
        approvers: &approvers,
    };
    Permit::chat(&sender, Kind::Exec)
}

fn reply(answered: Result<Answered, QueueFailure>, typed: &str) -> ApprovalReply {
    match answered {
        Ok(Answered::Now(record)) => ApprovalReply::Recorded { code: record.code },
        Ok(Answered::Already(record)) => ApprovalReply::Already { code: record.code },
        Err(QueueFailure::Refused(refused)) => match refused {
            Refused::Unknown => ApprovalReply::Unknown,
            Refused::Ambiguous => ApprovalReply::Ambiguous,
            Refused::Otherwise(stands) => ApprovalReply::Otherwise {
                code: typed.trim().to_owned(),
                stands: match stands.decision {
                    Decision::AllowOnce => "allowed once",
                    Decision::AllowAlways => "allowed always",
                    Decision::Deny => "denied",
                }
                .to_owned(),
            },
            Refused::Unavailable(_) => ApprovalReply::NotOffered { code: typed.trim().to_owned() },
            Refused::TargetMissing | Refused::Target(_) => {
                ApprovalReply::NeedsTarget { code: typed.trim().to_owned() }
            }
            Refused::Muted => ApprovalReply::Muted,
        },
        Err(_) => ApprovalReply::Unavailable,
    }
}
