//! What the store says of a session: begun, gone on with, finished. Members that this program does not know stay as they are.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use oc_fs::session_store::{Entry, Sessions, session_id, updated_at};
use serde_json::{Map, Value, json};

use super::reset::{ResetPolicy, Stale};
use crate::message::Usage;

/// What a session keeps when it begins anew.
pub const KEPT: [&str; 21] = [
    "thinkingLevel",
    "verboseLevel",
    "reasoningLevel",
    "responseUsage",
    "providerOverride",
    "modelOverride",
    "authProfileOverride",
    "contextTokens",
    "sendPolicy",
    "groupActivation",
    "queueMode",
    "label",
    "displayName",
    "spawnedBy",
    "origin",
    "chatType",
    "channel",
    "deliveryContext",
    "lastChannel",
    "lastTo",
    "lastAccountId",
];

/// Why a session has the id that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fresh {
    /// It goes on.
    Kept,
    /// Nobody wrote here before.
    New,
    /// It was too old.
    Stale(Stale),
    /// An authorised sender wanted it (`/new`, `/reset`).
    Asked,
}

/// Whether an authorised sender wants a new session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wish {
    /// Nothing was said.
    None,
    /// `/new` or `/reset`.
    Anew,
}

/// What is known of the conversation; what is absent stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `direct`, `group`, `channel`.
    pub chat_type: Option<String>,
    /// The channel.
    pub channel: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// Where replies go.
    pub to: Option<String>,
    /// The thread.
    pub thread: Option<String>,
    /// The room.
    pub group: Option<String>,
    /// Its name, as people see it: untrusted.
    pub subject: Option<String>,
    /// The session that spawned it.
    pub spawned_by: Option<String>,
}

/// When, for [`begin`].
#[derive(Clone, Debug)]
pub struct Moment {
    /// Now.
    pub now: Timestamp,
    /// Where the machine is.
    pub zone: TimeZone,
}

/// A session at the start of a turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Begun {
    /// Its entry as it stands in the store now.
    pub entry: Entry,
    /// Whether it is a new one, and why.
    pub fresh: Fresh,
    /// The entry before, when it began anew.
    pub before: Option<Entry>,
}

/// Finds or makes the entry of a key and writes what is known. `id` is taken when a new session begins. Older spellings of a key (`:dm:`
/// for `:direct:`) are taken over.
#[must_use]
pub fn begin(
    all: &mut Sessions,
    key: &str,
    at: &Moment,
    policy: &ResetPolicy,
    wish: Wish,
    facts: &Facts,
    id: &str,
) -> Begun {
    let old = take(all, key);
    let fresh = match &old {
        None => Fresh::New,
        Some(entry) if session_id(entry).is_none() => Fresh::New,
        Some(_) if wish == Wish::Anew => Fresh::Asked,
        Some(entry) => {
            let updated = i64::try_from(updated_at(entry)).unwrap_or(i64::MAX);
            let updated = Timestamp::from_millisecond(updated).unwrap_or(Timestamp::UNIX_EPOCH);
            policy.stale(updated, at.now, &at.zone).map_or(Fresh::Kept, Fresh::Stale)
        }
    };
    let mut entry = match (&old, fresh) {
        (Some(entry), Fresh::Kept) => entry.clone(),
        (old, _) => anew(old.as_ref(), id),
    };
    write(&mut entry, facts);
    entry.insert("updatedAt".to_owned(), at.now.as_millisecond().into());
    all.insert(key.to_owned(), Value::Object(entry.clone()));
    Begun { entry, fresh, before: old.filter(|_| fresh != Fresh::Kept) }
}

fn anew(old: Option<&Entry>, id: &str) -> Entry {
    let mut entry = Map::new();
    entry.insert("sessionId".to_owned(), id.into());
    entry.insert("systemSent".to_owned(), false.into());
    entry.insert("abortedLastRun".to_owned(), false.into());
    for name in KEPT {
        if let Some(value) = old.and_then(|o| o.get(name)) {
            entry.insert(name.to_owned(), value.clone());
        }
    }
    for name in ["inputTokens", "outputTokens", "totalTokens"] {
        entry.insert(name.to_owned(), 0.into());
    }
    entry
}

fn write(entry: &mut Entry, facts: &Facts) {
    let rows = [
        ("chatType", &facts.chat_type),
        ("channel", &facts.channel),
        ("groupId", &facts.group),
        ("subject", &facts.subject),
        ("spawnedBy", &facts.spawned_by),
        ("lastChannel", &facts.channel),
        ("lastTo", &facts.to),
        ("lastAccountId", &facts.account),
        ("lastThreadId", &facts.thread),
    ];
    for (name, value) in rows {
        if let Some(value) = value {
            entry.insert(name.to_owned(), value.clone().into());
        }
    }
    if let (Some(channel), Some(to)) = (&facts.channel, &facts.to) {
        let mut delivery = json!({ "channel": channel, "to": to });
        if let Some(members) = delivery.as_object_mut() {
            for (name, value) in [("accountId", &facts.account), ("threadId", &facts.thread)] {
                if let Some(value) = value {
                    members.insert(name.to_owned(), value.clone().into());
                }
            }
        }
        entry.insert("deliveryContext".to_owned(), delivery);
    }
}

/// The entry of a key, in the spelling of today or in an older one; the younger of two counts, and both leave the store.
fn take(all: &mut Sessions, key: &str) -> Option<Entry> {
    let older = key.replacen(":direct:", ":dm:", 1);
    let names = [key, older.as_str()];
    let found = names.iter().filter_map(|n| match all.shift_remove(*n) {
        Some(Value::Object(entry)) => Some(entry),
        _ => None,
    });
    found.max_by_key(updated_at)
}

/// What a turn came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// Tokens of all its answers.
    pub usage: Usage,
    /// Tokens of the conversation by its last answer.
    pub context_tokens: u64,
    /// How often it was shortened.
    pub compactions: u64,
    /// Whether it was stopped.
    pub aborted: bool,
}

/// Writes what a turn came to. An entry that went on to another session meanwhile (`id`) stays as it is.
pub fn finish(all: &mut Sessions, key: &str, id: &str, now: Timestamp, turn: &Finished) {
    let Some(Value::Object(entry)) = all.get_mut(key) else { return };
    if session_id(entry) != Some(id) {
        return;
    }
    let before = |entry: &Entry, name: &str| entry.get(name).and_then(Value::as_u64).unwrap_or(0);
    let input = before(entry, "inputTokens").saturating_add(turn.usage.input);
    let output = before(entry, "outputTokens").saturating_add(turn.usage.output);
    let compactions = before(entry, "compactionCount").saturating_add(turn.compactions);
    let rows: [(&str, Value); 7] = [
        ("updatedAt", now.as_millisecond().into()),
        ("systemSent", true.into()),
        ("abortedLastRun", turn.aborted.into()),
        ("inputTokens", input.into()),
        ("outputTokens", output.into()),
        ("totalTokens", turn.context_tokens.into()),
        ("compactionCount", compactions.into()),
    ];
    for (name, value) in rows {
        entry.insert(name.to_owned(), value);
    }
}
