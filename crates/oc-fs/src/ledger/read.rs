//! The records of a ledger, oldest first.

use std::io;
use std::path::{Path, PathBuf};

use super::chain::{self, Flaw};
use super::files;
use super::record::Record;
use crate::bounded_read::{self, ReadFailure};

/// One line of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The file.
    pub file: PathBuf,
    /// Line in it, from 1.
    pub number: usize,
    /// Its first byte in the file.
    pub offset: u64,
    /// Whether it has its end; the last line of a killed writer has none.
    pub ended: bool,
    /// The record, or why the line is none.
    pub record: Result<Record, Flaw>,
}

/// Reads every line of a ledger's folder. A missing folder is an empty ledger.
///
/// # Errors
/// When a file exists and cannot be read.
pub fn read(directory: &Path) -> io::Result<Vec<Line>> {
    let mut out = Vec::new();
    for (_, file) in files::parts(directory)? {
        let bytes = match bounded_read::bytes(&file, files::READ_AT_MOST) {
            Ok(bytes) => bytes,
            Err(ReadFailure::Missing) => continue,
            Err(e) => return Err(io::Error::other(format!("{}: {e}", file.display()))),
        };
        lines(&file, &bytes, &mut out);
    }
    Ok(out)
}

/// The lines of one file's bytes.
pub(super) fn lines(file: &Path, bytes: &[u8], out: &mut Vec<Line>) {
    let mut offset = 0u64;
    for (index, piece) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        let line = piece.strip_suffix(b"\n");
        out.push(Line {
            file: file.to_owned(),
            number: index + 1,
            offset,
            ended: line.is_some(),
            record: chain::open(line.unwrap_or(piece)),
        });
        offset += piece.len() as u64;
    }
}
