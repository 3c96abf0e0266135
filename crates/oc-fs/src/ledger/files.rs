//! The files of a ledger: their names, their last line, the note of the head.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::chain::{Head, MAX_LINE};
use crate::bounded_read;

/// Largest part file that is read, in bytes. A part is begun anew long before.
pub(super) const READ_AT_MOST: u64 = 1024 * 1024 * 1024;

/// The parts, oldest first, with their numbers.
pub(super) fn parts(directory: &Path) -> io::Result<Vec<(u32, PathBuf)>> {
    let mut out = Vec::new();
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(out),
        Err(e) => return Err(e),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|n| n.strip_prefix("ledger-")?.strip_suffix(".jsonl"))
            .filter(|digits| digits.len() >= 6)
            .and_then(|digits| digits.parse::<u32>().ok());
        out.extend(number.map(|n| (n, entry.path())));
    }
    out.sort();
    Ok(out)
}

/// The path of a part.
pub(super) fn part(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("ledger-{number:06}.jsonl"))
}

/// The end of a part: its last whole line without its end, and the bytes behind it, which are an unfinished line.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// Size of the file up to the end of its last whole line.
    pub whole: u64,
    /// The last whole line; `None` when there is none.
    pub line: Option<Vec<u8>>,
    /// What follows it.
    pub torn: Vec<u8>,
}

/// Reads the end of a part.
pub(super) fn tail(file: &File) -> io::Result<Tail> {
    let size = file.metadata()?.len();
    let window = (2 * MAX_LINE as u64).min(size);
    let start = size - window;
    let mut bytes = vec![0; usize::try_from(window).unwrap_or_default()];
    file.read_exact_at(&mut bytes, start)?;
    let Some(end) = bytes.iter().rposition(|b| *b == b'\n') else {
        if start == 0 {
            return Ok(Tail { whole: 0, line: None, torn: bytes });
        }
        return Err(io::Error::new(io::ErrorKind::InvalidData, "its last line is too long to be a record"));
    };
    let (body, rest) = bytes.split_at_checked(end).unwrap_or_default();
    let torn = rest.get(1..).unwrap_or_default().to_vec();
    let line = match body.iter().rposition(|b| *b == b'\n') {
        Some(at) => body.get(at + 1..).unwrap_or_default().to_vec(),
        None if start == 0 => body.to_vec(),
        None => {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "its last line is too long to be a record",
            ));
        }
    };
    Ok(Tail { whole: start + end as u64 + 1, line: Some(line), torn })
}

/// The note of the last acknowledged record: `NUMBER HASH`. It shows when whole lines are missing at the end.
pub(super) fn note_path(directory: &Path) -> PathBuf {
    directory.join("head")
}

/// Length of the note in bytes: 20 digits, a blank, 64 digits, a line end.
const NOTE: usize = 86;

/// What the note says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// There is none.
    Missing,
    /// It cannot be read.
    Damaged,
    /// The last acknowledged record.
    Head(Head),
}

/// Reads the note.
pub(super) fn note(directory: &Path) -> Note {
    let bytes = match bounded_read::bytes(&note_path(directory), 4096) {
        Ok(bytes) => bytes,
        Err(bounded_read::ReadFailure::Missing) => return Note::Missing,
        Err(_) => return Note::Damaged,
    };
    if bytes.is_empty() {
        return Note::Missing;
    }
    let parsed = String::from_utf8(bytes).ok().filter(|t| t.len() == NOTE).and_then(|text| {
        let (seq, hash) = text.strip_suffix('\n')?.split_once(' ')?;
        let hexadecimal = hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let digits = seq.len() == 20 && seq.bytes().all(|b| b.is_ascii_digit());
        (hash.len() == 64 && hexadecimal && digits).then_some(())?;
        Some(Head { seq: seq.parse().ok()?, hash: hash.to_owned() })
    });
    parsed.map_or(Note::Damaged, Note::Head)
}

/// The note of a head, as it is written.
pub(super) fn note_text(head: &Head) -> String {
    format!("{:020} {}\n", head.seq, head.hash)
}

/// Makes a new name in the directory durable.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
