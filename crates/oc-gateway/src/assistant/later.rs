//! Commands that outlive their turn: the result comes into the same session, and the session goes on with it.

use std::sync::Weak;

use oc_agent::turn::said::{Background, Said};
use oc_agent::turn::{Afterwards, Going};
use oc_sandbox::executor::{ExecutorError, Place as Where};
use oc_sandbox::gate::{Content, GateError, Outcome, ToolCall};

use super::origin::{Origin, resume};
use crate::server::state::Gateway;

/// Characters of a result that are told.
const TAIL: usize = 4_000;

/// Takes calls over.
#[derive(Clone, Debug)]
pub(super) struct Later(pub Weak<Gateway>);

impl Afterwards for Later {
    fn begin(&self, call: ToolCall) -> Going {
        let gateway = self.0.upgrade();
        Box::pin(async move {
            let Some(gateway) = gateway else {
                let cause = "the gateway is stopping".to_owned();
                return Err(GateError::Place(ExecutorError::Unavailable { place: Where::Gateway, cause }));
            };
            gateway.gate.call(&call).await
        })
    }

    fn take_over(&self, call: ToolCall, mut going: Going) {
        let weak = self.0.clone();
        let Some(gateway) = weak.upgrade() else { return };
        // From this moment on it ends with its session.
        let Some(taken) = gateway.assistant().map(|a| a.taken_over().begin(&call.caller.session)) else {
            return;
        };
        // Where its turn was says the call: that is known from the turn's beginning on.
        let Some(origin) = Origin::of(&gateway.snapshot().place(), &call.caller, &call.behind) else {
            return;
        };
        drop(gateway);
        tokio::spawn(async move {
            let ended = tokio::select! {
                biased;
                () = taken.stopped() => None,
                ended = &mut going => Some(ended),
            };
            drop((going, taken));
            let Some(ended) = ended else {
                if let Some(gateway) = weak.upgrade() {
                    let _ = gateway.gate.aborted(&call).await;
                }
                return;
            };
            let Some(gateway) = weak.upgrade() else { return };
            let Some(assistant) = gateway.assistant() else { return };
            let (how, tail) = told(&ended);
            let said = Background::Finished { process: format!("the call {}", call.id), how, tail };
            resume(&assistant, origin, Said::Background(said)).await;
        });
    }
}

/// How a call ended, in our words, and what it brought: untrusted.
fn told(ended: &Result<oc_sandbox::gate::Answer, GateError>) -> (String, String) {
    match ended {
        Ok(answer) => {
            let how = match answer.result.outcome {
                Outcome::Done => "it was done",
                Outcome::Failed => "it failed",
            };
            let texts = answer.result.content.iter().map(|piece| match piece {
                Content::Text { text } => text.as_str(),
                Content::Image { .. } => "[a picture]",
            });
            let all = texts.collect::<Vec<_>>().join("\n");
            let excess = all.chars().count().saturating_sub(TAIL);
            (how.to_owned(), all.chars().skip(excess).collect())
        }
        Err(GateError::Refused(refused)) => {
            let sentence = oc_text::visible_lines(refused.sentence(), TAIL);
            (format!("it was refused ({})", refused.stage().word()), sentence)
        }
        // Its cause names files of the host.
        Err(GateError::NotRecorded(_)) => {
            ("nothing was done, because it could not be recorded".to_owned(), String::new())
        }
        Err(GateError::Place(error)) => ("it failed".to_owned(), error.to_string()),
    }
}
