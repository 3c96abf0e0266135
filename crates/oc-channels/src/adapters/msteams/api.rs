//! Calls of the Bot Framework's REST API, and the token for them.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use oc_types::Secret;
use reqwest::Url;
use serde_json::Value;

use super::SERVICE;
use crate::adapter::AdapterFailure;
use crate::http_client::{Answer, ApiRoot, Body, CALL_TIMEOUT, Call, HttpClient, encoded};
use crate::json::Members as _;

const SCOPE: &str = "https://api.botframework.com/.default";
/// What stands in the path of every file of the service.
const ATTACHMENTS: &str = "/v3/attachments/";
/// Hosts of files that need no token of ours.
const FILES: &[&str] = &["sharepoint.com"];
/// A token is renewed so long before it expires.
const EARLY: Duration = Duration::from_secs(300);

/// What the app signs in with.
#[derive(Debug)]
pub(super) struct Credential {
    pub(super) app_id: String,
    pub(super) password: Secret,
    /// The configuration key of the password.
    pub(super) key: String,
    pub(super) tenant: Option<String>,
}

/// The API of one bot.
#[derive(Debug)]
pub(super) struct Api {
    service: HttpClient,
    login: HttpClient,
    credential: Credential,
    token: std::sync::Mutex<Option<(Secret, Instant)>>,
}

impl Api {
    pub(super) fn new(
        service: ApiRoot,
        login: ApiRoot,
        credential: Credential,
    ) -> Result<Self, AdapterFailure> {
        let hidden = || vec![credential.password.clone()];
        Ok(Self {
            service: HttpClient::new(SERVICE, service, hidden(), None)?,
            login: HttpClient::new(SERVICE, login, hidden(), None)?,
            credential,
            token: std::sync::Mutex::new(None),
        })
    }

    /// The address at which conversations are answered that named none.
    pub(super) fn root(&self) -> &ApiRoot {
        self.service.root()
    }

    /// The token, renewed when it is about to expire.
    pub(super) async fn sign_in(&self) -> Result<Secret, AdapterFailure> {
        if let Some((token, until)) = &*self.token.lock().unwrap_or_else(PoisonError::into_inner)
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let c = &self.credential;
        let tenant = c.tenant.as_deref().unwrap_or("botframework.com");
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", &c.app_id),
            ("client_secret", c.password.expose()),
            ("scope", SCOPE),
        ];
        let text: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let body = Body::Bytes {
            content_type: "application/x-www-form-urlencoded".to_owned(),
            bytes: text.join("&").into_bytes(),
        };
        let path = format!("/{}/oauth2/v2.0/token", encoded(tenant));
        let answer = self.login.send(self.login.post(&path).body(body)).await?;
        let json = answer.json();
        let token = json.text("access_token").filter(|_| answer.is_success());
        let Some(token) = token else {
            let said = json.text("error_description").or(json.text("error")).unwrap_or("no reason given");
            let why = self.login.scrub(said);
            return Err(match answer.status {
                400 | 401 => AdapterFailure::Credential { service: SERVICE, key: c.key.clone(), why },
                _ => self.failure(&answer),
            });
        };
        let lasts = Duration::from_secs(json.at("expires_in").as_u64().unwrap_or(600).min(86_400));
        let token = Secret::new(token.to_owned());
        let until = Instant::now() + lasts.saturating_sub(EARLY);
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some((token.clone(), until));
        Ok(token)
    }

    /// Posts below the address of a conversation.
    pub(super) async fn post(
        &self,
        address: &str,
        hosts: &[&str],
        body: Value,
    ) -> Result<Value, AdapterFailure> {
        let call = self.service.post_elsewhere(address, hosts)?.json(body);
        self.call(call).await.map(|answer| answer.json())
    }

    /// Downloads a file: from the service with our token, from a drive or a host of the configuration without one.
    pub(super) async fn file(
        &self,
        address: &str,
        (hosts, media): (&[&str], &[&str]),
        most: u64,
    ) -> Result<Vec<u8>, AdapterFailure> {
        let limited = |call: Call| call.limit(most).timeout(CALL_TIMEOUT * 4);
        if let Ok(call) = self.service.get_elsewhere(address, hosts) {
            // Who sends a file can choose its address, and the token goes with the call: only to where the service keeps files.
            if !Url::parse(address).is_ok_and(|url| url.path().contains(ATTACHMENTS)) {
                let why = "it names a file that does not lie where the service keeps them".to_owned();
                return Err(AdapterFailure::Refused { service: SERVICE, why });
            }
            return self.call(limited(call)).await.map(|answer| answer.body);
        }
        let open: Vec<&str> = FILES.iter().chain(media).copied().collect();
        let answer = self.service.send(limited(self.service.get_elsewhere(address, &open)?)).await?;
        if answer.is_success() { Ok(answer.body) } else { Err(self.failure(&answer)) }
    }

    async fn call(&self, call: Call) -> Result<Answer, AdapterFailure> {
        let token = self.sign_in().await?;
        let answer = self.service.send(call.bearer(&token)).await?;
        if answer.status == 401 {
            // The next call asks for another one.
            *self.token.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        if answer.is_success() { Ok(answer) } else { Err(self.failure(&answer)) }
    }

    fn failure(&self, answer: &Answer) -> AdapterFailure {
        let json = answer.json();
        let why = self.service.scrub(json.at("error").text("message").unwrap_or("no reason given"));
        match answer.status {
            401 => {
                AdapterFailure::Unavailable { service: SERVICE, why: "it does not take our token".to_owned() }
            }
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
