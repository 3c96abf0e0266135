//! The decision about one message, and about what it quotes.

use oc_policy::access::{Admission, Decision, Outcome, PairingView, Reason, may_be_heard};
use oc_policy::command::owner::{CommandSender, command_auth};
use oc_policy::inbound::{ConversationKind, Inbound, Phone, Sender, SenderId};
use oc_policy::owner_only::Ownership;
use oc_types::Node;

use super::Core;
use crate::adapter::Quoted;
use crate::rules::Rules;
use crate::turn::Authority;

/// What the sender of an admitted message may do: the channel's gate and the owner step (channels 6).
#[must_use]
pub fn authority_of(config: &Node, message: &Inbound, admission: &Admission) -> Authority {
    let direct = admission.kind() == ConversationKind::Direct;
    let sender = CommandSender {
        channel: message.channel.as_str(),
        account: &message.account,
        id: message.sender.id.as_ref().map(SenderId::as_str),
        e164: message.sender.phone.as_ref().map(Phone::as_str),
        from: direct.then(|| admission.conversation().as_str()).filter(|f| !f.is_empty()),
    };
    let auth = command_auth(config, &sender, admission.commands(), &[]);
    Authority {
        commands: auth.grant,
        owner: if auth.owner { Ownership::Proven } else { Ownership::NotProven },
    }
}

impl Core {
    /// Decides about a message under these rules. Reads stores and session settings, changes nothing.
    pub(super) async fn decide(&self, rules: &Rules, message: &mut Inbound) -> Decision {
        let now = self.now();
        // What a session said about this may have changed since.
        message.activation = None;
        let view = match message.kind {
            ConversationKind::Direct | ConversationKind::Unknown => {
                self.pairing.view(&message.channel, &message.account, now).await
            }
            // The approved store never counts in rooms (SP-404).
            ConversationKind::Group | ConversationKind::Channel => PairingView::empty(now),
        };
        let policy = rules.access().policy();
        let decision = policy.judge(message, &view);
        let room = message.kind != ConversationKind::Direct;
        let hinges = matches!(decision.outcome, Outcome::Allow(_))
            || decision.outcome.reason() == Some(Reason::MentionRequired);
        if !room || !hinges {
            return decision;
        }
        // Only what got this far is worth a look into the session: `/activation` is kept there.
        let Some(session) = policy.session_of(message) else { return decision };
        message.activation = self.commands.settings().view(&session).await.mention_needed;
        if message.activation.is_some() { policy.judge(message, &view) } else { decision }
    }

    /// What a message quotes, if its writer may be heard here: the bot itself, the sender, or somebody the same rules admit (SP-417).
    pub(super) async fn heard_quote(
        &self,
        rules: &Rules,
        message: &Inbound,
        quoted: Option<&Quoted>,
    ) -> Option<Quoted> {
        let quoted = quoted?;
        let writer = quoted.sender.as_deref().map(str::trim).filter(|w| !w.is_empty())?;
        let own = {
            let selves = self.selves.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            let own = selves.get(&(message.channel.clone(), message.account.clone()));
            own.is_some_and(|own| !own.id.is_empty() && own.id == writer)
        };
        let sender = message.sender.id.as_ref().is_some_and(|id| id.as_str() == writer);
        if own || sender {
            return Some(quoted.clone());
        }
        let mut asked = message.clone();
        asked.sender = Sender { id: SenderId::new(writer), phone: Phone::parse(writer), ..Sender::default() };
        // A quoted text gives no command and mentions nobody.
        asked.text = String::new();
        asked.from_me = false;
        let decision = self.decide(rules, &mut asked).await;
        may_be_heard(&decision).then(|| quoted.clone())
    }
}
