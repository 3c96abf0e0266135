//! The chain: how a line is hashed, made and checked. No I/O.
//!
//! A line is `{"seq":N,"ts":"...","prev":"...","hash":"...",...}`. Its hash is SHA-256 over the 64 digits of `prev` followed by the bytes of
//! the line without the `hash` member and its comma. It is taken over the bytes as they stand, so no byte can change unseen.

use ring::digest;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::record::{Entry, Record};

/// `prev` of the first record.
pub const ORIGIN: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Longest line, in bytes, its end included.
pub const MAX_LINE: usize = 64 * 1024;

/// Where a chain ends: the number and the hash of its last record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of the last record; 0 for an empty chain.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

impl Head {
    /// Of a chain without records.
    #[must_use]
    pub fn empty() -> Self {
        Self { seq: 0, hash: ORIGIN.to_owned() }
    }
}

/// Why a line is not the next one of its chain.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Flaw {
    /// It cannot be read as a record.
    #[error("the line is no record: {0}")]
    Unreadable(String),
    /// Its bytes do not belong to its hash.
    #[error("the line was changed: its bytes do not belong to its hash")]
    Changed,
    /// It does not continue the record before.
    #[error("the line does not continue the one before (`prev` is another hash)")]
    Unlinked,
    /// A number is missing or comes twice.
    #[error("record {expected} should stand here, this is record {found}")]
    Misnumbered {
        /// The next number.
        expected: u64,
        /// The number that the line bears.
        found: u64,
    },
}

/// The hash of a line: over `prev` and its bytes without the `hash` member.
#[must_use]
pub fn hash(prev: &str, canonical: &[u8]) -> String {
    hash_of(prev, [canonical])
}

fn hash_of<const N: usize>(prev: &str, canonical: [&[u8]; N]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(prev.as_bytes());
    for part in canonical {
        context.update(part);
    }
    data_encoding::HEXLOWER.encode(context.finish().as_ref())
}

/// Writes the next line (without its end) behind `lines`, and answers where the chain ends then. `entry` goes in as it is. After a failure
/// `lines` is what it was.
///
/// # Errors
/// When it cannot be serialised, or would be longer than [`MAX_LINE`].
pub fn seal(head: &Head, ts: &str, entry: &Entry, lines: &mut String) -> Result<Head, serde_json::Error> {
    let seq = head.seq.saturating_add(1);
    let body = serde_json::to_string(entry)?;
    let body = body.strip_prefix('{').unwrap_or(&body);
    let start = format!(r#"{{"seq":{seq},"ts":"{ts}","prev":"{}","#, head.hash);
    let hash = hash_of(&head.hash, [start.as_bytes(), body.as_bytes()]);
    let parts = [start.as_str(), r#""hash":""#, &hash, r#"","#, body];
    let length: usize = parts.iter().map(|p| p.len()).sum();
    if length >= MAX_LINE {
        return Err(serde::ser::Error::custom(format!("a record of {length} bytes is too long")));
    }
    lines.reserve(length.saturating_add(1));
    parts.into_iter().for_each(|part| lines.push_str(part));
    Ok(Head { seq, hash })
}

/// Reads a line (without its end) and checks it by itself: its bytes belong to its hash.
///
/// # Errors
/// [`Flaw::Unreadable`] and [`Flaw::Changed`].
pub fn open(line: &[u8]) -> Result<Record, Flaw> {
    let unreadable = |why: &str| Flaw::Unreadable(why.to_owned());
    if line.len() >= MAX_LINE {
        return Err(unreadable("it is too long"));
    }
    let record: Record = serde_json::from_slice(line).map_err(|e| Flaw::Unreadable(e.to_string()))?;
    // The members before `hash` are a number, a time and a hash, so this is its first occurrence, whatever the texts behind it say.
    let marker = format!(r#""hash":"{}","#, record.hash);
    let at = line.windows(marker.len()).position(|w| w == marker.as_bytes());
    let (before, rest) =
        at.and_then(|at| line.split_at_checked(at)).ok_or_else(|| unreadable("no hash in its place"))?;
    let after = rest.get(marker.len()..).unwrap_or_default();
    let expected_start = format!(r#"{{"seq":{},"ts":"{}","prev":"{}","#, record.seq, record.ts, record.prev);
    if before != expected_start.as_bytes() {
        return Err(unreadable("its members are not in their order"));
    }
    if hash(&record.prev, &[before, after].concat()) != record.hash {
        return Err(Flaw::Changed);
    }
    Ok(record)
}

/// Whether a record is the next one after `head`.
///
/// # Errors
/// [`Flaw::Misnumbered`] and [`Flaw::Unlinked`].
pub fn continues(head: &Head, record: &Record) -> Result<(), Flaw> {
    let expected = head.seq.saturating_add(1);
    if record.seq != expected {
        return Err(Flaw::Misnumbered { expected, found: record.seq });
    }
    if record.prev != head.hash {
        return Err(Flaw::Unlinked);
    }
    Ok(())
}

/// The head after a record.
#[must_use]
pub fn head_after(record: &Record) -> Head {
    Head { seq: record.seq, hash: record.hash.clone() }
}
