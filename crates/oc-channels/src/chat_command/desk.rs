//! Carrying a command out: through the session's settings and the door of the approvals, nothing else.

use std::sync::Arc;

use oc_policy::access::{Admission, lists_people};
use oc_policy::command::approve::ApproveText;
use oc_policy::command::exec::ExecDirective;
use oc_policy::elevated::{ElevatedGate, Level, Sender as ElevatedSender, Turn as Origin, gate};
use oc_policy::inbound::{ConversationKind, Inbound};
use oc_policy::owner_only::Ownership;
use oc_types::Node;

use super::{Arg, ChatCommand, CommandRefusal, Standing, words};
use crate::approval_door::{ApprovalDoor, ApprovalReply, ChatAnswer, SenderListing, Via};
use crate::session_settings::{SessionSettings, SettingChange, SettingsFailure};
use crate::turn::Authority;

/// A command's sender and place, decided under one configuration.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The configuration.
    pub config: &'a Node,
    /// The message.
    pub message: &'a Inbound,
    /// Its admission.
    pub admission: &'a Admission,
    /// What its sender may do.
    pub authority: Authority,
}

impl Asker<'_> {
    /// Where and as whom.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing {
            authority: self.authority,
            room: self.admission.kind() != ConversationKind::Direct,
            named: self.admission.was_named() != Some(false),
        }
    }

    /// Whether the sender may elevate `exec` here. Names never count (SP-402).
    #[must_use]
    pub fn elevated(&self) -> ElevatedGate {
        let sender = &self.message.sender;
        let sender = ElevatedSender {
            id: sender.id.as_ref().map(|id| id.as_str()),
            e164: sender.phone.as_ref().map(|p| p.as_str()),
            from: Some(self.message.conversation.as_str()).filter(|f| !f.is_empty()),
            name: None,
            username: None,
            tag: None,
            conversation: self.message.kind,
        };
        let channel = self.message.channel.as_str();
        gate(self.config, self.admission.agent(), Some(channel), &sender, Origin::Person)
    }
}

/// What is to be done after a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// Nothing, and nothing is said.
    Silent,
    /// This is said.
    Say(String),
    /// The session's run is stopped and its queue cleared; what is said depends on whether something ran.
    Stop,
    /// The session was renewed; this is said, and the rest of the message is answered.
    Renewed {
        /// What is said when there is no rest.
        said: String,
        /// The first message of the new conversation.
        rest: String,
    },
}

/// Carries commands out.
#[derive(Clone, Debug)]
pub struct CommandDesk {
    settings: Arc<dyn SessionSettings>,
    approvals: Arc<dyn ApprovalDoor>,
}

impl CommandDesk {
    /// A desk.
    #[must_use]
    pub fn new(settings: Arc<dyn SessionSettings>, approvals: Arc<dyn ApprovalDoor>) -> Self {
        Self { settings, approvals }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Arc<dyn SessionSettings> {
        &self.settings
    }

    /// Checks the sender's right again (SP-413), then carries the command out.
    pub async fn carry_out(&self, command: &ChatCommand, asker: &Asker<'_>) -> Done {
        match command.permit(&asker.standing()) {
            Ok(()) => {}
            Err(CommandRefusal::Unauthorized) => return Done::Silent,
            Err(refusal) => return Done::Say(words::refused(refusal).to_owned()),
        }
        let session = asker.admission.session_key();
        match command {
            ChatCommand::Help => Done::Say(words::HELP.to_owned()),
            ChatCommand::Commands => Done::Say(words::COMMANDS.to_owned()),
            ChatCommand::Whoami => Done::Say(words::whoami(asker)),
            ChatCommand::Status => {
                let view = self.settings.view(session).await;
                let lines = self.settings.status(session).await;
                Done::Say(words::status(asker, &view, &lines))
            }
            ChatCommand::Approve(text) => self.approve(text, asker).await,
            ChatCommand::Stop => Done::Stop,
            ChatCommand::New { rest } => match self.settings.renew(session).await {
                Ok(()) => Done::Renewed { said: words::RENEWED.to_owned(), rest: rest.clone() },
                Err(why) => Done::Say(words::not_changed(&why)),
            },
            ChatCommand::Compact { wish } => match self.settings.compact(session, wish.clone()).await {
                Ok(said) => Done::Say(said),
                Err(why) => Done::Say(words::not_changed(&why)),
            },
            ChatCommand::Exec(directive) => self.exec(directive, asker).await,
            ChatCommand::Elevated(Arg::Set(level)) => self.elevated(*level, asker).await,
            ChatCommand::Elsewhere(name) => Done::Say(words::elsewhere(name)),
            ChatCommand::Activation(_)
            | ChatCommand::Send(_)
            | ChatCommand::Think(_)
            | ChatCommand::Verbose(_)
            | ChatCommand::Reasoning(_)
            | ChatCommand::Elevated(_)
            | ChatCommand::Model(_)
            | ChatCommand::Queue(_) => self.setting(command, asker).await,
        }
    }

    /// Answers a request through a button. The payload was checked before.
    pub async fn press(
        &self,
        asker: &Asker<'_>,
        id: &str,
        decision: oc_policy::command::approve::ApproveWord,
    ) -> Done {
        let text = ApproveText::Decision { id: id.to_owned(), decision, target: None };
        self.answer(&text, asker, Via::Button).await
    }

    async fn approve(&self, text: &ApproveText, asker: &Asker<'_>) -> Done {
        self.answer(text, asker, Via::Text).await
    }

    async fn answer(&self, text: &ApproveText, asker: &Asker<'_>, via: Via) -> Done {
        let ApproveText::Decision { id, decision, target } = text else {
            return Done::Say(words::APPROVE_USAGE.to_owned());
        };
        let message = asker.message;
        // Without an id of the service nobody is an approver.
        let Some(sender) = message.sender.id.clone() else { return Done::Silent };
        let listing = match lists_people(asker.config, message) {
            true => SenderListing::Listed,
            false => SenderListing::Open,
        };
        let answer = ChatAnswer {
            channel: message.channel.clone(),
            account: message.account.clone(),
            conversation: asker.admission.conversation().clone(),
            session: asker.admission.session_key().clone(),
            sender,
            authority: asker.authority,
            listing,
            id: id.clone(),
            decision: *decision,
            target: *target,
            via,
        };
        match self.approvals.answer(answer).await {
            ApprovalReply::Silent => Done::Silent,
            reply => Done::Say(words::approval(&reply, *decision)),
        }
    }

    async fn exec(&self, directive: &ExecDirective, asker: &Asker<'_>) -> Done {
        let session = asker.admission.session_key();
        if !directive.invalid.is_empty() {
            return Done::Say(words::exec_invalid(directive));
        }
        let empty = [&directive.host, &directive.security, &directive.ask, &directive.node];
        if empty.iter().all(|v| v.is_none()) {
            return Done::Say(words::exec_shown(&self.settings.view(session).await));
        }
        // A directive inside a text is taken out of it and does nothing: it never persists.
        match self.settings.change(session, SettingChange::Exec(directive.clone())).await {
            Ok(()) => Done::Say(words::exec_set(directive)),
            Err(why) => Done::Say(words::not_changed(&why)),
        }
    }

    async fn elevated(&self, level: Level, asker: &Asker<'_>) -> Done {
        let gate = asker.elevated();
        if level != Level::Off && !gate.is_allowed() {
            return Done::Say(words::elevated_refused(&gate));
        }
        let change = SettingChange::Elevated(level);
        match self.settings.change(asker.admission.session_key(), change).await {
            Ok(()) => Done::Say(words::elevated_set(level)),
            Err(why) => Done::Say(words::not_changed(&why)),
        }
    }

    async fn setting(&self, command: &ChatCommand, asker: &Asker<'_>) -> Done {
        let session = asker.admission.session_key();
        let change = match change_of(command) {
            Arg::Set(change) => change,
            Arg::Show => return Done::Say(words::shown(command, &self.settings.view(session).await)),
            Arg::Wrong(word) => return Done::Say(words::wrong(command, &word)),
        };
        match self.settings.change(session, change.clone()).await {
            Ok(()) => Done::Say(words::set(&change, asker.standing().room)),
            Err(why) => Done::Say(words::not_changed(&why)),
        }
    }
}

fn change_of(command: &ChatCommand) -> Arg<SettingChange> {
    fn map<T: Clone>(arg: &Arg<T>, make: impl Fn(T) -> SettingChange) -> Arg<SettingChange> {
        match arg {
            Arg::Show => Arg::Show,
            Arg::Set(value) => Arg::Set(make(value.clone())),
            Arg::Wrong(word) => Arg::Wrong(word.clone()),
        }
    }
    match command {
        ChatCommand::Activation(arg) => map(arg, SettingChange::MentionNeeded),
        ChatCommand::Send(arg) => map(arg, SettingChange::Send),
        ChatCommand::Think(arg) => map(arg, |v| SettingChange::Think(Some(v))),
        ChatCommand::Verbose(arg) => map(arg, SettingChange::Verbose),
        ChatCommand::Reasoning(arg) => map(arg, SettingChange::Reasoning),
        ChatCommand::Elevated(arg) => map(arg, SettingChange::Elevated),
        ChatCommand::Model(arg) => map(arg, SettingChange::Model),
        ChatCommand::Queue(arg) => map(arg, SettingChange::Queue),
        ChatCommand::Help
        | ChatCommand::Commands
        | ChatCommand::Whoami
        | ChatCommand::Status
        | ChatCommand::Approve(_)
        | ChatCommand::Stop
        | ChatCommand::New { .. }
        | ChatCommand::Compact { .. }
        | ChatCommand::Exec(_)
        | ChatCommand::Elsewhere(_) => Arg::Show,
    }
}

/// Whether the sender is an owner, for texts.
pub(super) fn is_owner(asker: &Asker<'_>) -> bool {
    asker.authority.owner == Ownership::Proven
}

/// Keeps the failure type in one place for the texts.
pub(super) type Failure = SettingsFailure;
