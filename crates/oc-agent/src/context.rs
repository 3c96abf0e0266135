//! What fits into a model's window: estimate, pruning, compaction (agent-runtime 4).
//!
//! Pure: messages in, messages or a plan out. The turn asks the model for the summary and writes it.

pub mod compact;
pub mod estimate;
pub mod prune;
#[cfg(test)]
mod tests;

use oc_types::Node;

/// Characters that count as one token.
pub const CHARS_PER_TOKEN: usize = 4;
/// Below this a window is warned about, in tokens.
pub const WARN_BELOW: u64 = 32_000;
/// Below this a model is not used, in tokens.
pub const REFUSE_BELOW: u64 = 16_000;
/// Tokens that are kept free for the answer, at least.
pub const RESERVE_FLOOR: u64 = 20_000;

/// How much a model can read and write in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Tokens.
    pub tokens: u64,
    /// Tokens that are kept free for the answer.
    pub reserve: u64,
}

/// What is said about a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Enough.
    Good,
    /// The owner is warned: conversations are shortened often.
    Small,
    /// The model is not used.
    TooSmall,
}

impl Window {
    /// The window of a model, capped by `agents.defaults.contextTokens`; the reserve is `agents.defaults.compaction.reserveTokensFloor`, at
    /// least [`RESERVE_FLOOR`], and never more than half of the window.
    #[must_use]
    pub fn of(config: &Node, model_tokens: u64) -> Self {
        let defaults = |path: &[&str]| {
            let node = config.path(&["agents", "defaults"]).and_then(|d| d.path(path));
            node.and_then(crate::number::whole).filter(|n| *n > 0)
        };
        let tokens = defaults(&["contextTokens"]).map_or(model_tokens, |cap| cap.min(model_tokens));
        let floor = defaults(&["compaction", "reserveTokensFloor"]).unwrap_or(0).max(RESERVE_FLOOR);
        Self { tokens, reserve: floor.min(tokens / 2) }
    }

    /// Whether it is enough.
    #[must_use]
    pub fn fit(self) -> Fit {
        match self.tokens {
            n if n < REFUSE_BELOW => Fit::TooSmall,
            n if n < WARN_BELOW => Fit::Small,
            _ => Fit::Good,
        }
    }

    /// Tokens that a conversation may have before it is shortened.
    #[must_use]
    pub fn room(self) -> u64 {
        self.tokens.saturating_sub(self.reserve)
    }

    /// The same in characters.
    #[must_use]
    pub fn chars(self) -> usize {
        usize::try_from(self.tokens).unwrap_or(usize::MAX).saturating_mul(CHARS_PER_TOKEN)
    }
}
