//! What a restart leaves for the process that comes after: who asked for it, and in which conversation to say so.

use oc_config::Locations;
use oc_fs::atomic;
use oc_text::visible;
use serde_json::{Value, json};

/// Name of the file in the state directory.
const FILE: &str = "restart-sentinel.json";
/// Time until the restart when the caller names none, in milliseconds.
const DELAY: u64 = 2000;
/// Longest time until the restart, in milliseconds.
const MAX_DELAY: u64 = 60_000;
/// Longest note, in characters.
const MAX_NOTE: usize = 500;

/// What the caller asked for.
pub(super) struct Asked<'a> {
    pub(super) method: &'static str,
    pub(super) session_key: Option<&'a str>,
    pub(super) note: Option<&'a str>,
    pub(super) delay_ms: Option<u64>,
}

/// Leaves the note. Gives `restart` and `sentinel` of the answer; the restart itself is the server's. A note that cannot be left is no
/// error: the configuration is written.
pub(super) fn leave(locations: &Locations, now_ms: u64, asked: &Asked<'_>) -> (Value, Value) {
    let redactor = oc_text::Redactor::standard();
    let text = |t: &str| visible(&redactor.redact(t), MAX_NOTE);
    let mut payload = json!({
        "kind": "config-apply",
        "status": "ok",
        "ts": now_ms,
        "message": asked.note.map(text),
        "doctorHint": "run `openclaw doctor` when the gateway does not come back",
        "stats": { "mode": asked.method, "root": locations.config.display().to_string() },
    });
    if let (Some(key), Some(members)) = (asked.session_key, payload.as_object_mut()) {
        members.insert("sessionKey".to_owned(), json!(text(key)));
    }
    let path = locations.state_dir.join(FILE);
    let content = format!("{:#}\n", json!({ "version": 1, "payload": payload }));
    let left = atomic::replace(&path, content.as_bytes()).is_ok();
    let restart = json!({
        "ok": true,
        "pid": std::process::id(),
        "signal": "SIGUSR1",
        "delayMs": asked.delay_ms.unwrap_or(DELAY).min(MAX_DELAY),
        "reason": asked.method,
        "mode": "emit",
    });
    let path = left.then(|| path.display().to_string());
    (restart, json!({ "path": path, "payload": payload }))
}
