//! The keys with which the service signs, fetched from the OpenID root and renewed.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use tokio::sync::Notify;

use super::SERVICE;
use crate::adapter::{AdapterFailure, WebhookRefusal};
use crate::http_client::{ApiRoot, HttpClient};
use crate::json::Members as _;

/// Hosts of the list of keys, beside the root's own.
const HOSTS: &[&str] = &["botframework.com"];
/// Most keys that are taken over.
const MOST: usize = 64;
/// Pause before the keys are fetched again because one was not among them.
const PAUSE: Duration = Duration::from_secs(300);
/// Largest list of keys, in bytes.
const LIMIT: u64 = 1024 * 1024;

/// A key of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) modulus: Vec<u8>,
    pub(super) exponent: Vec<u8>,
    /// The services it may sign for.
    endorsements: Vec<String>,
}

impl Key {
    /// Whether it may sign for a service. One that is endorsed for nothing signs for nothing.
    pub(super) fn signs_for(&self, service: &str) -> bool {
        self.endorsements.iter().any(|e| e == service)
    }
}

/// The keys in force.
#[derive(Debug)]
pub(super) struct Keys {
    http: HttpClient,
    known: RwLock<HashMap<String, Key>>,
    wanted: Notify,
}

impl Keys {
    pub(super) fn new(root: ApiRoot) -> Result<Self, AdapterFailure> {
        let http = HttpClient::new(SERVICE, root, Vec::new(), None)?;
        Ok(Self { http, known: RwLock::default(), wanted: Notify::new() })
    }

    /// The key of a name. One that is not known makes the keys be fetched again soon.
    ///
    /// # Errors
    /// [`WebhookRefusal::Signature`] for one that is not known, [`WebhookRefusal::Unready`] before the keys were fetched once.
    pub(super) fn find(&self, name: &str) -> Result<Key, WebhookRefusal> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = known.get(name) else {
            self.wanted.notify_one();
            return Err(if known.is_empty() { WebhookRefusal::Unready } else { WebhookRefusal::Signature });
        };
        Ok(found.clone())
    }

    /// Keeps the keys up to date until that fails.
    pub(super) async fn keep(&self, every: Duration) -> AdapterFailure {
        loop {
            if let Err(e) = self.fetch().await {
                return e;
            }
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                // At most one fetch in a while, however many unknown names come.
                () = async {
                    tokio::time::sleep(PAUSE).await;
                    self.wanted.notified().await;
                } => {}
            }
        }
    }

    /// Fetches the keys once. The former ones stay in force when that fails.
    pub(super) async fn fetch(&self) -> Result<(), AdapterFailure> {
        let answer = self.http.send(self.http.get("").limit(LIMIT)).await?;
        let configuration = answer.json();
        let address = configuration.text("jwks_uri").filter(|_| answer.is_success());
        let address = address.ok_or_else(|| self.http.unavailable("the OpenID root names no keys"))?;
        let answer = self.http.send(self.http.get_elsewhere(address, HOSTS)?.limit(LIMIT)).await?;
        let keys = read(&answer.json());
        if !answer.is_success() || keys.is_empty() {
            return Err(self.http.unavailable("the OpenID root has no usable keys"));
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn set(&self, list: &Value) {
        *self.known.write().unwrap() = read(list);
    }
}

/// RSA keys for signatures; others are passed over.
fn read(list: &Value) -> HashMap<String, Key> {
    let mut out = HashMap::new();
    for key in list.items("keys").iter().take(MOST) {
        let usable = key.text("kty") == Some("RSA") && key.text("use").is_none_or(|u| u == "sig");
        let number = |name: &str| {
            key.text(name).and_then(|t| BASE64URL_NOPAD.decode(t.trim_end_matches('=').as_bytes()).ok())
        };
        if let (true, Some(name), Some(modulus), Some(exponent)) =
            (usable, key.text("kid"), number("n"), number("e"))
        {
            let words = key.items("endorsements").iter().filter_map(Value::as_str);
            let endorsements = words.map(str::to_owned).collect();
            out.insert(name.to_owned(), Key { modulus, exponent, endorsements });
        }
    }
    out
}
