//! Is every record there, unchanged and in its place?

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::chain::{self, Flaw, Head};
use super::files::{self, Note};
use super::read::{Line, read};
use super::record::Kind;

/// A place where the ledger is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Break {
    /// The file.
    pub file: PathBuf,
    /// Line in it, from 1; 0 when it concerns the whole file.
    pub line: usize,
    /// First byte of that line in the file.
    pub offset: u64,
    /// Number of the record, where it can be read.
    pub seq: Option<u64>,
    /// What is wrong: one sentence without a full stop.
    pub what: String,
}

/// What a check of the whole ledger found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Records that can be read.
    pub records: usize,
    /// Files.
    pub files: usize,
    /// Where the chain ends. Kept elsewhere, it proves later that nothing was taken away.
    pub head: Head,
    /// Damage; empty when all is well.
    pub breaks: Vec<Break>,
    /// Bytes of an unfinished last line that was never acknowledged; the next writer sets it aside.
    pub unfinished: usize,
    /// Unfinished lines that were set aside before (numbers of the records that tell of it).
    pub set_aside: Vec<u64>,
}

impl Verification {
    /// Whether every record is there and unchanged.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.breaks.is_empty()
    }
}

/// Checks a ledger's folder. `anchor` is the hash of a record that was noted elsewhere; it must be in the chain.
///
/// # Errors
/// When a file exists and cannot be read.
pub fn verify(directory: &Path, anchor: Option<&str>) -> io::Result<Verification> {
    let lines = read(directory)?;
    let mut out = Verification {
        records: 0,
        files: files::parts(directory)?.len(),
        head: Head::empty(),
        breaks: Vec::new(),
        unfinished: 0,
        set_aside: Vec::new(),
    };
    let last = lines.len();
    // After a break the next line is taken as it is, so that one damage is one break.
    let mut head = Some(Head::empty());
    let mut seen_anchor = anchor.is_none();
    let mut noted_hash: Option<(u64, String)> = None;
    let note = files::note(directory);
    for (index, line) in lines.iter().enumerate() {
        let found = |seq: Option<u64>, what: String| Break {
            file: line.file.clone(),
            line: line.number,
            offset: line.offset,
            seq,
            what,
        };
        if !line.ended && index + 1 == last && unacknowledged(&note, out.head.seq) {
            out.unfinished = line_length(line)?;
            continue;
        }
        let record = match &line.record {
            Ok(_) if !line.ended => Err("the line has no end".to_owned()),
            Ok(record) => Ok(record),
            Err(flaw) => Err(flaw.to_string()),
        };
        let record = match record {
            Ok(record) => record,
            Err(what) => {
                let next = head.as_ref().map(|h| h.seq + 1);
                out.breaks.push(found(next, what));
                head = None;
                continue;
            }
        };
        if let Some(head) = &head
            && let Err(flaw) = chain::continues(head, record)
        {
            let what = match &flaw {
                Flaw::Misnumbered { found, expected } if found > expected => {
                    format!("records {expected} to {} are missing before this line", found - 1)
                }
                other => other.to_string(),
            };
            out.breaks.push(found(Some(record.seq), what));
        }
        out.records += 1;
        seen_anchor |= anchor == Some(record.hash.as_str());
        if let Note::Head(noted) = &note
            && noted.seq == record.seq
        {
            noted_hash = Some((record.seq, record.hash.clone()));
        }
        if record.entry.kind == Kind::Recovery {
            out.set_aside.push(record.seq);
        }
        out.head = chain::head_after(record);
        head = Some(out.head.clone());
    }
    check_note(directory, &note, noted_hash, &mut out);
    if !seen_anchor {
        out.breaks.push(Break {
            file: directory.to_owned(),
            line: 0,
            offset: 0,
            seq: None,
            what: "no record has the hash that was given".to_owned(),
        });
    }
    Ok(out)
}

/// Whether the record after `seq` was never acknowledged, as far as the note of the head knows.
fn unacknowledged(note: &Note, seq: u64) -> bool {
    match note {
        Note::Head(noted) => noted.seq <= seq,
        Note::Missing => true,
        Note::Damaged => false,
    }
}

fn line_length(line: &Line) -> io::Result<usize> {
    let size = std::fs::metadata(&line.file)?.len();
    Ok(usize::try_from(size.saturating_sub(line.offset)).unwrap_or(usize::MAX))
}

fn check_note(directory: &Path, note: &Note, matched: Option<(u64, String)>, out: &mut Verification) {
    let what = match (note, matched) {
        (Note::Missing, _) if out.records == 0 => return,
        // It is written after the first record is synced: a kill between the two leaves one record and no note.
        (Note::Missing, _) if out.records == 1 => return,
        (Note::Missing, _) => "the note of the last record is missing".to_owned(),
        (Note::Damaged, _) => "the note of the last record cannot be read".to_owned(),
        // It names the last record that was synced: the chain may go on behind it.
        (Note::Head(noted), Some((_, hash))) if noted.hash == hash => return,
        (Note::Head(noted), Some(_)) => format!("the note has another hash for record {}", noted.seq),
        (Note::Head(noted), None) => format!("record {} was written and is not there", noted.seq),
    };
    out.breaks.push(Break { file: files::note_path(directory), line: 0, offset: 0, seq: None, what });
}
