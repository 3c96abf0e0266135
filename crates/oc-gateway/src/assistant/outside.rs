//! Turns that do not come from a chat: of clients of the protocol, of HTTP callers, of hooks. One at a time in each session, whoever started it.

use std::sync::Arc;

use oc_agent::message::Usage;
use oc_agent::prompt::Mode;
use oc_agent::session::entry::{Facts, Wish};
use oc_agent::turn::said::Said;
use oc_agent::turn::{Abort, Ended, Sink, TurnEnd};
use oc_fs::session_store::SessionStoreFailure;
use oc_policy::inbound::ConversationKind;
use oc_sandbox::gate::{Caller, Surface};
use oc_types::AgentId;

use super::runs::Standing;
use super::runtime::{Assistant, Conversation, NotBegun, Unnoted};
use super::session_view::session_exec;
use crate::methods::Place;
use crate::server::state::Gateway;

/// The channel of conversations with clients.
pub const CHANNEL: &str = "webchat";

/// What became of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over {
    /// How it stands; never [`Standing::Running`].
    pub standing: Standing,
    /// Tokens of all its answers.
    pub usage: Usage,
}

/// A conversation in a session of an agent. Where a chat's answers go stays as it is: the turn is its caller's.
///
/// # Errors
/// What the session was told about commands cannot be read.
pub fn conversation(
    place: &Place,
    agent: AgentId,
    key: String,
    said: Said,
) -> Result<Conversation, SessionStoreFailure> {
    let mut caller = Caller::of_session(Surface::Model, agent.clone(), key.clone());
    caller.channel = Some(CHANNEL.to_owned());
    caller.conversation = ConversationKind::Direct;
    caller.exec = session_exec(&place.store(&agent), &key)?;
    Ok(Conversation {
        agent,
        key,
        caller,
        behind: Vec::new(),
        said,
        facts: Facts::default(),
        wish: Wish::None,
        prompt: Mode::Full,
    })
}

/// Carries a turn out when its session is free. `gone` returns when nobody wants it any more: it is stopped then, or not begun.
pub async fn carry_out(
    gateway: &Arc<Gateway>,
    assistant: &Assistant,
    what: Conversation,
    sink: &dyn Sink,
    gone: impl Future<Output = ()> + Send,
) -> Over {
    let mut gone = std::pin::pin!(gone);
    let _lane = tokio::select! {
        lane = gateway.lane(&what.key) => lane,
        () = &mut gone => return Over { standing: Standing::Aborted, usage: Usage::default() },
    };
    // Another turn of the session is nobody's to stop here.
    let abort = Abort::new();
    let mut turn = std::pin::pin!(assistant.converse_until(what, sink, &Unnoted, &abort));
    let ended = tokio::select! {
        ended = &mut turn => ended,
        () = &mut gone => {
            abort.stop();
            turn.await
        }
    };
    over(ended)
}

fn over(ended: Result<TurnEnd, NotBegun>) -> Over {
    match ended {
        Ok(turn) => Over { usage: turn.usage, standing: standing(turn) },
        Err(NotBegun::Stopped) => Over { standing: Standing::Aborted, usage: Usage::default() },
        Err(e) => {
            tracing::error!(target: "assistant", error = %e, "a turn could not begin");
            let why = "the turn could not begin; the log says why".to_owned();
            Over { standing: Standing::Error { why }, usage: Usage::default() }
        }
    }
}

fn standing(turn: TurnEnd) -> Standing {
    match (turn.how, turn.reply) {
        (Ended::Answered, reply) => Standing::Ok { reply },
        (Ended::Silent, _) => Standing::Ok { reply: None },
        (Ended::Aborted, _) => Standing::Aborted,
        (Ended::Stopped(notice), _) => Standing::Error { why: notice.words().to_owned() },
    }
}
