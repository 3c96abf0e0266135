//! One event as a line of the log file, in upstream's layout, so that either program's reader understands the other's file.

use serde_json::{Map, Value, json};

use super::event::Safe;

/// The line, without line feed: positional arguments as texts, `_meta`, `time`.
pub(super) fn line(event: &Safe, host: &str, version: &str, time: &str) -> String {
    let name = json!({ "subsystem": event.subsystem }).to_string();
    let mut out = Map::new();
    let mut arguments = vec![name.clone(), event.message.clone()];
    if !event.fields.is_empty() {
        let fields: Map<String, Value> =
            event.fields.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        arguments.push(Value::Object(fields).to_string());
    }
    for (at, argument) in arguments.into_iter().enumerate() {
        out.insert(at.to_string(), argument.into());
    }
    out.insert(
        "_meta".to_owned(),
        json!({
            "runtime": "native",
            "runtimeVersion": version,
            "hostname": host,
            "name": name,
            "parentNames": ["openclaw"],
            "date": time,
            "logLevelId": event.level.id(),
            "logLevelName": event.level.word().to_uppercase(),
        }),
    );
    out.insert("time".to_owned(), time.into());
    Value::Object(out).to_string()
}
