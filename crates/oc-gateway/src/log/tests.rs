use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oc_fs::log_file::Target;
use oc_types::Origin;
use serde_json::{Value, json};

use super::console::Style;
use super::settings::Surroundings;
use super::*;
use crate::methods::transcripts::place;
use crate::protocol::frame::{Code, Failure};

#[derive(Clone, Default)]
struct Console(Arc<Mutex<Vec<u8>>>);

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Console {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn settings(tmp: &Path, config: Value) -> LoggingSettings {
    let around = Surroundings {
        home: tmp,
        tmp,
        terminal: false,
        no_colour: false,
        verbose: false,
        host: "host",
        version: "1.2.3",
    };
    let config = Node::from_json(&json!({ "logging": config }), &Origin::Default);
    let mut settings = LoggingSettings::from_config(&config, &around);
    if matches!(settings.target, Target::Daily(_)) {
        settings.target = Target::Daily(vec![tmp.join("log")]);
    }
    settings
}

/// What the console and the file hold after some events.
fn logged(config: Value, events: impl FnOnce()) -> (String, Vec<Value>) {
    let tmp = tempfile::tempdir().unwrap();
    let console = Console::default();
    let (logger, handle) = Logger::new(settings(tmp.path(), config), Box::new(console.clone()));
    tracing::subscriber::with_default(logger, events);
    let text = handle.path().and_then(|p| std::fs::read_to_string(p).ok()).unwrap_or_default();
    (console.text(), text.lines().map(|l| serde_json::from_str(l).unwrap()).collect())
}

#[test]
fn a_record_has_upstreams_layout() {
    let (console, records) = logged(json!({}), || {
        tracing::warn!(target: "gateway/ws", conn = "c1", n = 3, "closed");
    });
    let record = &records[0];
    assert_eq!(record["0"], r#"{"subsystem":"gateway/ws"}"#);
    assert_eq!((&record["1"], &record["2"]), (&json!("closed"), &json!(r#"{"conn":"c1","n":3}"#)));
    let meta = &record["_meta"];
    assert_eq!(
        (&meta["logLevelId"], &meta["logLevelName"], &meta["hostname"]),
        (&json!(4), &json!("WARN"), &json!("host"))
    );
    assert_eq!((&meta["name"], &meta["date"]), (&record["0"], &record["time"]));
    let time: jiff::Timestamp = record["time"].as_str().unwrap().parse().unwrap();
    assert_eq!(format!("{time:.3}"), record["time"].as_str().unwrap());
    let (time, rest) = console.split_once(' ').unwrap();
    assert_eq!((time.len(), rest), (8, "[ws] warning: closed conn=c1 n=3\n"));
}

#[test]
fn sp_014_no_sink_shows_a_credential() {
    let (console, records) = logged(json!({ "level": "trace", "consoleLevel": "trace" }), || {
        let header = "Authorization: Bearer canarycanarycanarycanary";
        tracing::info!(target: "gateway", "started with {header}");
        tracing::info!(target: "gateway", token = "canary", gatewayPassword = ?Some("canarycanarycanary"), tokens = 5, "x");
        tracing::error!(target: "gateway", error = %std::io::Error::other("https://u:canary@h/ sk-canarycanarycanary"), "failed");
        tracing::debug!(target: "gateway", frame = r#"{"auth":{"token":"canary-canary"}}"#, "frame");
    });
    assert!(
        !console.contains("canarycanary") && !console.contains("u:canary") && !console.contains("=canary"),
        "{console}"
    );
    let file = Value::from(records.clone()).to_string();
    assert!(
        !file.contains("canarycanary") && !file.contains("u:canary") && !file.contains("\"canary"),
        "{file}"
    );
    assert!(!file.contains("canary-canary"), "{file}");
    assert_eq!(records.len(), 4);
    assert!(records[1]["2"].as_str().unwrap().contains("\"tokens\":5"));
}

#[test]
fn a_pattern_of_the_operator_counts_at_once() {
    let tmp = tempfile::tempdir().unwrap();
    let console = Console::default();
    let (logger, handle) = Logger::new(settings(tmp.path(), json!({})), Box::new(console.clone()));
    tracing::subscriber::with_default(logger, || {
        tracing::info!(target: "gateway", "corp-abcdef one");
        handle.reload(settings(
            tmp.path(),
            json!({ "redactPatterns": ["corp-[a-z]{6}"], "consoleStyle": "json", "level": "warn" }),
        ));
        tracing::info!(target: "gateway", "corp-abcdef two");
        handle.reload(settings(tmp.path(), json!({ "consoleLevel": "silent", "level": "silent" })));
        tracing::error!(target: "gateway", "three");
    });
    let text = console.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].ends_with("[gateway] corp-abcdef one"), "{text}");
    let second: Value = serde_json::from_str(lines[1]).unwrap();
    assert_eq!((&second["message"], &second["level"]), (&json!("*** two"), &json!("info")));
    assert_eq!(handle.path(), None);
}

#[test]
fn levels_are_each_sinks_own() {
    let events = || {
        tracing::error!(target: "gateway", fatal = true, "F");
        tracing::error!(target: "gateway", "E");
        tracing::warn!(target: "gateway", "W");
        tracing::info!(target: "gateway", "I");
        tracing::debug!(target: "gateway", "D");
        tracing::trace!(target: "gateway", "T");
        tracing::info!(target: "hyper::client", "library");
        tracing::warn!(target: "hyper::client", "L");
    };
    for (config, file, console) in [
        (json!({}), "FEWIL", "FEWIL"),
        (json!({ "level": "fatal", "consoleLevel": "error" }), "F", "FE"),
        (json!({ "level": "trace", "consoleLevel": "silent" }), "FEWIDTL", ""),
        (json!({ "level": "silent", "consoleLevel": "debug" }), "", "FEWIDL"),
    ] {
        let (text, records) = logged(config.clone(), events);
        let words: String = records.iter().map(|r| r["1"].as_str().unwrap()).collect();
        assert_eq!(words, file, "{config}");
        let words: String = text.lines().filter_map(|l| l.chars().last()).collect();
        assert_eq!(words, console, "{config}");
    }
}

#[test]
fn sp_349_what_peers_send_is_escaped_and_cut() {
    let evil = format!("a\u{1b}[2J\n2026-01-01T00:00:00.000Z [ws] res ok\u{202e}{}", "x".repeat(100_000));
    let (console, records) = logged(json!({}), || {
        tracing::info!(target: "gateway/ws", client = evil.as_str(), agent = ?evil, "hello {evil}");
        for n in 0..3 {
            tracing::info!(target: "gateway/ws", n, r#"quote " and \ and {{}}"#);
        }
    });
    assert_eq!((console.lines().count(), records.len()), (4, 4));
    for text in [&console, &Value::from(records).to_string()] {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{}", text.chars().take(200).collect::<String>());
        assert!(text.len() < 40_000, "{}", text.len());
    }
}

#[test]
fn sp_015_console_lines_are_printable() {
    let (console, _) = logged(json!({ "consoleStyle": "pretty" }), || {
        for c in ('\u{0}'..='\u{9f}').chain(['\u{200b}', '\u{200f}', '\u{2066}', '\u{feff}', '\u{ad}']) {
            tracing::info!(target: "gateway", value = %c, "c {c}");
        }
    });
    assert!(
        console
            .lines()
            .flat_map(str::chars)
            .all(|c| !c.is_control() && !"\u{200b}\u{200f}\u{2066}\u{feff}".contains(c))
    );
    assert_eq!(console.lines().count(), 0x9f + 1 + 5);
}

#[test]
fn a_file_that_cannot_be_written_stops_nothing_and_is_said_once() {
    let tmp = tempfile::tempdir().unwrap();
    let console = Console::default();
    std::fs::create_dir(tmp.path().join("gw.log")).unwrap();
    let (logger, _) =
        Logger::new(settings(tmp.path(), json!({ "file": "~/gw.log" })), Box::new(console.clone()));
    tracing::subscriber::with_default(logger, || {
        for n in 0..3 {
            tracing::info!(target: "gateway", n, "x");
        }
        std::fs::remove_dir(tmp.path().join("gw.log")).unwrap();
        tracing::info!(target: "gateway", "y");
    });
    assert_eq!(console.text().matches("cannot be written").count(), 1, "{}", console.text());
    assert_eq!(std::fs::read_to_string(tmp.path().join("gw.log")).unwrap().lines().count(), 1);
}

#[test]
fn settings_follow_the_configuration() {
    let tmp = tempfile::tempdir().unwrap();
    let plain = settings(tmp.path(), json!({}));
    assert_eq!(
        (plain.level, plain.console_level, plain.console_style),
        (Level::Info, Level::Info, Style::Compact)
    );
    assert_eq!(plain.max_file_bytes, 100 * 1024 * 1024);
    let set = settings(
        tmp.path(),
        json!({ "file": "~/x.log", "level": "debug", "consoleStyle": "json", "maxFileBytes": 70_000 }),
    );
    assert_eq!((set.level, set.console_style, set.max_file_bytes), (Level::Debug, Style::Json, 70_000));
    assert_eq!(set.target, Target::Fixed(tmp.path().join("x.log")));
}

#[test]
fn subsystems_are_short_for_people() {
    for (name, want) in [
        ("gateway/ws", "ws"),
        ("channels/telegram/default", "telegram/default"),
        ("gateway/a/b/c", "b/c"),
        ("agent", "agent"),
    ] {
        assert_eq!(console::short_subsystem(name), want);
    }
}

#[test]
fn what_is_said_about_the_traffic() {
    let fast = Duration::from_millis(50);
    assert!(!wire::prints(wire::Detail::Notable, false, fast));
    assert!(wire::prints(wire::Detail::Notable, true, fast));
    assert!(wire::prints(wire::Detail::Notable, false, fast + Duration::from_millis(1)));
    assert!(wire::prints(wire::Detail::Everything, false, fast));
    assert_eq!(wire::short_id("5d3c1f0e-0000-4000-8000-000000000041"), "5d3c1f0e…0041");
    assert_eq!(wire::short_id("a23456789012345678901234"), "a23456789012345678901234");
    assert_eq!(wire::short_id("a234567890123456789012345"), "a23456789012…2345");
    assert_eq!(wire::value(&"v".repeat(300)), format!("{}...", "v".repeat(240)));
    let (console, records) = logged(json!({ "redactPatterns": ["nothing-like-it"] }), || {
        let failure = Failure::new(Code::InvalidRequest, "no sk-canarycanarycanary");
        let answer =
            wire::Answered { conn: "c", method: "m\n", id: "r1", failure: Some(&failure), took: fast };
        wire::answered(&answer, wire::Detail::Notable);
        wire::answered(&wire::Answered { failure: None, ..answer }, wire::Detail::Notable);
        wire::refused(&wire::Refused {
            conn: "c",
            remote: "192.0.2.1",
            client: "cli",
            mode: "cli",
            version: "1",
            reason: "token_mismatch",
        });
        wire::unreadable("c", "not JSON");
        wire::event("tick", 3, wire::Detail::Notable);
    });
    assert_eq!(records.len(), 3);
    assert!(
        console.contains("code=INVALID_REQUEST") && console.contains("reason=token_mismatch"),
        "{console}"
    );
    assert!(!console.contains("canarycanary"), "{console}");
}

#[test]
fn sp_014_the_tail_is_masked_though_the_file_is_not() {
    let tmp = tempfile::tempdir().unwrap();
    let here = place(tmp.path(), json!({}));
    let file = tmp.path().join("gw.log");
    std::fs::write(&file, "{\"1\":\"Bearer canarycanarycanary\"}\n{\"1\":\"two\"}\nhalf").unwrap();
    let first = tail(&here, &file, json!({})).unwrap();
    assert_eq!(first["lines"], json!(["{\"1\":\"Bearer canary…nary\"}", "{\"1\":\"two\"}"]));
    assert_eq!((&first["truncated"], &first["reset"]), (&json!(false), &json!(false)));
    let again = tail(&here, &file, json!({ "cursor": first["cursor"] })).unwrap();
    assert_eq!((&again["lines"], &again["cursor"]), (&json!([]), &first["cursor"]));
    for params in [
        json!({ "limit": 0 }),
        json!({ "limit": 5001 }),
        json!({ "maxBytes": 1_000_001 }),
        json!({ "cursor": -1 }),
        json!({ "file": "/etc/passwd" }),
    ] {
        assert!(tail(&here, &file, params.clone()).is_err(), "{params}");
    }
}

#[test]
fn retention_is_off_unless_it_is_set() {
    let of = |v: Value| {
        retention::configured(&Node::from_json(&json!({ "session": { "retention": v } }), &Origin::Default))
    };
    assert_eq!(retention::configured(&Node::empty()), None);
    for (value, want) in [
        (json!("off"), None),
        (json!("0"), None),
        (json!("30d"), Some(30 * retention::DAY)),
        (json!("12h"), Some(retention::DAY / 2)),
        (json!("30"), Some(30 * retention::DAY)),
        (json!(true), None),
    ] {
        assert_eq!(of(value.clone()), want, "{value}");
    }
}
