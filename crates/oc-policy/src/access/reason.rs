//! Why a message does not reach an agent: stable words.

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $said:literal;)*) => {
        /// Why a message does not reach an agent.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $(#[doc = $said] $name,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable word.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// The same for a person.
            #[must_use]
            pub fn explained(self) -> &'static str {
                match self {
                    $(Self::$name => $said,)*
                }
            }
        }
    };
}

reasons! {
    ChannelDisabled = "channel_disabled", "the channel, account or room is switched off";
    EventUnknown = "event_unknown", "it is an event of an unknown kind";
    FromMe = "from_me", "the bot's own account sent it";
    BotMessage = "bot_message", "another bot sent it";
    DmDisabled = "dm_disabled", "direct messages are switched off";
    DmNotAllowlisted = "dm_not_allowlisted", "the sender is not on the direct-message list";
    DmPairingRequired = "dm_pairing_required", "the sender is not paired";
    DmHistorySuppressed = "dm_history_suppressed", "it was sent before the connection was made";
    GroupPolicyDisabled = "group_policy_disabled", "rooms are switched off";
    GroupAllowlistEmpty = "group_allowlist_empty", "the list of room senders is empty";
    GroupSenderNotAllowed = "group_sender_not_allowed", "the sender is not on the list of room senders";
    GroupSenderUnknown = "group_sender_unknown", "the message names no sender";
    GroupSenderOverrideBlocked = "group_sender_override_blocked", "the sender is not on this room's own list";
    GroupNotListed = "group_not_listed", "the room is not in the map of rooms, which is a list of allowed rooms once it has an entry";
    GroupDisabled = "group_disabled", "this room is switched off";
    TopicDisabled = "topic_disabled", "this topic is switched off";
    GuildNotListed = "guild_not_listed", "the server is not in the map of servers, which is a list of allowed servers once it has an entry";
    ChannelAllowlistEmpty = "channel_allowlist_empty", "no room is listed";
    ChannelNotListed = "channel_not_listed", "the room is not among the listed rooms";
    ChannelSenderNotAllowed = "channel_sender_not_allowed", "the sender is not on the list of this room or server";
    GroupDmDisabled = "group_dm_disabled", "group direct messages are switched off";
    GroupDmNotListed = "group_dm_not_listed", "this group direct message is not listed";
    MentionRequired = "mention_required", "a mention is required and there is none";
    CommandUnauthorized = "command_unauthorized", "the sender may not use commands here";
    ActivationNotOwner = "activation_not_owner", "only an owner may change the activation of a room";
    UnknownAgent = "unknown_agent", "the binding that fits names no agent that exists";
}
