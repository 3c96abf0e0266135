//! placeholder
use super::*;
/// Placeholder.
pub fn explain_message() {}
