//! Text that must not be shown (SP-011).

use zeroize::Zeroizing;

/// A credential. It has no `Display` and no `Serialize`, its `Debug` shows a placeholder, and its memory is wiped on drop.
///
/// There is deliberately no `PartialEq`: credentials are compared through digests in constant time (SP-012).
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of the text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one place that has to send or hash it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty after trimming.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(not shown)")
    }
}
