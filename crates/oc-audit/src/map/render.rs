//! The map as text, at most 80 columns where the paths allow it.

use std::fmt::Write as _;

use oc_text::visible;

use super::{Backup, Place, Row};

/// The rows as text. `uid` is the user who asks.
#[must_use]
pub fn text(rows: &[Row], uid: Option<u32>) -> String {
    let mut out = String::new();
    for row in rows {
        let place = match &row.place {
            Place::Path(path) => visible(&path.to_string_lossy(), usize::MAX),
            Place::Key(key) => key.to_string(),
            Place::Variable(name) => format!("${name}"),
        };
        let _ = writeln!(out, "{}: {}", visible(&row.what, usize::MAX), place);
        let _ = writeln!(out, "    {}", state(row, uid));
        if row.exists {
            let backup = match row.backup {
                Backup::Yes => "back up, encrypted",
                Backup::No => "do not back up",
            };
            let _ = writeln!(out, "    {}; {backup}", row.holds);
        }
    }
    out
}

fn state(row: &Row, uid: Option<u32>) -> String {
    if !row.exists {
        return match row.place {
            Place::Path(_) => "not there".to_owned(),
            Place::Key(_) | Place::Variable(_) => "not set".to_owned(),
        };
    }
    if let Some(origin) = &row.origin {
        return format!("set at {origin}");
    }
    let Some(mode) = &row.mode else { return "set".to_owned() };
    let owner = match (row.owner, uid) {
        (Some(a), Some(b)) if a == b => "yours".to_owned(),
        (Some(0), _) => "root's".to_owned(),
        (Some(a), _) => format!("user {a}'s"),
        (None, _) => String::new(),
    };
    let files = row.files.map(|n| format!(", {n} files")).unwrap_or_default();
    format!("{} {mode}, {owner}{files}", row.kind.unwrap_or("file"))
}
