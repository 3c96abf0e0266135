//! How long masking takes: `cargo bench -p oc-text`. Prints one line a text and fails when the promise of `docs/performance.md` is
//! broken: 50 ms for a line of 1 MiB (logging-redaction 3).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement that reports to the terminal"
)]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use oc_text::Redactor;

const SIZE: usize = 1024 * 1024;
const LIMIT: Duration = Duration::from_millis(50);

fn median(text: &str) -> Duration {
    let redactor = Redactor::standard();
    let mut times: Vec<Duration> = (0..7)
        .map(|_| {
            let start = Instant::now();
            black_box(redactor.redact(black_box(text)));
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn main() -> ExitCode {
    let mut kept = true;
    let prose = "connection 12 closed after 35 ms: peer went away, code 1006, agent main. ";
    let json = r#"{"0":"{\"subsystem\":\"gateway/ws\"}","1":"res","time":"2026-01-01T00:00:00.000Z"} "#;
    for (name, unit) in [
        ("prose", prose),
        ("log records", json),
        ("one letter", "a"),
        ("names of keys", "KEY"),
        ("digits", "1"),
        ("colons and slashes", "://"),
        ("headers without end", "-----BEGIN PRIVATE KEY-----"),
        ("quotes", "\""),
        ("backslashes", "\\"),
        ("user info without end", "a://a:"),
        ("assignments, all masked", "A_TOKEN=hunter22222222222222 "),
        ("not ASCII", "ключ 鍵 "),
    ] {
        let text: String = unit.repeat(SIZE / unit.len());
        let took = median(&text);
        let verdict = if took <= LIMIT { "" } else { "  NOT KEPT" };
        kept &= took <= LIMIT;
        println!(
            "{name:<26} {:>8.1} ms (promise {} ms){verdict}",
            took.as_secs_f64() * 1e3,
            LIMIT.as_millis()
        );
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
