//! Tool profiles: base allow lists (seed: tool profiles; tool-policy 1.4).

/// A named base allow list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// `session_status` only.
    Minimal,
    /// Files, runtime, sessions, memory and image.
    Coding,
    /// Messages and a look at sessions.
    Messaging,
    /// No restriction: the same as no profile at all.
    Full,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Minimal, Self::Coding, Self::Messaging, Self::Full];

    /// Reads a profile's name. The spelling is exact: an unknown word is a configuration error, never a fallback (SP-119).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == text)
    }

    /// The name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Coding => "coding",
            Self::Messaging => "messaging",
            Self::Full => "full",
        }
    }

    /// The allow list; `None` for [`Profile::Full`]. No profile denies anything.
    #[must_use]
    pub fn allow(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Minimal => Some(&["session_status"]),
            Self::Coding => Some(&["group:fs", "group:runtime", "group:sessions", "group:memory", "image"]),
            Self::Messaging => Some(&[
                "group:messaging",
                "sessions_list",
                "sessions_history",
                "sessions_send",
                "session_status",
            ]),
            Self::Full => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sp_119_an_unknown_profile_is_not_a_profile() {
        for text in ["", "Coding", "coding ", "everything"] {
            assert_eq!(Profile::parse(text), None, "{text:?}");
        }
        assert_eq!(Profile::parse("coding"), Some(Profile::Coding));
    }
}
