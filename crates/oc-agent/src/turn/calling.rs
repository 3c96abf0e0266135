//! The calls of an answer, one after the other, through the gate.

use oc_fs::durability::Durability;
use oc_policy::tool_name::canonical;
use oc_sandbox::gate;
use serde_json::Map;

use super::limits::{CALLS_OF_AN_ANSWER, Repeats};
use super::state::State;
use super::{Ended, Event, Going, Notice, Turn, result};
use crate::message::{Answer, Arguments, Message, StopReason, ToolCall};
use crate::session::{Session, broken_off};

/// Calls that have no result in the transcript yet. Dropped, they get one that says so.
struct Open {
    session: Session,
    calls: Vec<(String, String)>,
}

impl Open {
    fn of(session: &Session, calls: &[ToolCall]) -> Self {
        // The first one is answered first.
        let calls = calls.iter().rev().map(|c| (c.id.clone(), c.name.clone())).collect();
        Self { session: session.clone(), calls }
    }

    /// Gives every call that is open a result in our words.
    async fn close(&mut self, words: &str) -> Result<(), crate::session::SessionFailure> {
        let messages: Vec<Message> =
            self.calls.iter().rev().map(|(id, tool)| with_words(broken_off(id, tool), words)).collect();
        if messages.is_empty() {
            return Ok(());
        }
        self.session.append(messages, None, Durability::Written).await?;
        self.calls.clear();
        Ok(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let messages: Vec<Message> = self.calls.iter().rev().map(|(id, tool)| broken_off(id, tool)).collect();
        if !messages.is_empty() {
            // When it cannot be written, the next opening does it.
            let _ = self.session.append_now(&messages, None, Durability::Written);
        }
    }
}

fn with_words(message: Message, words: &str) -> Message {
    match message {
        Message::ToolResult { call_id, tool, is_error, .. } => {
            let content = vec![crate::message::Block::Text(words.to_owned())];
            Message::ToolResult { call_id, tool, content, is_error }
        }
        other @ (Message::User(_) | Message::Assistant(_)) => other,
    }
}

/// What became of one call.
enum Called {
    /// It has a result.
    Result(Message),
    /// The turn is over.
    Over(Ended, &'static str),
}

const STOPPED: &str = "Stopped by a person before it was over; nobody knows how far it came.";
const NO_TIME: &str = "Stopped, because the turn took too long; nobody knows how far it came.";
const GOES_ON: &str = "The turn's time is up while this waits or runs. It goes on by itself; its result comes into this session.";
const REPEATED: &str = "Not carried out: the same call was made again and again.";
const TOO_MANY: &str = "Not carried out: an answer may make at most 32 calls.";
const CUT_OFF: &str = "Not carried out: the answer was cut off while it was written.";

impl Turn<'_> {
    /// Carries the calls of an answer out and writes their results.
    pub(super) async fn carry_out(
        &self,
        state: &mut State,
        answer: &Answer,
        calls: Vec<ToolCall>,
        repeats: &mut Repeats,
    ) -> Result<(), Ended> {
        let mut open = Open::of(&self.request.session, &calls);
        for (index, call) in calls.into_iter().enumerate() {
            let made = self.made(state, index, &call);
            let called = match answer.stop {
                StopReason::ToolUse | StopReason::EndTurn if index < CALLS_OF_AN_ANSWER => {
                    self.called(state, &call, made, repeats).await
                }
                StopReason::ToolUse | StopReason::EndTurn => {
                    Called::Result(self.unmade(&call, &made, "too-many-calls", TOO_MANY).await)
                }
                StopReason::MaxTokens
                | StopReason::StopSequence
                | StopReason::Refusal
                | StopReason::Aborted
                | StopReason::Error => {
                    Called::Result(self.unmade(&call, &made, "answer-cut-off", CUT_OFF).await)
                }
            };
            let written = match called {
                Called::Result(message) => {
                    // Before it is written: a result that is on its way is not made up a second time.
                    open.calls.pop();
                    self.request.session.append(vec![message], None, Durability::Written).await
                }
                Called::Over(how, words) => {
                    return Err(match open.close(words).await {
                        Ok(()) => how,
                        Err(e) => state.broken(Notice::NotKept, &e),
                    });
                }
            };
            if let Err(e) = written {
                return Err(state.broken(Notice::NotKept, &e));
            }
        }
        Ok(())
    }

    /// A call as the gate takes it: for whom it acts says the turn.
    fn made(&self, state: &State, index: usize, call: &ToolCall) -> gate::ToolCall {
        let arguments = match &call.arguments {
            Arguments::Object(arguments) => arguments.clone(),
            Arguments::Invalid { .. } => Map::new(),
        };
        gate::ToolCall {
            id: format!("{}-{}-{index}", self.request.run, state.asked),
            tool: call.name.clone(),
            arguments,
            caller: self.authority.acting().clone(),
            behind: self.authority.each().into(),
        }
    }

    /// A call that cannot be made: recorded as refused, and told in our words.
    async fn unmade(
        &self,
        call: &ToolCall,
        made: &gate::ToolCall,
        rule: &'static str,
        words: &str,
    ) -> Message {
        match self.gate.unusable(made, rule, words).await {
            gate::GateError::Refused(_) => result::failed(call, words, self.request.window),
            other @ (gate::GateError::NotRecorded(_) | gate::GateError::Place(_)) => {
                result::refused(call, &other, self.request.window)
            }
        }
    }

    async fn called(
        &self,
        state: &mut State,
        call: &ToolCall,
        made: gate::ToolCall,
        repeats: &mut Repeats,
    ) -> Called {
        if repeats.count(call) > self.request.limits.identical {
            let _ = self.gate.unusable(&made, "repeated-call", REPEATED).await;
            return Called::Over(Ended::Stopped(Notice::Repeating), REPEATED);
        }
        state.calls = state.calls.saturating_add(1);
        let tool = canonical(&call.name).chars().take(64).collect::<String>();
        self.sink.event(Event::Calling { call: made.id.clone(), tool: tool.clone() });
        let mut going = None;
        let mut called = tokio::select! {
            biased;
            () = self.abort.stopped() => Called::Over(Ended::Aborted, STOPPED),
            () = tokio::time::sleep_until(state.deadline) => Called::Over(Ended::Stopped(Notice::TimedOut), NO_TIME),
            message = self.decided(state, call, &made, &mut going) => Called::Result(message),
        };
        let out_of_time = matches!(called, Called::Over(Ended::Stopped(_), _));
        match (going, &self.request.afterwards) {
            (Some(going), Some(afterwards)) if out_of_time => {
                afterwards.take_over(made.clone(), going);
                called = Called::Result(result::failed(call, GOES_ON, self.request.window));
            }
            // What it had started ends before anything says that it was given up.
            (going, _) => drop(going),
        }
        let is_error = match &called {
            Called::Result(Message::ToolResult { is_error, .. }) => *is_error,
            Called::Result(_) | Called::Over(..) => true,
        };
        if let Called::Over(how, _) = &called {
            // The call's own future is gone and has ended what it had started.
            let _ = self.gate.aborted(&made).await;
            if *how == Ended::Aborted {
                self.gate.end_session(self.authority.acting()).await;
            }
        }
        self.sink.event(Event::Called { call: made.id, tool, is_error });
        called
    }

    /// One call: offered, readable, and then the gate, which asks about everybody it acts for.
    async fn decided(
        &self,
        state: &State,
        call: &ToolCall,
        made: &gate::ToolCall,
        going: &mut Option<Going>,
    ) -> Message {
        let window = self.request.window;
        if !state.offer.holds(&call.name) {
            return result::refused(call, &self.gate.not_offered(made).await, window);
        }
        if let Arguments::Invalid { why, .. } = &call.arguments {
            let why = oc_text::visible(why, 200);
            let words = format!(
                "Not carried out: the arguments are not one JSON object ({why}). Make the call again with valid JSON."
            );
            return self.unmade(call, made, "unreadable-arguments", &words).await;
        }
        let lasting = self.request.afterwards.as_ref().filter(|_| &*canonical(&made.tool) == "exec");
        let called = match lasting {
            Some(afterwards) => going.insert(afterwards.begin(made.clone())).await,
            None => self.gate.call(made).await,
        };
        // It is over: nobody takes it over.
        *going = None;
        match called {
            Ok(answer) => result::done(call, answer, window),
            Err(error) => result::refused(call, &error, window),
        }
    }
}
