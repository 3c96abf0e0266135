//! Who may answer (exec-approval 10; SP-200 to SP-203). A [`Permit`] comes from here alone, and an answer needs one.
//!
//! There is no permit for an agent, its tools, a node or a plugin: whoever asks cannot answer (SP-202).

#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::life_cycle::{Kind, Record};

/// The scope of gateway clients that may answer.
pub const SCOPE: &str = "operator.approvals";
/// The scope that includes it.
pub const ADMIN: &str = "operator.admin";

/// The right to answer, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    who: String,
    surface: Surface,
    kind: Option<Kind>,
    /// A button answers one request only.
    only: Option<String>,
    agents: Vec<String>,
    sessions: Vec<String>,
}

/// Through what somebody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// The command line of the user who owns the state directory.
    Terminal,
    /// An authenticated client of the gateway.
    Client,
    /// A message or button in a chat.
    Chat,
}

/// Whether the sender may use commands in that channel (allow list or pairing, `commands.useAccessGroups`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandRight {
    /// Yes.
    Authorised,
    /// No.
    Unauthorised,
}

/// Whether the channel's allow list admits only listed senders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelList {
    /// It has entries, and none of them is `*`.
    Listed,
    /// It is empty or has `*`: everybody may use commands there.
    Open,
}

/// What a sender of a chat is to the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// One of the owners.
    Owner,
    /// Somebody else.
    Other,
}

/// Explicit approvers, by what they approve. A list of one kind is never looked at for another (SP-200).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approvers {
    /// For commands: stable sender ids.
    pub exec: Option<Vec<String>>,
    /// For actions of plugins.
    pub plugin: Option<Vec<String>>,
}

impl Approvers {
    fn list(&self, kind: Kind) -> Option<&[String]> {
        match kind {
            Kind::Exec => self.exec.as_deref(),
            Kind::Plugin => self.plugin.as_deref(),
        }
    }
}

/// What is known about the sender of an answer in a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatSender<'a> {
    /// The channel, for example `telegram`.
    pub channel: &'a str,
    /// The id that the platform vouches for, never a display name.
    pub id: &'a str,
    /// Whether commands are open to this sender.
    pub right: CommandRight,
    /// The channel's allow list.
    pub list: ChannelList,
    /// Whether this is an owner.
    pub ownership: Ownership,
    /// Explicit approvers of the channel.
    pub approvers: &'a Approvers,
}

/// Why somebody may not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoPermit {
    /// Commands are not open to this sender; there is no reply (SP-200).
    #[error("the sender may not use commands here")]
    Unauthorised,
    /// The channel is open to all, which does not make everybody an approver.
    #[error("the channel is open to everybody, so only owners and listed approvers may answer")]
    OpenChannel,
    /// There is a list of approvers, and the sender is not on it (an empty list is nobody; SP-201).
    #[error("the sender is not on the list of approvers")]
    NotListed,
    /// The client lacks the scope.
    #[error("the client needs `operator.approvals` or `operator.admin`")]
    Scope,
}

impl Permit {
    /// The user at the terminal: whoever can write the state directory.
    #[must_use]
    pub fn terminal(user: &str) -> Self {
        Self::new(format!("terminal:{user}"), Surface::Terminal, None)
    }

    /// A client of the gateway.
    ///
    /// # Errors
    /// When it has neither scope.
    pub fn client(id: &str, scopes: &[&str]) -> Result<Self, NoPermit> {
        if scopes.contains(&SCOPE) || scopes.contains(&ADMIN) {
            Ok(Self::new(format!("client:{id}"), Surface::Client, None))
        } else {
            Err(NoPermit::Scope)
        }
    }

    /// A sender of `/approve` in a chat.
    ///
    /// # Errors
    /// See [`NoPermit`].
    pub fn chat(sender: &ChatSender<'_>, kind: Kind) -> Result<Self, NoPermit> {
        if sender.id.trim().is_empty() || sender.right == CommandRight::Unauthorised {
            return Err(NoPermit::Unauthorised);
        }
        match (sender.approvers.list(kind), sender.ownership) {
            // An explicit list says who; even an owner outside of it is not an approver.
            (Some(list), _) if list.iter().any(|l| l.trim() == sender.id) => {}
            (Some(_), _) => return Err(NoPermit::NotListed),
            (None, Ownership::Owner) => {}
            (None, Ownership::Other) if sender.list == ChannelList::Open => {
                return Err(NoPermit::OpenChannel);
            }
            (None, Ownership::Other) => {}
        }
        Ok(Self::new(format!("{}:{}", sender.channel, sender.id), Surface::Chat, Some(kind)))
    }

    /// A button under a prompt: it answers the one request whose id it carries, and only for listed approvers. `clicker` is the stable
    /// id at the time of the click (SP-203).
    ///
    /// # Errors
    /// When the clicker is not on the list of that kind.
    pub fn button(
        channel: &str,
        clicker: &str,
        approvers: &Approvers,
        kind: Kind,
        approval_id: &str,
    ) -> Result<Self, NoPermit> {
        let list = approvers.list(kind).unwrap_or_default();
        if clicker.trim().is_empty() || !list.iter().any(|l| l.trim() == clicker) {
            return Err(NoPermit::NotListed);
        }
        let mut permit = Self::new(format!("{channel}:{clicker}"), Surface::Chat, Some(kind));
        permit.only = Some(approval_id.to_owned());
        Ok(permit)
    }

    /// The same permit for requests of these agents and sessions only; an empty list does not narrow.
    #[must_use]
    pub fn within(mut self, agents: &[String], sessions: &[String]) -> Self {
        self.agents = agents.to_vec();
        self.sessions = sessions.to_vec();
        self
    }

    /// Who answers, for the record.
    #[must_use]
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Through what.
    #[must_use]
    pub fn surface(&self) -> Surface {
        self.surface
    }

    /// Whether a request concerns this permit. One that does not is answered like one that does not exist (SP-175).
    #[must_use]
    pub fn covers(&self, record: &Record) -> bool {
        self.kind.is_none_or(|k| k == record.kind)
            && self.only.as_deref().is_none_or(|id| id == record.id)
            && (self.agents.is_empty() || self.agents.iter().any(|a| a == record.request.agent()))
            && (self.sessions.is_empty() || self.sessions.iter().any(|s| s == record.request.session()))
    }

    fn new(who: String, surface: Surface, kind: Option<Kind>) -> Self {
        Self { who, surface, kind, only: None, agents: Vec::new(), sessions: Vec::new() }
    }
}
