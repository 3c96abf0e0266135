//! The answer for one tool.

use crate::inventory::Absence;
use crate::layer::Layer;

/// Whether a tool may be used, and if not, which layer took it away first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ToolDecision {
    /// Every layer let it pass.
    Allowed,
    /// This layer removed it; the ones after it were not needed.
    Removed(Layer),
    /// It is not offered in the first place: no policy was asked.
    Absent(Absence),
}

impl ToolDecision {
    /// Whether the tool may be used.
    #[must_use]
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }

    /// The layer that removed it.
    #[must_use]
    pub fn removed_by(self) -> Option<Layer> {
        match self {
            Self::Allowed | Self::Absent(_) => None,
            Self::Removed(layer) => Some(layer),
        }
    }
}
