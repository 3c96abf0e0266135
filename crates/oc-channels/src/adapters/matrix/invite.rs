//! Which invitations are followed.

use serde_json::Value;

use super::{has_sigil, is_room};
use crate::account::{AccountSettings, settings};
use crate::adapter::AdapterFailure;
use crate::json::Members as _;

/// `autoJoin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AutoJoin {
    /// None; also when the key is absent.
    Off,
    /// All.
    Always,
    /// Those to rooms in the list: ids and aliases; and those of people in it.
    Listed(Vec<String>),
}

impl AutoJoin {
    pub(super) fn from_settings(account: &AccountSettings<'_>) -> Result<Self, AdapterFailure> {
        match account.text("autoJoin")? {
            None | Some("off") => Ok(Self::Off),
            Some("always") => Ok(Self::Always),
            Some("allowlist") => Ok(Self::Listed(
                account.entries("autoJoinAllowlist").iter().map(|e| e.trim().to_owned()).collect(),
            )),
            Some(_) => {
                Err(settings(&account.get("autoJoin").1, "write `off`, `allowlist` or `always`".to_owned()))
            }
        }
    }

    /// Whether an invitation to a room is followed. `room` is the invitation as the stream gives it.
    pub(super) fn follows(&self, id: &str, room: &Value, own_id: &str) -> bool {
        if !is_room(id) {
            return false;
        }
        let listed = match self {
            Self::Off => return false,
            Self::Always => return true,
            Self::Listed(listed) => listed,
        };
        let state = || room.at("invite_state").items("events").iter();
        let alias = state()
            .find(|e| e.text("type") == Some("m.room.canonical_alias"))
            .and_then(|e| e.at("content").text("alias"));
        let inviter = inviter(room, own_id);
        listed.iter().any(|entry| {
            entry == "*"
                || entry == id
                || (has_sigil(entry, '#') && alias == Some(entry.as_str()))
                || (has_sigil(entry, '@') && inviter.is_some_and(|i| i.eq_ignore_ascii_case(entry)))
        })
    }
}

/// Who invited us.
pub(super) fn inviter<'a>(room: &'a Value, own_id: &str) -> Option<&'a str> {
    room.at("invite_state")
        .items("events")
        .iter()
        .find(|e| e.text("type") == Some("m.room.member") && e.text("state_key") == Some(own_id))
        .and_then(|e| e.text("sender"))
}
