//! What a button carries: a random word that stands for a record kept here, bound to the conversation, the person, the purpose, and a time
//! (SP-424). A payload says nothing by itself, works once, and is forgotten with the process; then the command is typed.

use std::collections::{HashMap, VecDeque};

use oc_policy::command::approve::ApproveWord;
use oc_policy::inbound::{ConversationId, SenderId};
use oc_types::ChannelId;
use thiserror::Error;

#[cfg(test)]
mod tests;

/// Most payloads at a time; the oldest go.
pub const MOST: usize = 2048;
/// How they begin.
const PREFIX: &str = "oc1-";

/// What a button does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Answers an approval request.
    Approval {
        /// The request's id.
        id: String,
        /// The answer.
        decision: ApproveWord,
    },
}

/// Where a button stands and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The channel.
    pub channel: ChannelId,
    /// The account.
    pub account: String,
    /// The conversation.
    pub conversation: ConversationId,
    /// The people who may press it.
    pub users: Vec<SenderId>,
}

impl Bound {
    fn fits(
        &self,
        channel: &ChannelId,
        account: &str,
        conversation: &ConversationId,
        user: Option<&SenderId>,
    ) -> bool {
        let place = self.channel == *channel && self.account == account && self.conversation == *conversation;
        place && user.is_some_and(|u| self.users.contains(u))
    }
}

/// Why a payload does nothing. All are answered alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotRedeemed {
    /// It was never made here, or was used, or is forgotten.
    #[error("the button is not known")]
    Unknown,
    /// It is too late.
    #[error("the button has expired")]
    Expired,
    /// It was made for another conversation or person. It stays for those.
    #[error("the button belongs to somebody else")]
    Foreign,
}

#[derive(Clone, Debug)]
struct Made {
    bound: Bound,
    purpose: Purpose,
    until_ms: i64,
    /// Buttons of one prompt go together.
    prompt: u64,
}

/// The payloads that are out.
#[derive(Clone, Debug, Default)]
pub struct Mint {
    out: HashMap<String, Made>,
    order: VecDeque<String>,
    prompts: u64,
}

impl Mint {
    /// Makes payloads for the buttons of one prompt. `random` gives 16 bytes of a cryptographic generator each time; `None` of it: no
    /// buttons.
    pub fn issue(
        &mut self,
        bound: &Bound,
        purposes: &[Purpose],
        until_ms: i64,
        random: &mut dyn FnMut() -> Option<[u8; 16]>,
    ) -> Option<Vec<String>> {
        self.prompts += 1;
        let mut made = Vec::new();
        for purpose in purposes {
            let word: String = random()?.iter().map(|b| format!("{b:02x}")).collect();
            let payload = format!("{PREFIX}{word}");
            let record =
                Made { bound: bound.clone(), purpose: purpose.clone(), until_ms, prompt: self.prompts };
            self.out.insert(payload.clone(), record);
            self.order.push_back(payload.clone());
            made.push(payload);
        }
        while self.order.len() > MOST {
            if let Some(oldest) = self.order.pop_front() {
                self.out.remove(&oldest);
            }
        }
        Some(made)
    }

    /// Whether this person may press this button here. Changes nothing.
    #[must_use]
    pub fn knows(
        &self,
        payload: &str,
        (channel, account, conversation): (&ChannelId, &str, &ConversationId),
        user: Option<&SenderId>,
    ) -> bool {
        self.out.get(payload).is_some_and(|m| m.bound.fits(channel, account, conversation, user))
    }

    /// A button is pressed. What it stands for is given once; its siblings go with it.
    ///
    /// # Errors
    /// [`NotRedeemed`].
    pub fn redeem(
        &mut self,
        payload: &str,
        (channel, account, conversation): (&ChannelId, &str, &ConversationId),
        user: Option<&SenderId>,
        now_ms: i64,
    ) -> Result<Purpose, NotRedeemed> {
        let made = self.out.get(payload).ok_or(NotRedeemed::Unknown)?;
        if !made.bound.fits(channel, account, conversation, user) {
            return Err(NotRedeemed::Foreign);
        }
        if now_ms >= made.until_ms {
            return Err(NotRedeemed::Expired);
        }
        let (purpose, prompt) = (made.purpose.clone(), made.prompt);
        self.out.retain(|_, m| m.prompt != prompt);
        let out = &self.out;
        self.order.retain(|p| out.contains_key(p));
        Ok(purpose)
    }

    /// How many are out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether none is out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }
}
