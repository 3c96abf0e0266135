//! Calls of the Web API.

use oc_types::Secret;
use reqwest::Url;
use serde_json::Value;

use super::SERVICE;
use crate::adapter::AdapterFailure;
use crate::adapters::token_api::TokenApi;
use crate::http_client::{Answer, ApiRoot, Body, CALL_TIMEOUT, encoded};
use crate::json::Members as _;

/// Hosts where files are handed over.
const UPLOADS: &[&str] = &["slack.com", "slack-edge.com", "slack-files.com"];
/// The host of files that are fetched, and the folders in which it keeps them.
const FILES: &str = "files.slack.com";
const FOLDERS: [&str; 2] = ["/files-pri/", "/files-tmb/"];

/// The API of one bot.
#[derive(Debug)]
pub(super) struct Api {
    inner: TokenApi,
}

impl Api {
    pub(super) fn new(
        root: ApiRoot,
        token: (Secret, String),
        hidden: Vec<Secret>,
    ) -> Result<Self, AdapterFailure> {
        Ok(Self { inner: TokenApi::new(SERVICE, root, token, hidden)? })
    }

    pub(super) fn root(&self) -> &ApiRoot {
        self.inner.http().root()
    }

    pub(super) fn unavailable(&self, why: &str) -> AdapterFailure {
        self.inner.http().unavailable(why)
    }

    /// Calls a method as the bot.
    pub(super) async fn call(&self, method: &str, body: &Value) -> Result<Value, AdapterFailure> {
        self.call_with(method, body, self.inner.token(), self.inner.key()).await
    }

    /// Calls a method with another token, which stands at `key`.
    pub(super) async fn call_with(
        &self,
        method: &str,
        body: &Value,
        token: &Secret,
        key: &str,
    ) -> Result<Value, AdapterFailure> {
        let call = self.inner.http().post(&format!("/{method}")).json(body.clone()).bearer(token);
        self.done(&self.inner.http().send(call).await?, key)
    }

    /// Calls a method that takes a form alone.
    pub(super) async fn form(&self, method: &str, fields: &[(&str, &str)]) -> Result<Value, AdapterFailure> {
        let text: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let body = Body::Bytes {
            content_type: "application/x-www-form-urlencoded".to_owned(),
            bytes: text.join("&").into_bytes(),
        };
        let call = self.inner.http().post(&format!("/{method}")).body(body).bearer(self.inner.token());
        self.done(&self.inner.http().send(call).await?, self.inner.key())
    }

    /// Hands over the bytes of a file, at the address that the service named for it; the address is the credential.
    pub(super) async fn upload(&self, address: &str, bytes: &[u8]) -> Result<(), AdapterFailure> {
        let body = Body::Bytes { content_type: "application/octet-stream".to_owned(), bytes: bytes.to_vec() };
        let call = self.inner.http().post_elsewhere(address, UPLOADS)?.body(body).timeout(CALL_TIMEOUT * 4);
        let answer = self.inner.http().send(call).await?;
        if answer.is_success() { Ok(()) } else { Err(self.failure(&answer, "", self.inner.key())) }
    }

    /// Downloads a file. Who shares a file can choose its address, and the token goes with the call: only to where the service keeps files.
    pub(super) async fn file(&self, address: &str, most: u64) -> Result<Vec<u8>, AdapterFailure> {
        if !self.keeps_files(address) {
            let why = "it names a file that does not lie at the service".to_owned();
            return Err(AdapterFailure::Refused { service: SERVICE, why });
        }
        let call = self.inner.http().get_elsewhere(address, &[FILES])?.bearer(self.inner.token());
        let answer = self.inner.http().send(call.limit(most).timeout(CALL_TIMEOUT * 4)).await?;
        if answer.is_success() { Ok(answer.body) } else { Err(self.failure(&answer, "", self.inner.key())) }
    }

    fn keeps_files(&self, address: &str) -> bool {
        let Ok(url) = Url::parse(address) else { return false };
        let kept = url.host_str() == Some(FILES) && FOLDERS.iter().any(|f| url.path().starts_with(f));
        // A stand-in for the service on this machine keeps its files itself.
        kept || (self.root().is_plain() && self.root().same_origin(&url))
    }

    fn done(&self, answer: &Answer, key: &str) -> Result<Value, AdapterFailure> {
        let json = answer.json();
        if answer.is_success() && json.is_true("ok") {
            return Ok(json);
        }
        Err(self.failure(answer, json.text("error").unwrap_or_default(), key))
    }

    fn failure(&self, answer: &Answer, said: &str, key: &str) -> AdapterFailure {
        let why =
            if said.is_empty() { format!("status {}", answer.status) } else { self.inner.http().scrub(said) };
        let limited = answer.status == 429 || matches!(said, "ratelimited" | "rate_limited");
        match said {
            _ if limited => self.inner.limited(answer.retry_after),
            "invalid_auth"
            | "not_authed"
            | "account_inactive"
            | "token_revoked"
            | "token_expired"
            | "not_allowed_token_type" => {
                AdapterFailure::Credential { service: SERVICE, key: key.to_owned(), why }
            }
            "invalid_blocks" | "invalid_blocks_format" => {
                AdapterFailure::Formatting { service: SERVICE, why }
            }
            "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" | "" => {
                AdapterFailure::Unavailable { service: SERVICE, why }
            }
            _ => AdapterFailure::Refused { service: SERVICE, why },
        }
    }
}
