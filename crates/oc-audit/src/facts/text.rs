//! The contents of one small file.

/// What reading a file gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextFact {
    /// Nothing there (or nobody looked).
    Missing,
    /// The whole text.
    Text(String),
    /// It could not be used: no regular file, too large, not UTF-8, not readable. Why, in a few words.
    Unusable(String),
}

impl TextFact {
    /// The text, if there is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(t) => Some(t),
            Self::Missing | Self::Unusable(_) => None,
        }
    }
}
