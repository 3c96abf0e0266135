//! Calls of the Graph API.

use std::time::Duration;

use oc_types::Secret;
use serde_json::Value;

use super::{SERVICE, digits};
use crate::adapter::AdapterFailure;
use crate::adapters::token_api::TokenApi;
use crate::http_client::{Answer, ApiRoot, Body, CALL_TIMEOUT, Call};
use crate::json::Members as _;

/// Hosts of files.
const FILES: &[&str] = &["fbsbx.com", "facebook.com", "whatsapp.net"];

/// The pause after a refusal for too many calls that names none.
const REST: Duration = Duration::from_secs(5);

/// The API of one number.
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

    pub(super) fn unavailable(&self, why: &str) -> AdapterFailure {
        self.inner.http().unavailable(why)
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, AdapterFailure> {
        self.json(self.inner.http().get(path)).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value, AdapterFailure> {
        self.json(self.inner.http().post(path).json(body)).await
    }

    pub(super) async fn post_form(&self, path: &str, body: Body) -> Result<Value, AdapterFailure> {
        self.json(self.inner.http().post(path).body(body).timeout(CALL_TIMEOUT * 4)).await
    }

    /// Downloads a file: its address is asked for first, and leads to the service alone.
    pub(super) async fn file(&self, id: &str, number_id: &str, most: u64) -> Result<Vec<u8>, AdapterFailure> {
        let refused = |why: String| AdapterFailure::Refused { service: SERVICE, why };
        let id = digits(id).ok_or_else(|| refused("it names no file".to_owned()))?;
        let found = self.get(&format!("/{id}?phone_number_id={number_id}")).await?;
        if found.at("file_size").as_u64().is_some_and(|n| n > most) {
            return Err(refused(format!("it is larger than {most} bytes")));
        }
        let address = found.text("url").ok_or_else(|| refused("it names no file".to_owned()))?;
        let call = self.inner.http().get_elsewhere(address, FILES)?.limit(most).timeout(CALL_TIMEOUT * 4);
        self.call(call).await.map(|answer| answer.body)
    }

    async fn json(&self, call: Call) -> Result<Value, AdapterFailure> {
        self.call(call).await.map(|answer| answer.json())
    }

    async fn call(&self, call: Call) -> Result<Answer, AdapterFailure> {
        let answer = self.inner.http().send(call.bearer(self.inner.token())).await?;
        if answer.is_success() { Ok(answer) } else { Err(self.failure(&answer)) }
    }

    fn failure(&self, answer: &Answer) -> AdapterFailure {
        let json = answer.json();
        let error = json.at("error");
        let said = error.text("message").unwrap_or("no reason given");
        let code = error.at("code").as_u64().unwrap_or_default();
        match (code, answer.status) {
            (190, _) => self.inner.refused_credential(said),
            // Of the app, the account, the number, or the pair of two numbers.
            (4 | 80_007 | 130_429 | 131_048 | 131_056, _) | (_, 429) => {
                self.inner.limited(Some(answer.retry_after.unwrap_or(REST)))
            }
            // Too long ago: only a template may begin a conversation.
            (131_047, _) => self.inner.refused("the person last wrote more than 24 hours ago"),
            (1 | 2 | 131_000 | 131_016, _) => self.unavailable(said),
            _ => self.inner.failure(answer, Some(said)),
        }
    }
}
