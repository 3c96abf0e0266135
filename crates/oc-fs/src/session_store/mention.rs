//! Rooms that an answer goes to without a mention (`groupActivation: "always"` of a session): switched off while locked down, and back.
//!
//! The setting stands in the session, not in the configuration, and wins over it; a lockdown that left it would leave those rooms open.

use serde_json::Value;
use thiserror::Error;

use super::{SessionStore, SessionStoreFailure, Sessions};
use crate::fix_record::{FileRecord, UndoRefused};

/// The member of an entry.
const KEY: &str = "groupActivation";
/// Its word for: every message.
const ALWAYS: &str = "always";
/// Its word for: messages that mention the assistant.
const MENTION: &str = "mention";

/// Why the sessions of a store were not changed.
#[derive(Debug, Error)]
pub enum LockdownStep {
    /// The store.
    #[error(transparent)]
    Store(#[from] SessionStoreFailure),
    /// What has to be noted first could not be noted; nothing was changed.
    #[error(transparent)]
    NotNoted(#[from] UndoRefused),
}

/// The sessions that answer without a mention, by key.
#[must_use]
pub fn activated(all: &Sessions) -> Vec<String> {
    let always = |entry: &Value| {
        entry.get(KEY).and_then(Value::as_str).is_some_and(|w| w.trim().eq_ignore_ascii_case(ALWAYS))
    };
    all.iter().filter(|(_, entry)| always(entry)).map(|(key, _)| key.clone()).collect()
}

/// Has every session of a store wait for a mention; `note` gets the old text first. Returns the sessions that did not.
///
/// # Errors
/// See [`LockdownStep`]; nothing was changed then.
pub fn mute(
    store: &SessionStore,
    note: impl FnOnce(&FileRecord) -> Result<(), UndoRefused>,
) -> Result<Vec<String>, LockdownStep> {
    if activated(&store.read()?).is_empty() {
        return Ok(Vec::new());
    }
    store.change_noted(
        |all| {
            let keys = activated(all);
            set(all, &keys, MENTION);
            Ok(keys)
        },
        |record| Ok(note(record)?),
    )
}

/// Gives sessions that changed meanwhile their setting of before back: those that are still there, and still wait for a mention. Returns them.
///
/// # Errors
/// See [`SessionStoreFailure`].
pub fn unmute(store: &SessionStore, before: &str) -> Result<Vec<String>, SessionStoreFailure> {
    let before: Sessions = serde_json::from_str(before).map_err(|e| SessionStoreFailure::Damaged {
        path: store.path().to_owned(),
        why: format!("its earlier text, line {}: not JSON", e.line()),
    })?;
    store.change(|all| {
        let waits =
            |key: &String| all.get(key).and_then(|e| e.get(KEY)).and_then(Value::as_str) == Some(MENTION);
        let keys: Vec<String> = activated(&before).into_iter().filter(waits).collect();
        set(all, &keys, ALWAYS);
        Ok(keys)
    })
}

fn set(all: &mut Sessions, keys: &[String], word: &str) {
    for key in keys {
        if let Some(entry) = all.get_mut(key).and_then(Value::as_object_mut) {
            entry.insert(KEY.to_owned(), word.into());
        }
    }
}
