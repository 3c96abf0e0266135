//! One event as a line of the log file, in upstream's layout, so that either program's reader understands the other's file.

use std::fmt::Write as _;

use super::event::Safe;

/// The line, without line feed: positional arguments as texts, `_meta`, `time`. Written as it comes: a line is on the way of every
/// handshake.
pub(super) fn line(event: &Safe, host: &str, version: &str, time: &str) -> String {
    let name = quoted(&format!("{{\"subsystem\":{}}}", quoted(&event.subsystem)));
    let mut out = String::with_capacity(512);
    // Writing to a text cannot fail.
    let _ = write!(out, "{{\"0\":{name},\"1\":{}", quoted(&event.message));
    if !event.fields.is_empty() {
        let mut fields = String::with_capacity(256);
        for (key, value) in &event.fields {
            let _ = write!(fields, "{}{}:{value}", if fields.is_empty() { '{' } else { ',' }, quoted(key));
        }
        fields.push('}');
        let _ = write!(out, ",\"2\":{}", quoted(&fields));
    }
    let (time, host, version) = (quoted(time), quoted(host), quoted(version));
    let _ = write!(
        out,
        ",\"_meta\":{{\"runtime\":\"native\",\"runtimeVersion\":{version},\"hostname\":{host},\"name\":{name},\
         \"parentNames\":[\"openclaw\"],\"date\":{time},\"logLevelId\":{},\"logLevelName\":{}}},\"time\":{time}}}",
        event.level.id(),
        quoted(&event.level.word().to_uppercase()),
    );
    out
}

/// A text as JSON has it.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
