//! What a turn has come to so far.

use tokio::time::Instant;

use super::limits::Limits;
use super::reply::is_silent;
use super::said::Said;
use super::{Ended, Notice, TurnEnd};
use crate::context::{Fit, Window};
use crate::message::Usage;
use crate::model::ModelFailure;
use crate::tools::Offer;

pub(super) struct State {
    /// When the turn's time is up.
    pub deadline: Instant,
    pub usage: Usage,
    pub context_tokens: u64,
    pub asked: u32,
    pub calls: u32,
    pub compactions: u32,
    pub reply: Option<String>,
    /// Answers of this turn after which somebody wrote once more.
    before: Vec<String>,
    pub detail: Option<String>,
    /// The tools that the model was told of when it gave its last answer.
    pub offer: Offer,
}

impl State {
    pub(super) fn new(limits: &Limits) -> Self {
        let now = Instant::now();
        Self {
            deadline: now.checked_add(limits.timeout).unwrap_or(now),
            usage: Usage::default(),
            context_tokens: 0,
            asked: 0,
            calls: 0,
            compactions: 0,
            reply: None,
            before: Vec::new(),
            detail: None,
            offer: Offer::default(),
        }
    }

    /// An answer that was not the last one.
    pub(super) fn before(&mut self, text: String, said: &Said) {
        if !is_silent(&text, said) {
            self.before.push(text);
        }
    }

    /// All that was answered, one below the other; a last answer that says nothing is left out.
    pub(super) fn with_before(&mut self, text: String, said: &Said) -> String {
        if self.before.is_empty() {
            return text;
        }
        let mut all = std::mem::take(&mut self.before);
        if !is_silent(&text, said) {
            all.push(text);
        }
        all.join("\n\n")
    }

    pub(super) fn count(&mut self, usage: &Usage) {
        self.usage_only(usage);
        if usage.total() > 0 {
            self.context_tokens = usage.total();
        }
    }

    /// Counts what was used for something else than this conversation.
    pub(super) fn usage_only(&mut self, usage: &Usage) {
        let add = |a: &mut u64, b: u64| *a = a.saturating_add(b);
        add(&mut self.usage.input, usage.input);
        add(&mut self.usage.output, usage.output);
        add(&mut self.usage.cache_read, usage.cache_read);
        add(&mut self.usage.cache_write, usage.cache_write);
    }

    /// An end with its cause for the owner.
    pub(super) fn broken(&mut self, notice: Notice, cause: &dyn std::error::Error) -> Ended {
        self.detail = Some(cause.to_string());
        Ended::Stopped(notice)
    }

    pub(super) fn failed(&mut self, notice: Notice, failure: &ModelFailure) -> Ended {
        self.broken(notice, failure)
    }

    pub(super) fn end(self, how: Ended, said: &Said, window: Window) -> TurnEnd {
        let notice = match how {
            Ended::Answered | Ended::Silent => None,
            // Whoever stopped it knows.
            Ended::Aborted => None,
            // Nobody asked, so nobody is told that it did not work.
            Ended::Stopped(_) if said.is_heartbeat() => None,
            Ended::Stopped(notice) => Some(notice.words()),
        };
        TurnEnd {
            how,
            reply: self.reply,
            notice,
            detail: self.detail,
            usage: self.usage,
            context_tokens: self.context_tokens,
            asked: self.asked,
            calls: self.calls,
            compactions: self.compactions,
            small_window: window.fit() == Fit::Small,
            unread: Vec::new(),
        }
    }
}
