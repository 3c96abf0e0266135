//! One question a line in, one answer a line out (`policy eval`, `exec check --jsonl`).

use std::io::{BufRead, Read, Write};

use serde::Serialize;

/// A line of input that is not blank.
pub enum Row<'l> {
    /// Its bytes.
    Line(&'l [u8]),
    /// It is longer than the limit; the rest of it was passed over.
    TooLong,
}

/// Answers every row, so that the two sides stay in step. `limit`: the longest row that is read, in bytes.
///
/// # Errors
/// When a stream fails.
pub fn answer_rows<A: Serialize>(
    mut input: impl BufRead,
    out: &mut impl Write,
    limit: usize,
    mut answer: impl FnMut(Row<'_>) -> A,
) -> anyhow::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.by_ref().take(limit as u64 + 1).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answered = if line.len() > limit {
            skip_line(&mut input, &line)?;
            answer(Row::TooLong)
        } else {
            answer(Row::Line(&line))
        };
        serde_json::to_writer(&mut *out, &answered)?;
        out.write_all(b"\n")?;
    }
}

/// Reads past the rest of a row that is too long.
fn skip_line(input: &mut impl BufRead, so_far: &[u8]) -> std::io::Result<()> {
    if so_far.ends_with(b"\n") {
        return Ok(());
    }
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            return Ok(());
        }
        let (used, ended) = match chunk.iter().position(|b| *b == b'\n') {
            Some(at) => (at + 1, true),
            None => (chunk.len(), false),
        };
        input.consume(used);
        if ended {
            return Ok(());
        }
    }
}
