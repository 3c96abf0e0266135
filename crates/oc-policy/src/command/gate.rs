//! The channel's command gate: does any configured list hold the sender? (channels 6, `command-gate.jsonl`)

use oc_types::Node;

/// One list that can authorise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authorizer {
    /// Whether the list is there and not empty.
    pub configured: bool,
    /// Whether it holds the sender.
    pub allowed: bool,
}

/// What counts when `commands.useAccessGroups` is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenOff {
    /// Everybody the channel admits.
    Allow,
    /// Nobody.
    Deny,
    /// Everybody when no list is configured, otherwise only those in a configured list.
    Configured,
}

/// Whether the sender may use commands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommandGrant {
    /// Yes.
    Authorized,
    /// No.
    Refused,
}

impl CommandGrant {
    /// `Authorized` for `true`.
    #[must_use]
    pub fn when(yes: bool) -> Self {
        if yes { Self::Authorized } else { Self::Refused }
    }

    /// The right of a turn that answers several messages at once: the least of theirs; none for no message (SP-426).
    pub fn least(grants: impl IntoIterator<Item = Self>) -> Self {
        let mut grants = grants.into_iter().peekable();
        Self::when(grants.peek().is_some() && grants.all(Self::is_authorized))
    }

    /// Whether commands may be used.
    #[must_use]
    pub fn is_authorized(self) -> bool {
        self == Self::Authorized
    }
}

/// `commands.useAccessGroups`, default on; anything but the literal `false` is on.
#[must_use]
pub fn uses_access_groups(config: &Node) -> bool {
    config.path(&["commands", "useAccessGroups"]).and_then(Node::as_bool) != Some(false)
}

/// Combines the lists. With access groups: some configured list must hold the sender. Without: see [`WhenOff`].
#[must_use]
pub fn command_grant(access_groups: bool, off: WhenOff, lists: &[Authorizer]) -> CommandGrant {
    let listed = lists.iter().any(|a| a.configured && a.allowed);
    CommandGrant::when(match (access_groups, off) {
        (true, _) => listed,
        (false, WhenOff::Allow) => true,
        (false, WhenOff::Deny) => false,
        (false, WhenOff::Configured) => listed || !lists.iter().any(|a| a.configured),
    })
}
