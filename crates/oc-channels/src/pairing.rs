//! Pairing: pending requests with their codes, and the approved list (channels 2, SP-411).

use oc_policy::access::is_expired;
pub use oc_policy::access::{MAX_PENDING, REQUEST_LIFETIME_MS};
use oc_types::ChannelId;
use ring::hmac;
use thiserror::Error;

mod code;
mod store_text;
#[cfg(test)]
mod tests;

pub use code::{ALPHABET, CODE_LENGTH, CodeExhausted, Random, new_code};
pub use store_text::{StoreTextError, parse_approved, parse_pending};

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The sender's id.
    pub id: String,
    /// The code a person types. Never logged.
    pub code: String,
    /// When it was made, Unix milliseconds; `None` for a missing or bad date, which counts as expired.
    pub created_ms: Option<i64>,
    /// When the sender was last seen; never extends the lifetime.
    pub last_seen_ms: Option<i64>,
    /// What the channel knows of the sender: flat, non-empty, trimmed.
    pub meta: Vec<(String, String)>,
}

impl Request {
    fn seen(&self) -> Option<i64> {
        self.last_seen_ms.or(self.created_ms)
    }
}

/// The answer to a sender's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upserted {
    /// A new request; the code is sent once.
    Created {
        /// The code.
        code: String,
    },
    /// Still waiting: same code, nothing is sent.
    Known {
        /// The code.
        code: String,
    },
    /// The cap is reached: no request, no code, no reply.
    Full,
}

/// An approval that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedRequest {
    /// The sender the code belonged to: the code binds it, nobody else's id is approved.
    pub id: String,
    /// The request.
    pub request: Request,
}

/// The pending requests of one channel account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    requests: Vec<Request>,
}

impl Pending {
    /// Takes over what a file holds.
    #[must_use]
    pub fn new(requests: Vec<Request>) -> Self {
        Self { requests }
    }

    /// The requests as they are, expired ones included until the next operation.
    #[must_use]
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// Removes expired requests, then those over the cap, the ones not seen for longest first. `true` when something went.
    pub fn prune(&mut self, now_ms: i64) -> bool {
        let before = self.requests.len();
        self.requests.retain(|r| !is_expired(r.created_ms, now_ms));
        while self.requests.len() > MAX_PENDING {
            let oldest = self.requests.iter().enumerate().min_by_key(|(_, r)| r.seen()).map(|(i, _)| i);
            let Some(i) = oldest else { break };
            self.requests.remove(i);
        }
        before != self.requests.len()
    }

    /// A sender that is not approved wrote.
    ///
    /// # Errors
    /// [`CodeExhausted`] when no free code was found.
    pub fn upsert(
        &mut self,
        id: &str,
        meta: &[(String, String)],
        now_ms: i64,
        random: &mut Random<'_>,
    ) -> Result<Upserted, CodeExhausted> {
        self.prune(now_ms);
        let id = id.trim();
        if let Some(known) = self.requests.iter_mut().find(|r| r.id == id) {
            known.last_seen_ms = Some(now_ms);
            if !meta.is_empty() {
                known.meta = clean_meta(meta);
            }
            return Ok(Upserted::Known { code: known.code.clone() });
        }
        if self.requests.len() >= MAX_PENDING || id.is_empty() {
            return Ok(Upserted::Full);
        }
        let code = new_code(random, |code| self.requests.iter().any(|r| r.code == code))?;
        self.requests.push(Request {
            id: id.to_owned(),
            code: code.clone(),
            created_ms: Some(now_ms),
            last_seen_ms: Some(now_ms),
            meta: clean_meta(meta),
        });
        Ok(Upserted::Created { code })
    }

    /// A person approves a code, in any case. The request is removed; an expired one is never found.
    pub fn approve(&mut self, code: &str, now_ms: i64) -> Option<ApprovedRequest> {
        self.prune(now_ms);
        let wanted = code.trim().to_uppercase();
        if wanted.is_empty() {
            return None;
        }
        // All are compared, each in constant time (SP-012).
        let hits: Vec<usize> = self
            .requests
            .iter()
            .enumerate()
            .filter(|(_, r)| same_code(&r.code, &wanted))
            .map(|(i, _)| i)
            .collect();
        let request = self.requests.remove(*hits.first()?);
        Some(ApprovedRequest { id: request.id.clone(), request })
    }
}

/// Compares through keyed digests, so that neither content nor length shows in the time.
fn same_code(a: &str, b: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"pairing code comparison");
    let tag = hmac::sign(&key, a.to_uppercase().as_bytes());
    hmac::verify(&key, b.as_bytes(), tag.as_ref()).is_ok()
}

fn clean_meta(meta: &[(String, String)]) -> Vec<(String, String)> {
    let trimmed = meta.iter().map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned()));
    trimmed.filter(|(k, v)| !k.is_empty() && !v.is_empty()).collect()
}

/// The approved senders of one channel account, in normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedList {
    channel: ChannelId,
    entries: Vec<String>,
}

impl ApprovedList {
    /// Takes over what a file holds: normalised; blank entries and `*` are left out, so is a repetition.
    #[must_use]
    pub fn new(channel: ChannelId, stored: &[String]) -> Self {
        let mut list = Self { channel, entries: Vec::new() };
        for entry in stored {
            list.add(entry);
        }
        list
    }

    /// The entries.
    #[must_use]
    pub fn entries(&self) -> &[String] {
        &self.entries
    }

    /// Adds an entry; `true` when the list changed.
    pub fn add(&mut self, entry: &str) -> bool {
        match self.normal(entry) {
            Some(entry) if !self.entries.contains(&entry) => {
                self.entries.push(entry);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Removes an entry; `true` when the list changed.
    pub fn remove(&mut self, entry: &str) -> bool {
        let Some(entry) = self.normal(entry) else { return false };
        let before = self.entries.len();
        self.entries.retain(|e| *e != entry);
        before != self.entries.len()
    }

    fn normal(&self, entry: &str) -> Option<String> {
        oc_policy::access::store_entry(&self.channel, entry)
    }
}

/// A channel name that cannot be part of a file name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no usable channel name")]
pub struct InvalidChannelName(String);

/// The `<channel>` part of the store file names: trimmed, lower case, separators and `..` as `_`.
///
/// # Errors
/// [`InvalidChannelName`] when nothing usable is left.
pub fn file_stem(channel: &str) -> Result<String, InvalidChannelName> {
    let low = channel.trim().to_lowercase().replace("..", "_");
    let out: String =
        low.chars().map(|c| if c.is_control() || "\\/:*?\"<>|".contains(c) { '_' } else { c }).collect();
    if out.is_empty() || out == "_" {
        return Err(InvalidChannelName(channel.chars().take(80).collect()));
    }
    Ok(out)
}
