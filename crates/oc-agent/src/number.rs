//! Numbers of the configuration.

use oc_types::Node;

/// A whole number from 0 on; what is after the point goes. `None` for everything else.
pub(crate) fn whole(node: &Node) -> Option<u64> {
    let number = node.as_number().filter(|n| *n >= 0.0)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    let out = number as u64;
    Some(out)
}

/// The same for counts in memory.
pub(crate) fn count(node: &Node) -> Option<usize> {
    whole(node).map(|n| usize::try_from(n).unwrap_or(usize::MAX))
}
