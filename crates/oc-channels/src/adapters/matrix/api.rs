//! Calls of the client-server API. A password is exchanged for a token when one is needed; the token stays in memory.

use std::time::Duration;

use oc_types::Secret;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{SERVICE, Token, is_user};
use crate::adapter::AdapterFailure;
use crate::http_client::{Answer, ApiRoot, CALL_TIMEOUT, Call, HttpClient, encoded};
use crate::json::Members as _;

/// How the account signs in.
#[derive(Debug)]
pub(super) enum Sign {
    Token(Token),
    Password { user: String, password: Secret, device: String },
}

/// The API for one account.
#[derive(Debug)]
pub(super) struct Api {
    http: HttpClient,
    sign: Sign,
    key: String,
    /// What `userId` says; the server has to agree.
    expected: Option<String>,
    session: Mutex<Session>,
}

#[derive(Debug, Default)]
struct Session {
    token: Option<Token>,
    device: Option<String>,
    user: Option<String>,
}

impl Api {
    pub(super) fn new(
        root: ApiRoot,
        sign: Sign,
        key: String,
        expected: Option<String>,
    ) -> Result<Self, AdapterFailure> {
        let hidden = match &sign {
            Sign::Token(token) => token.clone(),
            Sign::Password { password, .. } => password.clone(),
        };
        let http = HttpClient::new(SERVICE, root, vec![hidden], None)?;
        Ok(Self { http, sign, key, expected, session: Mutex::new(Session::default()) })
    }

    /// Our own user id, as the server says it.
    pub(super) async fn who(&self) -> Result<String, AdapterFailure> {
        let answer = self.call(self.http.get("/_matrix/client/v3/account/whoami")).await?;
        let id = answer.at("user_id").as_str().unwrap_or_default().to_owned();
        if !is_user(&id) {
            return Err(self.http.unavailable("the server does not say who we are"));
        }
        if let Some(expected) = &self.expected
            && !expected.eq_ignore_ascii_case(&id)
        {
            let why = format!("the credential is of {} and `userId` says {expected}", self.http.scrub(&id));
            return Err(AdapterFailure::Credential { service: SERVICE, key: self.key.clone(), why });
        }
        self.session.lock().await.user = Some(id.clone());
        Ok(id)
    }

    /// Our own user id, asked once.
    pub(super) async fn own_id(&self) -> Result<String, AdapterFailure> {
        let known = self.session.lock().await.user.clone();
        match known {
            Some(id) => Ok(id),
            None => self.who().await,
        }
    }

    pub(super) async fn get(&self, path: &str, timeout: Duration) -> Result<Value, AdapterFailure> {
        self.call(self.http.get(path).timeout(timeout)).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value, AdapterFailure> {
        self.call(self.http.post(path).json(body)).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> Result<Value, AdapterFailure> {
        self.call(self.http.put(path).json(body)).await
    }

    /// Uploads a file; gives its address.
    pub(super) async fn upload(
        &self,
        name: &str,
        media_type: &str,
        bytes: Vec<u8>,
    ) -> Result<String, AdapterFailure> {
        let path = format!("/_matrix/media/v3/upload?filename={}", encoded(name));
        let body = crate::http_client::Body::Bytes { content_type: media_type.to_owned(), bytes };
        let answer = self.call(self.http.post(&path).body(body).timeout(CALL_TIMEOUT * 4)).await?;
        answer
            .text("content_uri")
            .map(str::to_owned)
            .ok_or_else(|| self.http.unavailable("no address for the upload"))
    }

    /// Downloads `mxc://server/id`.
    pub(super) async fn media(&self, address: &str, most: u64) -> Result<Vec<u8>, AdapterFailure> {
        let refused = |why: &str| AdapterFailure::Refused { service: SERVICE, why: why.to_owned() };
        let (server, id) = media_parts(address).ok_or_else(|| refused("it names no file"))?;
        let (server, id) = (encoded(server), encoded(id));
        let mut old = false;
        loop {
            // Servers before 1.11 know only the older path.
            let path = if old { "/_matrix/media/v3/download" } else { "/_matrix/client/v1/media/download" };
            let call = self.http.get(&format!("{path}/{server}/{id}")).limit(most).timeout(CALL_TIMEOUT * 4);
            let token = self.token().await?;
            let answer = self.http.send(call.bearer(&token)).await?;
            if answer.is_success() {
                return Ok(answer.body);
            }
            let unknown =
                matches!(answer.status, 404 | 405) && answer.json().text("errcode") == Some("M_UNRECOGNIZED");
            if !unknown || old {
                return Err(self.failure(&answer));
            }
            old = true;
        }
    }

    async fn call(&self, call: Call) -> Result<Value, AdapterFailure> {
        let token = self.token().await?;
        let answer = self.http.send(call.bearer(&token)).await?;
        if answer.is_success() {
            return Ok(answer.json());
        }
        let failure = self.failure(&answer);
        // A token that came from a password can be had anew.
        if answer.status == 401 && matches!(self.sign, Sign::Password { .. }) {
            self.session.lock().await.token = None;
            return Err(self.http.unavailable("the session has ended; signing in again"));
        }
        Err(failure)
    }

    async fn token(&self) -> Result<Token, AdapterFailure> {
        let (user, password, device) = match &self.sign {
            Sign::Token(token) => return Ok(token.clone()),
            Sign::Password { user, password, device } => (user, password, device),
        };
        let mut session = self.session.lock().await;
        if let Some(token) = &session.token {
            return Ok(token.clone());
        }
        let mut body = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": user },
            "password": password.expose(),
            "initial_device_display_name": device,
        });
        if let (Some(device), Some(o)) = (&session.device, body.as_object_mut()) {
            o.insert("device_id".to_owned(), device.as_str().into());
        }
        let answer = self.http.send(self.http.post("/_matrix/client/v3/login").json(body)).await?;
        if !answer.is_success() {
            return Err(match self.failure(&answer) {
                AdapterFailure::Refused { why, .. } => {
                    AdapterFailure::Credential { service: SERVICE, key: self.key.clone(), why }
                }
                other => other,
            });
        }
        let json = answer.json();
        let token =
            json.text("access_token").ok_or_else(|| self.http.unavailable("the server gave no token"))?;
        let token = Token::new(token.to_owned());
        session.device = json.text("device_id").map(str::to_owned);
        session.token = Some(token.clone());
        Ok(token)
    }

    fn failure(&self, answer: &Answer) -> AdapterFailure {
        let json = answer.json();
        let code = json.text("errcode").unwrap_or_default();
        let why = self.http.scrub(json.text("error").unwrap_or(code));
        match (answer.status, code) {
            (429, _) => {
                let named = json.at("retry_after_ms").as_u64().map(Duration::from_millis);
                let after = named.or(answer.retry_after).unwrap_or(Duration::from_secs(1));
                AdapterFailure::RateLimited { service: SERVICE, after }
            }
            (401, _) | (_, "M_UNKNOWN_TOKEN" | "M_MISSING_TOKEN" | "M_USER_DEACTIVATED") => {
                AdapterFailure::Credential { service: SERVICE, key: self.key.clone(), why }
            }
            (400 | 403 | 404 | 405 | 413, _) => AdapterFailure::Refused { service: SERVICE, why },
            (status, _) => {
                AdapterFailure::Unavailable { service: SERVICE, why: format!("status {status}: {why}") }
            }
        }
    }
}

/// Server and id of `mxc://server/id`.
pub(super) fn media_parts(address: &str) -> Option<(&str, &str)> {
    let (server, id) = address.strip_prefix("mxc://")?.split_once('/')?;
    let server_ok =
        !server.is_empty() && server.chars().all(|c| c.is_ascii_alphanumeric() || ".:-[]".contains(c));
    let id_ok = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    (server_ok && id_ok && server.len() <= 255 && id.len() <= 255).then_some((server, id))
}
