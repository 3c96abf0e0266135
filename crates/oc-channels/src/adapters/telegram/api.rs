//! Calls of the Bot API. The token stands in the path of every address, so no address is ever said.

use std::time::Duration;

use oc_types::{KeyPath, Secret};
use serde_json::Value;

use super::SERVICE;
use crate::adapter::AdapterFailure;
use crate::http_client::{Answer, ApiRoot, Body, CALL_TIMEOUT, HttpClient, encoded};
use crate::json::Members as _;

/// The API of one bot.
#[derive(Debug)]
pub(super) struct Api {
    http: HttpClient,
    token: Secret,
    token_key: String,
}

impl Api {
    pub(super) fn new(
        root: ApiRoot,
        token: Secret,
        token_key: String,
        hidden: Vec<Secret>,
        proxy: Option<(&KeyPath, &str)>,
    ) -> Result<Self, AdapterFailure> {
        Ok(Self { http: HttpClient::new(SERVICE, root, hidden, proxy)?, token, token_key })
    }

    /// Calls a method; gives its `result`.
    pub(super) async fn call(&self, method: &str, parameters: Value) -> Result<Value, AdapterFailure> {
        self.exchange(method, Body::Json(parameters), CALL_TIMEOUT).await
    }

    /// The same with a body of any kind and another time limit.
    pub(super) async fn exchange(
        &self,
        method: &str,
        body: Body,
        timeout: Duration,
    ) -> Result<Value, AdapterFailure> {
        let path = format!("/bot{}/{method}", self.token.expose());
        let answer = self.http.send(self.http.post(&path).body(body).timeout(timeout)).await?;
        let mut json = answer.json();
        if answer.is_success() && json.is_true("ok") {
            return Ok(json.get_mut("result").map(Value::take).unwrap_or_default());
        }
        Err(self.failure(&answer, &json))
    }

    /// Downloads a file by its id.
    pub(super) async fn file(&self, id: &str, most: u64) -> Result<Vec<u8>, AdapterFailure> {
        let refused = |why: String| AdapterFailure::Refused { service: SERVICE, why };
        let file = self.call("getFile", serde_json::json!({ "file_id": id })).await?;
        if file.at("file_size").as_u64().is_some_and(|n| n > most) {
            return Err(refused(format!("it is larger than {most} bytes")));
        }
        let path = file.at("file_path").as_str().unwrap_or_default();
        // A path of the service's own disk, or one that climbs, is none that we ask for.
        let usable = !path.is_empty() && path.split('/').all(|p| !p.is_empty() && p != "." && p != "..");
        if !usable {
            return Err(refused("it names no file".to_owned()));
        }
        let path: Vec<String> = path.split('/').map(encoded).collect();
        let call = self.http.get(&format!("/file/bot{}/{}", self.token.expose(), path.join("/")));
        let answer = self.http.send(call.limit(most).timeout(CALL_TIMEOUT * 4)).await?;
        if answer.is_success() { Ok(answer.body) } else { Err(self.failure(&answer, &Value::Null)) }
    }

    fn failure(&self, answer: &Answer, json: &Value) -> AdapterFailure {
        let code =
            json.at("error_code").as_u64().and_then(|c| u16::try_from(c).ok()).unwrap_or(answer.status);
        let said = json.at("description").as_str().unwrap_or("no reason given");
        let why = self.http.scrub(said);
        match code {
            // The API knows no such path: there is no bot with this token.
            401 | 404 => AdapterFailure::Credential { service: SERVICE, key: self.token_key.clone(), why },
            409 => AdapterFailure::Conflict { service: SERVICE, why },
            429 => {
                let seconds = json.at("parameters").at("retry_after").as_f64();
                let named = seconds.and_then(|s| Duration::try_from_secs_f64(s).ok());
                let after = named.or(answer.retry_after).unwrap_or(Duration::from_secs(1));
                AdapterFailure::RateLimited { service: SERVICE, after }
            }
            400 if said.contains("can't parse entities") => {
                AdapterFailure::Formatting { service: SERVICE, why }
            }
            400 | 403 | 413 => AdapterFailure::Refused { service: SERVICE, why },
            _ => AdapterFailure::Unavailable { service: SERVICE, why: format!("status {code}: {why}") },
        }
    }
}
