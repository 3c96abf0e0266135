//! People who asked a channel to be let in: `<credentials>/<channel>[-account]-pairing.json` and `-allowFrom.json` (channels 2).
//!
//! What a request, a code and an approval mean is `oc-channels`' part; here is where the files lie and in which order they are written.
//!
//! Invariant: the approved list is written before the request goes: at every moment the sender is in one of them.
//! Invariant: a file that is there and cannot be read is an error and stays as it is (SP-008).

use std::path::{Path, PathBuf};

use oc_channels::pairing::{ApprovedList, Pending, Request, file_stem, parse_approved, parse_pending};
use oc_config::load::Loaded;
use oc_fs::lock::{self, Convention, LockFailure};
use oc_fs::{atomic, mode, owned_file};
use oc_types::{AccountId, ChannelId, Node};
use serde_json::{Value, json};
use thiserror::Error;

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

    /// A person approves a code: the sender it belongs to is let in, the request goes.
    ///
    /// # Errors
    /// See [`ChannelPairingFailure`].
    pub fn approve(&self, code: &str, now_ms: i64) -> Result<String, ChannelPairingFailure> {
        if let Some(path) = self.pending.parent() {
            mode::create_directories(path)
                .map_err(|source| ChannelPairingFailure::Directory { path: path.to_owned(), source })?;
        }
        let _lock = lock::acquire(&self.pending, Convention::Upstream, lock::WAIT)?;
        let (raw, requests) = self.read_pending()?;
        let mut pending = Pending::new(requests);
        let taken = pending.approve(code, now_ms);
        let Some(taken) = taken else {
            return Err(ChannelPairingFailure::NoSuchCode { channel: self.channel.to_string() });
        };
        let mut approved = ApprovedList::new(self.channel.clone(), &self.read_approved()?);
        approved.add(&taken.id);
        let list = json!({ "version": 1, "allowFrom": approved.entries() });
        atomic::replace(&self.approved, format!("{list:#}\n").as_bytes())?;
        // What other programs keep in a request stays.
        let left = raw.into_iter().filter(|r| {
            let code = r.get("code").and_then(Value::as_str).unwrap_or_default();
            pending.requests().iter().any(|p| p.code == code)
        });
        let rest = json!({ "version": 1, "requests": left.collect::<Vec<_>>() });
        atomic::replace(&self.pending, format!("{rest:#}\n").as_bytes())?;
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
