//! Calls of the REST API.

use std::time::Duration;

use oc_types::Secret;
use serde_json::{Value, json};

use super::SERVICE;
use crate::adapter::AdapterFailure;
use crate::adapters::token_api::TokenApi;
use crate::http_client::{Answer, ApiRoot, Body, CALL_TIMEOUT, Call, encoded};
use crate::json::Members as _;

/// The service asks for a name of this form.
const AGENT: &str = concat!("DiscordBot (https://openclaw.invalid, ", env!("CARGO_PKG_VERSION"), ")");
/// Hosts of files.
const FILES: &[&str] = &["discordapp.com", "discordapp.net"];

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

    pub(super) fn key(&self) -> &str {
        self.inner.key()
    }

    pub(super) fn unavailable(&self, why: &str) -> AdapterFailure {
        self.inner.http().unavailable(why)
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, AdapterFailure> {
        self.call(self.inner.http().get(path)).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value, AdapterFailure> {
        self.call(self.inner.http().post(path).json(body)).await
    }

    /// The same with a form, which takes longer.
    pub(super) async fn post_form(&self, path: &str, body: Body) -> Result<Value, AdapterFailure> {
        self.call(self.inner.http().post(path).body(body).timeout(CALL_TIMEOUT * 4)).await
    }

    async fn call(&self, call: Call) -> Result<Value, AdapterFailure> {
        let authorization = Secret::new(format!("Bot {}", self.inner.token().expose()));
        let answer = self.inner.http().send(agent(call).header("authorization", authorization)).await?;
        if answer.is_success() { Ok(answer.json()) } else { Err(self.failure(&answer)) }
    }

    /// Answers an interaction. Its token stands in the path and is the only credential that is needed.
    pub(super) async fn acknowledge(
        &self,
        id: &str,
        token: &Secret,
        wants_words: bool,
    ) -> Result<(), AdapterFailure> {
        let path = format!("/interactions/{}/{}/callback", encoded(id), encoded(token.expose()));
        let body = if wants_words {
            // Seen by the one who asked alone; the answer itself is a message.
            json!({ "type": 4, "data": { "content": "Received.", "flags": 64 } })
        } else {
            json!({ "type": 6 })
        };
        let answer = self.inner.http().send(agent(self.inner.http().post(&path).json(body))).await?;
        if answer.is_success() { Ok(()) } else { Err(self.failure(&answer)) }
    }

    /// Downloads a file; without the credential, which its host does not need.
    pub(super) async fn file(&self, address: &str, most: u64) -> Result<Vec<u8>, AdapterFailure> {
        let call = agent(self.inner.http().get_elsewhere(address, FILES)?);
        let answer = self.inner.http().send(call.limit(most).timeout(CALL_TIMEOUT * 4)).await?;
        if answer.is_success() { Ok(answer.body) } else { Err(self.failure(&answer)) }
    }

    fn failure(&self, answer: &Answer) -> AdapterFailure {
        let json = answer.json();
        if answer.status == 429 {
            // Finer than the header.
            let named = json.at("retry_after").as_f64().and_then(|s| Duration::try_from_secs_f64(s).ok());
            return self.inner.limited(named.or(answer.retry_after));
        }
        self.inner.failure(answer, json.text("message"))
    }
}

fn agent(call: Call) -> Call {
    call.header("user-agent", Secret::new(AGENT.to_owned()))
}
