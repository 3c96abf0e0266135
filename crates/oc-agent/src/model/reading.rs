//! An answer as it is read from a provider's stream: bytes in, pieces and the whole answer out. Does no I/O.

use serde_json::Value;
use thiserror::Error;

use super::collect::Collector;
use super::event_stream::{EventReader, StreamLimit};
use super::failure::Refusal;
use super::wire::{Api, Target};
use super::{anthropic_messages, openai_completions, openai_responses};
use crate::message::{Answer, StopReason};
use crate::model::{Delta, FailureClass};

#[cfg(test)]
mod tests;

/// Why a stream gave no whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// It is too much.
    #[error(transparent)]
    Limit(#[from] StreamLimit),
    /// What arrived is not the format.
    #[error("the answer is not in the format `{0}`")]
    Malformed(Api),
    /// The provider said that it failed.
    #[error("the provider failed while it answered{}", told(.code.as_ref()))]
    Provider {
        /// What that means.
        class: FailureClass,
        /// Its word for it, when that is plain.
        code: Option<String>,
    },
    /// It ended too early.
    #[error("the answer broke off")]
    BrokenOff,
}

impl Fault {
    /// What it means for what is tried next.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Limit(_) => FailureClass::Other,
            Self::Malformed(_) | Self::BrokenOff => FailureClass::BrokenOff,
            Self::Provider { class, .. } => *class,
        }
    }
}

pub(super) fn told(code: Option<&String>) -> String {
    code.map_or_else(String::new, |c| format!(" ({c})"))
}

/// What has been read.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The pieces.
    pub pieces: Collector,
    /// Why the model stopped, once it says so.
    pub stop: Option<StopReason>,
    /// The provider said that nothing follows.
    pub whole: bool,
}

/// Reads one answer.
#[derive(Debug)]
pub struct Reading {
    target: Target,
    events: EventReader,
    state: State,
}

impl Reading {
    /// Nothing read yet.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self { target, events: EventReader::default(), state: State::default() }
    }

    /// Takes bytes. After a fault only [`Reading::partial`] is of use.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn push(&mut self, bytes: &[u8], on_delta: &mut dyn FnMut(Delta)) -> Result<(), Fault> {
        let Self { target, events, state } = self;
        events.push(bytes, &mut |data| take(target.api, state, data, on_delta))
    }

    /// Whether the provider said that nothing follows.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.state.whole
    }

    /// The stream is over: the answer, or why it is none with what there is of it.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn end(mut self, on_delta: &mut dyn FnMut(Delta)) -> Result<Answer, (Fault, Option<Answer>)> {
        let last = {
            let Self { target, events, state } = &mut self;
            events.end(&mut |data| take(target.api, state, data, on_delta))
        };
        if let Err(fault) = last {
            return Err((fault, self.partial()));
        }
        // A reason to stop is the end of what was said; a server that leaves out the goodbye after it has said everything.
        match self.state.stop {
            Some(stop) => Ok(self.state.pieces.answer(&self.target, stop)),
            None => Err((Fault::BrokenOff, self.partial())),
        }
    }

    /// What there is of the answer, when there is anything. Its calls are never to be carried out.
    #[must_use]
    pub fn partial(self) -> Option<Answer> {
        let answer = self.state.pieces.answer(&self.target, StopReason::Error);
        (!answer.blocks.is_empty()).then_some(answer)
    }
}

fn take(api: Api, state: &mut State, data: &str, on_delta: &mut dyn FnMut(Delta)) -> Result<(), Fault> {
    if state.whole {
        return Ok(());
    }
    if data.trim() == "[DONE]" {
        // The goodbye of both of OpenAI's formats. Without a reason to stop before it the answer is not whole.
        state.whole = state.stop.is_some();
        return if state.whole { Ok(()) } else { Err(Fault::BrokenOff) };
    }
    let value: Value = serde_json::from_str(data).map_err(|_| Fault::Malformed(api))?;
    if !value.is_object() {
        return Err(Fault::Malformed(api));
    }
    match api {
        Api::AnthropicMessages => anthropic_messages::event(state, &value, on_delta),
        Api::OpenAiCompletions => openai_completions::event(state, &value, on_delta),
        Api::OpenAiResponses => openai_responses::event(state, &value, on_delta),
    }
}

/// A fault that the provider reported.
pub(super) fn reported(error: &Value) -> Fault {
    let Refusal { class, code } = Refusal::of_event(error);
    Fault::Provider { class, code }
}

/// A text member; `None` when it is not there or no text.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// A number of tokens; 0 when it is not there.
pub(super) fn count(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}
