//! `logs.tail`: the end of the log file, masked (gateway 6).

use std::path::Path;

use oc_fs::log_tail::{self, Wanted};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::methods::Place;
use crate::methods::params::{invalid, read, unavailable};
use crate::protocol::frame::Failure;

/// Lines and bytes when the caller names no number, and at most.
const LINES: usize = 500;
const MAX_LINES: usize = 5000;
const BYTES: u64 = 250_000;
const MAX_BYTES: u64 = 1_000_000;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Params {
    cursor: Option<u64>,
    limit: Option<usize>,
    max_bytes: Option<u64>,
}

/// `logs.tail` of a file (see [`super::LogHandle::path`]). Lines are masked here once more: the file may be older than a pattern.
///
/// # Errors
/// Parameters that are not right; a file that cannot be read.
pub fn tail(place: &Place, file: &Path, params: Value) -> Result<Value, Failure> {
    let wanted: Params = read(params)?;
    let lines = wanted.limit.unwrap_or(LINES);
    let bytes = wanted.max_bytes.unwrap_or(BYTES);
    if lines == 0 || lines > MAX_LINES {
        return Err(invalid(&format!("limit is 1 to {MAX_LINES}")));
    }
    if bytes == 0 || bytes > MAX_BYTES {
        return Err(invalid(&format!("maxBytes is 1 to {MAX_BYTES}")));
    }
    let found = log_tail::read(file, &Wanted { cursor: wanted.cursor, lines, bytes })
        .map_err(|e| unavailable(&format!("the log {} cannot be read: {}", place.shown(file), e.kind())))?;
    // Masked as one text: a key in several lines has its form only there.
    let masked = place.redactor.redact(&found.lines.join("\n"));
    let lines: Vec<&str> = masked.lines().collect();
    Ok(json!({
        "file": place.shown(file),
        "cursor": found.cursor,
        "size": found.size,
        "lines": lines,
        "truncated": found.truncated,
        "reset": found.reset,
    }))
}
