//! Calls of the REST API.

use std::time::Duration;

use oc_types::Secret;
use serde_json::Value;

use super::SERVICE;
use crate::adapter::AdapterFailure;
use crate::http_client::{Answer, ApiRoot, Body, CALL_TIMEOUT, Call, HttpClient};
use crate::json::Members as _;

/// The API of one bot.
#[derive(Debug)]
pub(super) struct Api {
    http: HttpClient,
    token: Secret,
    key: String,
}

impl Api {
    pub(super) fn new(root: ApiRoot, token: Secret, key: String) -> Result<Self, AdapterFailure> {
        Ok(Self { http: HttpClient::new(SERVICE, root, vec![token.clone()], None)?, token, key })
    }

    pub(super) fn root(&self) -> &ApiRoot {
        self.http.root()
    }

    pub(super) fn token(&self) -> &Secret {
        &self.token
    }

    pub(super) fn unavailable(&self, why: &str) -> AdapterFailure {
        self.http.unavailable(why)
    }

    /// That the credential is not taken.
    pub(super) fn refused_credential(&self, why: &str) -> AdapterFailure {
        AdapterFailure::Credential { service: SERVICE, key: self.key.clone(), why: self.http.scrub(why) }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, AdapterFailure> {
        self.json(self.http.get(&format!("/api/v4{path}"))).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value, AdapterFailure> {
        self.json(self.http.post(&format!("/api/v4{path}")).json(body)).await
    }

    pub(super) async fn post_form(&self, path: &str, body: Body) -> Result<Value, AdapterFailure> {
        self.json(self.http.post(&format!("/api/v4{path}")).body(body).timeout(CALL_TIMEOUT * 4)).await
    }

    pub(super) async fn file(&self, id: &str, most: u64) -> Result<Vec<u8>, AdapterFailure> {
        let call = self.http.get(&format!("/api/v4/files/{id}")).limit(most).timeout(CALL_TIMEOUT * 4);
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
        let why = self.http.scrub(json.text("message").unwrap_or("no reason given"));
        match answer.status {
            401 => AdapterFailure::Credential { service: SERVICE, key: self.key.clone(), why },
            429 => AdapterFailure::RateLimited {
                service: SERVICE,
                after: answer.retry_after.unwrap_or(Duration::from_secs(1)),
            },
            400 | 403 | 404 | 413 => AdapterFailure::Refused { service: SERVICE, why },
            status => {
                AdapterFailure::Unavailable { service: SERVICE, why: format!("status {status}: {why}") }
            }
        }
    }
}
