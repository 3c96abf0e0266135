//! Calls of the REST API.

use std::time::Duration;

use oc_types::Secret;
use serde_json::{Value, json};

use super::SERVICE;
use crate::adapter::AdapterFailure;
use crate::http_client::{Answer, ApiRoot, Body, CALL_TIMEOUT, Call, HttpClient, encoded};
use crate::json::Members as _;

/// The service asks for a name of this form.
const AGENT: &str = concat!("DiscordBot (https://openclaw.invalid, ", env!("CARGO_PKG_VERSION"), ")");
/// Hosts of files.
const FILES: &[&str] = &["discordapp.com", "discordapp.net"];

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

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn unavailable(&self, why: &str) -> AdapterFailure {
        self.http.unavailable(why)
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, AdapterFailure> {
        self.call(self.http.get(path)).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value, AdapterFailure> {
        self.call(self.http.post(path).json(body)).await
    }

    /// The same with a form, which takes longer.
    pub(super) async fn post_form(&self, path: &str, body: Body) -> Result<Value, AdapterFailure> {
        self.call(self.http.post(path).body(body).timeout(CALL_TIMEOUT * 4)).await
    }

    async fn call(&self, call: Call) -> Result<Value, AdapterFailure> {
        let authorization = Secret::new(format!("Bot {}", self.token.expose()));
        let answer = self.http.send(agent(call).header("authorization", authorization)).await?;
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
        let answer = self.http.send(agent(self.http.post(&path).json(body))).await?;
        if answer.is_success() { Ok(()) } else { Err(self.failure(&answer)) }
    }

    /// Downloads a file; without the credential, which its host does not need.
    pub(super) async fn file(&self, address: &str, most: u64) -> Result<Vec<u8>, AdapterFailure> {
        let call = agent(self.http.get_elsewhere(address, FILES)?);
        let answer = self.http.send(call.limit(most).timeout(CALL_TIMEOUT * 4)).await?;
        if answer.is_success() { Ok(answer.body) } else { Err(self.failure(&answer)) }
    }

    fn failure(&self, answer: &Answer) -> AdapterFailure {
        let json = answer.json();
        let why = self.http.scrub(json.text("message").unwrap_or("no reason given"));
        match answer.status {
            401 => AdapterFailure::Credential { service: SERVICE, key: self.key.clone(), why },
            429 => {
                let named = json.at("retry_after").as_f64();
                let named = named.and_then(|s| Duration::try_from_secs_f64(s).ok());
                let after = named.or(answer.retry_after).unwrap_or(Duration::from_secs(1));
                AdapterFailure::RateLimited { service: SERVICE, after }
            }
            400 | 403 | 404 | 413 => AdapterFailure::Refused { service: SERVICE, why },
            status => {
                AdapterFailure::Unavailable { service: SERVICE, why: format!("status {status}: {why}") }
            }
        }
    }
}

fn agent(call: Call) -> Call {
    call.header("user-agent", Secret::new(AGENT.to_owned()))
}
