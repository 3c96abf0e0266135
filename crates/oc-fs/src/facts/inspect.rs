//! Single paths: what they are, what small files hold, what names a directory has.

use std::fs::{FileType, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use oc_audit::facts::{Entry, Kind, LinkTarget, Listing, PathFact, TextFact};

use crate::bounded_read::{self, ReadFailure};

/// What `lstat` says, and for a link what it leads to.
pub(super) fn path(path: &Path) -> PathFact {
    match std::fs::symlink_metadata(path) {
        Ok(meta) => {
            let kind = if meta.is_symlink() { Kind::Symlink(target(path)) } else { kind(meta.file_type()) };
            fact(path, kind, &meta)
        }
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            PathFact::missing(path)
        }
        Err(e) => PathFact { kind: Kind::Unknown(plain(&e)), ..PathFact::missing(path) },
    }
}

fn fact(path: &Path, kind: Kind, meta: &Metadata) -> PathFact {
    PathFact {
        path: path.to_owned(),
        kind,
        mode: meta.mode() & 0o7777,
        uid: meta.uid(),
        links: meta.nlink(),
        size: meta.len(),
    }
}

fn kind(kind: FileType) -> Kind {
    if kind.is_dir() {
        Kind::Directory
    } else if kind.is_file() {
        Kind::File
    } else if kind.is_symlink() {
        Kind::Symlink(LinkTarget::default())
    } else {
        Kind::Special
    }
}

/// The end of a chain of links; the target is looked at, never opened.
fn target(path: &Path) -> LinkTarget {
    let Ok(meta) = std::fs::metadata(path) else { return LinkTarget::default() };
    LinkTarget {
        resolved: std::fs::canonicalize(path).ok(),
        mode: Some(meta.mode() & 0o7777),
        file: meta.is_file(),
        directory: meta.is_dir(),
    }
}

/// The text of a regular file of at most `limit` bytes. Links are followed: what counts is what the product would read there.
pub(super) fn text(path: &Path, limit: u64) -> TextFact {
    match bounded_read::text(path, limit) {
        Ok(text) => TextFact::Text(text),
        Err(ReadFailure::Missing) => TextFact::Missing,
        Err(e) => TextFact::Unusable(e.to_string()),
    }
}

/// The names in a directory that is one itself.
pub(super) fn listing(path: &Path) -> Listing {
    let mut out = Listing::default();
    if !std::fs::symlink_metadata(path).is_ok_and(|m| m.is_dir()) {
        return out;
    }
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) => {
            out.failed = Some(plain(&e));
            return out;
        }
    };
    for entry in entries {
        match entry {
            Ok(_) if out.entries.len() >= Listing::MAX => {
                out.truncated = true;
                break;
            }
            Ok(entry) => {
                let kind = entry.file_type().map_or_else(|e| Kind::Unknown(plain(&e)), kind);
                out.entries.push(Entry { name: PathBuf::from(entry.file_name()), kind });
            }
            Err(e) => {
                out.failed = Some(plain(&e));
                break;
            }
        }
    }
    out.entries.sort_by(|a, b| a.name.cmp(&b.name));
    out
}

/// An error of the system in a few words.
pub(crate) fn plain(e: &std::io::Error) -> String {
    let text = e.to_string().to_lowercase();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
