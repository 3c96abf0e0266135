//! People who asked a channel to be let in: `<credentials>/<channel>[-account]-pairing.json` and `-allowFrom.json` (channels 2).
//!
//! What a request, a code and an approval mean is [`crate::pairing`]'s part; here is where the files lie and in which order they are written.
//!
//! Invariant: the approved list is written before the request goes: at every moment the sender is in one of them.
//! Invariant: a file that is there and cannot be read is an error and stays as it is (SP-008).

use std::path::{Path, PathBuf};

use oc_config::load::Loaded;
use oc_fs::lock::{self, Convention, LockFailure};
use oc_fs::{atomic, mode, owned_file};
use oc_policy::access::{Approved, PairingView, PendingRequest};
use oc_types::{AccountId, ChannelId, Node};
use serde_json::{Value, json};
use thiserror::Error;

use crate::pairing::{ApprovedList, Pending, Request, Upserted, file_stem, parse_approved, parse_pending};

#[cfg(test)]
mod tests;

/// Largest store, in bytes.
const LIMIT: u64 = 8 * 1024 * 1024;

/// Why a store could not be used, or a code was not taken.
#[derive(Debug, Error)]
pub enum ChannelPairingFailure {
    /// The channel's name.
    #[error("{0}")]
    Channel(String),
    /// No request has this code, or it has expired.
    #[error("no request of {channel} has this code; codes live one hour")]
    NoSuchCode {
        /// The channel.
        channel: String,
    },
    /// The system gives no randomness, or no free code was found: nobody is offered one.
    #[error("no pairing code could be made: {0}")]
    Random(String),
    /// A store is damaged.
    #[error("{}: {why}; nobody is let in by it until it is mended", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, without its text.
        why: String,
    },
    /// The lock.
    #[error(transparent)]
    Lock(#[from] LockFailure),
    /// The directory.
    #[error("{}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The new content could not be written.
    #[error(transparent)]
    Write(#[from] atomic::WriteFailure),
}

/// The stores of one channel account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelPairing {
    /// The channel.
    pub channel: ChannelId,
    /// The account.
    pub account: AccountId,
    pending: PathBuf,
    approved: PathBuf,
}

impl ChannelPairing {
    /// The stores of an account. The plain names belong to the default account alone (SP-405). Creates nothing.
    ///
    /// # Errors
    /// [`ChannelPairingFailure::Channel`].
    pub fn of(credentials: &Path, channel: &str, account: &str) -> Result<Self, ChannelPairingFailure> {
        let channel = ChannelId::parse(channel).map_err(|e| ChannelPairingFailure::Channel(e.to_string()))?;
        let stem = file_stem(channel.as_str()).map_err(|e| ChannelPairingFailure::Channel(e.to_string()))?;
        let account = AccountId::normalized(account);
        let stem = if account.as_str() == AccountId::DEFAULT { stem } else { format!("{stem}-{account}") };
        Ok(Self {
            channel,
            account,
            pending: credentials.join(format!("{stem}-pairing.json")),
            approved: credentials.join(format!("{stem}-allowFrom.json")),
        })
    }

    /// The stores of every account that the configuration names, in its order.
    #[must_use]
    pub fn configured(loaded: &Loaded) -> Vec<Self> {
        let channels = loaded.tree.get("channels").and_then(Node::as_object);
        let mut out = Vec::new();
        for (name, channel) in channels.into_iter().flatten().filter(|(name, _)| name.as_str() != "defaults")
        {
            let accounts = channel.get("accounts").and_then(Node::as_object);
            let named = accounts.into_iter().flatten().map(|(account, _)| account.as_str());
            for account in [AccountId::DEFAULT].into_iter().chain(named.filter(|a| *a != AccountId::DEFAULT))
            {
                out.extend(Self::of(&loaded.locations.credentials, name, account).ok());
            }
        }
        out
    }

    /// Who waits, expired requests left out. Writes nothing.
    ///
    /// # Errors
    /// [`ChannelPairingFailure::Damaged`].
    pub fn waiting(&self, now_ms: i64) -> Result<Vec<Request>, ChannelPairingFailure> {
        let mut pending = Pending::new(self.read_pending()?.1);
        pending.prune(now_ms);
        Ok(pending.requests().to_vec())
    }

    /// Who was let in.
    ///
    /// # Errors
    /// [`ChannelPairingFailure::Damaged`].
    pub fn approved(&self) -> Result<Vec<String>, ChannelPairingFailure> {
        Ok(ApprovedList::new(self.channel.clone(), &self.read_approved()?).entries().to_vec())
    }

    /// A sender that is not approved wrote. Only [`Upserted::Created`] is answered. `meta` is what the channel knows of the sender.
    ///
    /// # Errors
    /// See [`ChannelPairingFailure`]; there is no request then.
    pub fn request(
        &self,
        id: &str,
        meta: &[(String, String)],
        now_ms: i64,
    ) -> Result<Upserted, ChannelPairingFailure> {
        let _lock = self.lock()?;
        // Both have to be whole: a code that cannot lead to an approval is not given out (SP-008).
        self.read_approved()?;
        let (raw, requests) = self.read_pending()?;
        let mut pending = Pending::new(requests);
        let mut failed = None;
        let system = ring::rand::SystemRandom::new();
        let mut random = |bytes: &mut [u8; crate::pairing::CODE_LENGTH]| {
            if ring::rand::SecureRandom::fill(&system, bytes).is_err() {
                failed = Some("the random source failed");
            }
        };
        let upserted = pending.upsert(id, meta, now_ms, &mut random);
        if let Some(why) = failed {
            return Err(ChannelPairingFailure::Random(why.to_owned()));
        }
        let upserted = upserted.map_err(|e| ChannelPairingFailure::Random(e.to_string()))?;
        if upserted != Upserted::Full {
            self.write_pending(&raw, &pending)?;
        }
        Ok(upserted)
    }

    /// A person refuses a code: the request goes, and nobody is let in.
    ///
    /// # Errors
    /// See [`ChannelPairingFailure`].
    pub fn reject(&self, code: &str, now_ms: i64) -> Result<String, ChannelPairingFailure> {
        let _lock = self.lock()?;
        let (raw, requests) = self.read_pending()?;
        let mut pending = Pending::new(requests);
        // The same comparison and expiry as for an approval; its result is thrown away.
        let Some(taken) = pending.approve(code, now_ms) else {
            self.write_pruned(&raw, &pending)?;
            return Err(ChannelPairingFailure::NoSuchCode { channel: self.channel.to_string() });
        };
        self.write_pending(&raw, &pending)?;
        Ok(taken.id)
    }

    /// Who waits; expired requests are taken out of the file.
    ///
    /// # Errors
    /// See [`ChannelPairingFailure`].
    pub fn list(&self, now_ms: i64) -> Result<Vec<Request>, ChannelPairingFailure> {
        let (_, requests) = self.read_pending()?;
        let mut pending = Pending::new(requests);
        if pending.prune(now_ms) {
            let _lock = self.lock()?;
            let (raw, requests) = self.read_pending()?;
            pending = Pending::new(requests);
            pending.prune(now_ms);
            self.write_pending(&raw, &pending)?;
        }
        Ok(pending.requests().to_vec())
    }

    /// Both stores as a decision looks at them. A damaged one admits nobody and gives no code.
    #[must_use]
    pub fn view(&self, now_ms: i64) -> PairingView {
        let read = self.approved().and_then(|approved| Ok((approved, self.read_pending()?.1)));
        match read {
            Ok((approved, requests)) => PairingView {
                approved: Approved::Entries(approved),
                pending: requests
                    .into_iter()
                    .map(|r| PendingRequest {
                        id: r.id,
                        code: None,
                        created_ms: r.created_ms,
                        last_seen_ms: r.last_seen_ms,
                    })
                    .collect(),
                now_ms,
            },
            Err(why) => PairingView {
                approved: Approved::Unreadable { why: why.to_string() },
                pending: Vec::new(),
                now_ms,
            },
        }
    }

    /// What has to change on the disk for [`ChannelPairing::view`] to change: sizes and times of both files.
    #[must_use]
    pub fn stamp(&self) -> Option<[(u64, i128, u64); 2]> {
        let of = |path: &Path| oc_fs::owned_file::stamp(path).ok();
        Some([of(&self.pending)?, of(&self.approved)?])
    }

    fn lock(&self) -> Result<lock::StoreLock, ChannelPairingFailure> {
        if let Some(path) = self.pending.parent() {
            mode::create_directories(path)
                .map_err(|source| ChannelPairingFailure::Directory { path: path.to_owned(), source })?;
        }
        Ok(lock::acquire(&self.pending, Convention::Upstream, lock::WAIT)?)
    }

    /// Writes the requests when expired ones went.
    fn write_pruned(&self, raw: &[Value], pending: &Pending) -> Result<(), ChannelPairingFailure> {
        if pending.requests().len() < raw.len() { self.write_pending(raw, pending) } else { Ok(()) }
    }

    /// Writes the requests; what other programs keep in one stays.
    fn write_pending(&self, raw: &[Value], pending: &Pending) -> Result<(), ChannelPairingFailure> {
        let time = |ms: Option<i64>| {
            ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).map(|t| format!("{t:.3}"))
        };
        let one = |r: &Request| {
            let old = raw.iter().find(|v| v.get("code").and_then(Value::as_str) == Some(r.code.as_str()));
            let mut out = old.and_then(Value::as_object).cloned().unwrap_or_default();
            let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
            put("id", r.id.clone().into());
            put("code", r.code.clone().into());
            for (key, at) in [("createdAt", r.created_ms), ("lastSeenAt", r.last_seen_ms)] {
                if let Some(at) = time(at) {
                    put(key, at.into());
                }
            }
            if !r.meta.is_empty() {
                let meta: serde_json::Map<String, Value> =
                    r.meta.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect();
                put("meta", meta.into());
            }
            Value::Object(out)
        };
        let requests: Vec<Value> = pending.requests().iter().map(one).collect();
        let text = json!({ "version": 1, "requests": requests });
        Ok(atomic::replace(&self.pending, format!("{text:#}\n").as_bytes())?)
    }

    /// A person approves a code: the sender it belongs to is let in, the request goes.
    ///
    /// # Errors
    /// See [`ChannelPairingFailure`].
    pub fn approve(&self, code: &str, now_ms: i64) -> Result<String, ChannelPairingFailure> {
        let _lock = self.lock()?;
        let (raw, requests) = self.read_pending()?;
        let mut pending = Pending::new(requests);
        let taken = pending.approve(code, now_ms);
        let Some(taken) = taken else {
            self.write_pruned(&raw, &pending)?;
            return Err(ChannelPairingFailure::NoSuchCode { channel: self.channel.to_string() });
        };
        let mut approved = ApprovedList::new(self.channel.clone(), &self.read_approved()?);
        approved.add(&taken.id);
        let list = json!({ "version": 1, "allowFrom": approved.entries() });
        atomic::replace(&self.approved, format!("{list:#}\n").as_bytes())?;
        self.write_pending(&raw, &pending)?;
        Ok(taken.id)
    }

    /// The requests as they stand in the file, and as they are read.
    fn read_pending(&self) -> Result<(Vec<Value>, Vec<Request>), ChannelPairingFailure> {
        let Some(text) = read(&self.pending)? else { return Ok((Vec::new(), Vec::new())) };
        let requests = parse_pending(&text).map_err(|e| damaged(&self.pending, &e))?;
        let whole: Value = serde_json::from_str(&text).unwrap_or_default();
        let raw = whole.get("requests").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok((raw, requests))
    }

    fn read_approved(&self) -> Result<Vec<String>, ChannelPairingFailure> {
        let Some(text) = read(&self.approved)? else { return Ok(Vec::new()) };
        parse_approved(&text).map_err(|e| damaged(&self.approved, &e))
    }
}

fn damaged(path: &Path, why: &dyn std::fmt::Display) -> ChannelPairingFailure {
    ChannelPairingFailure::Damaged { path: path.to_owned(), why: why.to_string() }
}

fn read(path: &Path) -> Result<Option<String>, ChannelPairingFailure> {
    let bytes = owned_file::read(path, LIMIT).map_err(|e| damaged(path, &e))?;
    bytes.map(|b| String::from_utf8(b).map_err(|_| damaged(path, &"it is no UTF-8"))).transpose()
}
