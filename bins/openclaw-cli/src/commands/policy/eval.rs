//! `openclaw policy eval --jsonl`: rows in, answers out.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use oc_policy::batch::{Answer, answer};

use crate::app::App;
use crate::rows::{Row, answer_rows};

/// Longest row, in bytes: a configuration and its question.
const MAX_ROW: usize = 64 * 1024 * 1024;

/// Arguments of `openclaw policy eval`.
#[derive(Debug, clap::Args)]
pub struct EvalArgs {
    /// One JSON object a line, in and out.
    #[arg(long, required = true)]
    jsonl: bool,
    /// Read the rows from this file instead of standard input.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

pub fn run(_app: &App, args: &EvalArgs) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let result = match &args.file {
        Some(path) if path.as_os_str() != "-" => {
            let file =
                std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
            rows(BufReader::new(file), &mut out)
        }
        _ => rows(std::io::stdin().lock(), &mut out),
    };
    match result.and_then(|()| Ok(out.flush()?)) {
        Err(e)
            if e.downcast_ref::<std::io::Error>()
                .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) =>
        {
            Ok(ExitCode::SUCCESS)
        }
        result => result.map(|()| ExitCode::SUCCESS),
    }
}

/// Answers every row. A row that cannot be read gets an error as its answer.
fn rows(input: impl BufRead, out: &mut impl Write) -> anyhow::Result<()> {
    answer_rows(input, out, MAX_ROW, |row| match row {
        Row::TooLong => refused("the row is longer than 64 MiB"),
        Row::Line(line) => match serde_json::from_slice(line) {
            Ok(row) => answer(&row),
            Err(e) => refused(&format!("not JSON: {e}")),
        },
    })
}

fn refused(why: &str) -> Answer {
    Answer { error: Some(format!("bad_row: {why}")), ..Answer::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_keep_the_order_and_the_number_of_the_rows() {
        let input = concat!(
            r#"{"name":"a","config":{"tools":{"deny":["exec"]}},"context":{"sessionKey":"agent:main:main"},"tools":["exec","read"],"pluginTools":{}}"#,
            "\n\nnot json\n",
            r#"{"name":"b","config":{},"context":{"sessionKey":"agent:w"},"tools":["exec"],"pluginTools":{}}"#,
        );
        let mut out = Vec::new();
        rows(input.as_bytes(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], r#"{"name":"a","allowed":["read"],"removedBy":{"exec":"global"}}"#);
        assert!(lines[1].contains("bad_row"));
        assert_eq!(lines[2], r#"{"name":"b","allowed":[],"removedBy":{},"error":"malformed_agent"}"#);
        assert_eq!(lines.len(), 3);
    }
}
