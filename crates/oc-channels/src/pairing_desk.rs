//! Pairing stores for the ingress: views that are read again when the files change, requests with their lock, off the reactor.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use oc_policy::access::{Approved, PairingView};
use oc_types::ChannelId;

use crate::pairing::Upserted;
use crate::pairing_store::{ChannelPairing, ChannelPairingFailure};

/// How often a sender that waits is noted as seen, milliseconds: a flood of messages writes no file.
const SEEN_MS: i64 = 60_000;

type Account = (ChannelId, String);
type Stamp = [(u64, i128, u64); 2];

#[derive(Debug, Default)]
struct Cache {
    views: HashMap<Account, (Stamp, PairingView)>,
    noted: HashMap<(Account, String), i64>,
}

/// The stores of a credentials folder.
#[derive(Clone, Debug)]
pub struct PairingDesk {
    credentials: PathBuf,
    cache: Arc<Mutex<Cache>>,
}

impl PairingDesk {
    /// The desk of a folder.
    #[must_use]
    pub fn new(credentials: PathBuf) -> Self {
        Self { credentials, cache: Arc::default() }
    }

    /// What an account's stores hold now. A store that cannot be read admits nobody.
    pub async fn view(&self, channel: &ChannelId, account: &str, now_ms: i64) -> PairingView {
        let desk = self.clone();
        let key = (channel.clone(), account.to_owned());
        let read = tokio::task::spawn_blocking(move || desk.read(key, now_ms)).await;
        read.unwrap_or_else(|_| unreadable("the store could not be read".to_owned(), now_ms))
    }

    fn read(&self, key: Account, now_ms: i64) -> PairingView {
        let store = match ChannelPairing::of(&self.credentials, key.0.as_str(), &key.1) {
            Ok(store) => store,
            Err(why) => return unreadable(why.to_string(), now_ms),
        };
        // Looked at before reading: what changes in between is read again next time.
        let stamp = store.stamp();
        {
            let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            if let (Some(stamp), Some((known, view))) = (stamp, cache.views.get(&key))
                && stamp == *known
            {
                return PairingView { now_ms, ..view.clone() };
            }
        }
        let view = store.view(now_ms);
        if let (Some(stamp), Approved::Entries(_)) = (stamp, &view.approved) {
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.views.insert(key, (stamp, view.clone()));
        }
        view
    }

    /// Makes a request, or notes that its sender was seen again.
    ///
    /// # Errors
    /// See [`ChannelPairingFailure`]; there is no code then.
    pub async fn request(
        &self,
        channel: &ChannelId,
        account: &str,
        id: &str,
        meta: Vec<(String, String)>,
        now_ms: i64,
    ) -> Result<Upserted, ChannelPairingFailure> {
        let (desk, id) = (self.clone(), id.to_owned());
        let (channel, account) = (channel.clone(), account.to_owned());
        let made = tokio::task::spawn_blocking(move || {
            let store = ChannelPairing::of(&desk.credentials, channel.as_str(), &account)?;
            store.request(&id, &meta, now_ms)
        });
        made.await.unwrap_or_else(|_| Err(ChannelPairingFailure::Random("the task failed".to_owned())))
    }

    /// Answers a request by its code; the sender it belonged to. `None` when no request of this account has it.
    pub async fn answer(
        &self,
        channel: &ChannelId,
        account: &str,
        code: &str,
        allow: bool,
        now_ms: i64,
    ) -> Option<String> {
        let plausible = code.len() == crate::pairing::CODE_LENGTH
            && code.bytes().all(|b| crate::pairing::ALPHABET.contains(&b.to_ascii_uppercase()));
        if !plausible {
            return None;
        }
        let (desk, code) = (self.clone(), code.to_owned());
        let (channel, account) = (channel.clone(), account.to_owned());
        let answered = tokio::task::spawn_blocking(move || {
            let store = ChannelPairing::of(&desk.credentials, channel.as_str(), &account)?;
            if allow { store.approve(&code, now_ms) } else { store.reject(&code, now_ms) }
        });
        answered.await.ok()?.ok()
    }

    /// Whether it is time to note a waiting sender as seen.
    pub fn may_note(&self, channel: &ChannelId, account: &str, id: &str, now_ms: i64) -> bool {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.noted.len() > 4096 {
            cache.noted.retain(|_, at| now_ms.saturating_sub(*at) < SEEN_MS);
        }
        let key = ((channel.clone(), account.to_owned()), id.to_owned());
        let due = cache.noted.get(&key).is_none_or(|at| now_ms.saturating_sub(*at) >= SEEN_MS);
        if due {
            cache.noted.insert(key, now_ms);
        }
        due
    }
}

fn unreadable(why: String, now_ms: i64) -> PairingView {
    PairingView { approved: Approved::Unreadable { why }, pending: Vec::new(), now_ms }
}
