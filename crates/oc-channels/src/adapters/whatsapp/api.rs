//! Calls of the Graph API.

use std::time::Duration;

use oc_types::Secret;
use serde_json::Value;

use super::{SERVICE, digits};
use crate::adapter::AdapterFailure;
use crate::http_client::{Answer, ApiRoot, Body, CALL_TIMEOUT, Call, HttpClient};
use crate::json::Members as _;

/// Hosts of files.
const FILES: &[&str] = &["fbsbx.com", "facebook.com", "whatsapp.net"];

/// The API of one number.
#[derive(Debug)]
pub(super) struct Api {
    http: HttpClient,
    token: Secret,
    key: String,
}

impl Api {
    pub(super) fn new(
        root: ApiRoot,
        token: Secret,
        key: String,
        hidden: Vec<Secret>,
    ) -> Result<Self, AdapterFailure> {
        Ok(Self { http: HttpClient::new(SERVICE, root, hidden, None)?, token, key })
    }

    pub(super) fn unavailable(&self, why: &str) -> AdapterFailure {
        self.http.unavailable(why)
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, AdapterFailure> {
        self.json(self.http.get(path)).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value, AdapterFailure> {
        self.json(self.http.post(path).json(body)).await
    }

    pub(super) async fn post_form(&self, path: &str, body: Body) -> Result<Value, AdapterFailure> {
        self.json(self.http.post(path).body(body).timeout(CALL_TIMEOUT * 4)).await
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
        let call = self.http.get_elsewhere(address, FILES)?.limit(most).timeout(CALL_TIMEOUT * 4);
        self.call(call).await.map(|answer| answer.body)
    }

    async fn json(&self, call: Call) -> Result<Value, AdapterFailure> {
        self.call(call).await.map(|answer| answer.json())
    }

    async fn call(&self, call: Call) -> Result<Answer, AdapterFailure> {
        let answer = self.http.send(call.bearer(&self.token)).await?;
        if answer.is_success() { Ok(answer) } else { Err(self.failure(&answer)) }
    }

    fn failure(&self, answer: &Answer) -> AdapterFailure {
        let json = answer.json();
        let error = json.at("error");
        let why = self.http.scrub(error.text("message").unwrap_or("no reason given"));
        let code = error.at("code").as_u64().unwrap_or_default();
        match (code, answer.status) {
            (190, _) | (_, 401) => {
                AdapterFailure::Credential { service: SERVICE, key: self.key.clone(), why }
            }
            // Of the app, the account, the number, or the pair of two numbers.
            (4 | 80_007 | 130_429 | 131_048 | 131_056, _) | (_, 429) => AdapterFailure::RateLimited {
                service: SERVICE,
                after: answer.retry_after.unwrap_or(Duration::from_secs(5)),
            },
            // Too long ago: only a template may begin a conversation.
            (131_047, _) => AdapterFailure::Refused {
                service: SERVICE,
                why: "the person last wrote more than 24 hours ago".to_owned(),
            },
            (1 | 2 | 131_000 | 131_016, _) => AdapterFailure::Unavailable { service: SERVICE, why },
            (_, 400 | 403 | 404 | 413) => AdapterFailure::Refused { service: SERVICE, why },
            (_, status) => {
                AdapterFailure::Unavailable { service: SERVICE, why: format!("status {status}: {why}") }
            }
        }
    }
}
