//! Calls of the REST API.

use oc_types::Secret;
use serde_json::Value;

use super::SERVICE;
use crate::adapter::AdapterFailure;
use crate::adapters::token_api::TokenApi;
use crate::http_client::{Answer, ApiRoot, Body, CALL_TIMEOUT, Call};
use crate::json::Members as _;

/// The API of one bot.
#[derive(Debug)]
pub(super) struct Api {
    inner: TokenApi,
}

impl Api {
    pub(super) fn new(root: ApiRoot, token: (Secret, String)) -> Result<Self, AdapterFailure> {
        let hidden = vec![token.0.clone()];
        Ok(Self { inner: TokenApi::new(SERVICE, root, token, hidden)? })
    }

    pub(super) fn root(&self) -> &ApiRoot {
        self.inner.http().root()
    }

    pub(super) fn token(&self) -> &Secret {
        self.inner.token()
    }

    pub(super) fn unavailable(&self, why: &str) -> AdapterFailure {
        self.inner.http().unavailable(why)
    }

    /// That the credential is not taken.
    pub(super) fn refused_credential(&self, why: &str) -> AdapterFailure {
        self.inner.refused_credential(why)
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, AdapterFailure> {
        self.json(self.inner.http().get(&format!("/api/v4{path}"))).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value, AdapterFailure> {
        self.json(self.inner.http().post(&format!("/api/v4{path}")).json(body)).await
    }

    pub(super) async fn post_form(&self, path: &str, body: Body) -> Result<Value, AdapterFailure> {
        self.json(self.inner.http().post(&format!("/api/v4{path}")).body(body).timeout(CALL_TIMEOUT * 4))
            .await
    }

    pub(super) async fn file(&self, id: &str, most: u64) -> Result<Vec<u8>, AdapterFailure> {
        let call =
            self.inner.http().get(&format!("/api/v4/files/{id}")).limit(most).timeout(CALL_TIMEOUT * 4);
        self.call(call).await.map(|answer| answer.body)
    }

    async fn json(&self, call: Call) -> Result<Value, AdapterFailure> {
        self.call(call).await.map(|answer| answer.json())
    }

    async fn call(&self, call: Call) -> Result<Answer, AdapterFailure> {
        let answer = self.inner.http().send(call.bearer(self.inner.token())).await?;
        if answer.is_success() {
            Ok(answer)
        } else {
            Err(self.inner.failure(&answer, answer.json().text("message")))
        }
    }
}
