//! What people are told when a turn did not end well: fixed sentences, no paths, no keys, no words of a provider (agent-runtime 7).

use crate::model::FailureClass;

/// Why a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// It took too long.
    TimedOut,
    /// The model was asked too often.
    TooManySteps,
    /// The model made the same call again and again.
    Repeating,
    /// The conversation does not fit, even shortened.
    TooLong,
    /// The model's window is too small for this program.
    WindowTooSmall,
    /// The provider or the model refused.
    ModelRefused,
    /// The transcript cannot be written.
    NotKept,
    /// The model failed.
    Model(FailureClass),
}

impl Notice {
    /// The sentence.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::TimedOut => {
                "This took longer than it may, so I stopped. What was done until then stays done."
            }
            Self::TooManySteps => {
                "I stopped after many steps without getting to an end. Tell me how to go on."
            }
            Self::Repeating => {
                "I stopped, because I was doing the same thing over and over. Tell me how to go on."
            }
            Self::TooLong => {
                "This conversation has become too long for the model. Start a new one with /new."
            }
            Self::WindowTooSmall => {
                "The configured model can read too little at once to be used here. The owner has to choose another one."
            }
            Self::ModelRefused => "The model declined to answer this.",
            Self::NotKept => {
                "I could not keep a record of this conversation, so I did not go on. The owner finds the cause in the log."
            }
            Self::Model(class) => class.chat_text(),
        }
    }

    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::TimedOut,
        Self::TooManySteps,
        Self::Repeating,
        Self::TooLong,
        Self::WindowTooSmall,
        Self::ModelRefused,
        Self::NotKept,
        Self::Model(FailureClass::Auth),
        Self::Model(FailureClass::Billing),
        Self::Model(FailureClass::RateLimit),
        Self::Model(FailureClass::Timeout),
        Self::Model(FailureClass::Format),
        Self::Model(FailureClass::Overloaded),
        Self::Model(FailureClass::ContextOverflow),
        Self::Model(FailureClass::BrokenOff),
        Self::Model(FailureClass::NotConfigured),
        Self::Model(FailureClass::Other),
    ];
}
