//! What the APIs share that are called with one token: where it stands in the configuration, and what a status means.

use std::time::Duration;

use oc_types::Secret;

use crate::adapter::AdapterFailure;
use crate::http_client::{Answer, ApiRoot, HttpClient};

/// The pause after a refusal for too many calls that names none.
const REST: Duration = Duration::from_secs(1);

/// A client with its token.
#[derive(Debug)]
pub(super) struct TokenApi {
    service: &'static str,
    http: HttpClient,
    token: Secret,
    /// Where the token stands.
    key: String,
}

impl TokenApi {
    /// `hidden` never shows in an error, and has to hold the token.
    pub(super) fn new(
        service: &'static str,
        root: ApiRoot,
        (token, key): (Secret, String),
        hidden: Vec<Secret>,
    ) -> Result<Self, AdapterFailure> {
        Ok(Self { service, http: HttpClient::new(service, root, hidden, None)?, token, key })
    }

    pub(super) fn http(&self) -> &HttpClient {
        &self.http
    }

    pub(super) fn token(&self) -> &Secret {
        &self.token
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// That the token is not taken.
    pub(super) fn refused_credential(&self, why: &str) -> AdapterFailure {
        AdapterFailure::Credential { service: self.service, key: self.key.clone(), why: self.http.scrub(why) }
    }

    /// That the service wants fewer calls.
    pub(super) fn limited(&self, after: Option<Duration>) -> AdapterFailure {
        AdapterFailure::RateLimited { service: self.service, after: after.unwrap_or(REST) }
    }

    /// That this call is refused, and the next one may be taken.
    pub(super) fn refused(&self, why: &str) -> AdapterFailure {
        AdapterFailure::Refused { service: self.service, why: self.http.scrub(why) }
    }

    /// What a status says, with what the service says of it.
    pub(super) fn failure(&self, answer: &Answer, said: Option<&str>) -> AdapterFailure {
        let why = said.unwrap_or("no reason given");
        match answer.status {
            401 => self.refused_credential(why),
            429 => self.limited(answer.retry_after),
            400 | 403 | 404 | 413 => self.refused(why),
            status => self.http.unavailable(&format!("status {status}: {why}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http_client::PlainHttp;

    #[test]
    fn a_status_says_what_follows_and_never_the_token() {
        let root = ApiRoot::parse(&oc_types::KeyPath::default(), "https://api.example", PlainHttp::Loopback)
            .unwrap();
        let token = Secret::new("made-up-token".to_owned());
        let api = TokenApi::new("Example", root, (token.clone(), "channels.x.token".to_owned()), vec![token])
            .unwrap();
        let failed = |status: u16, after: Option<u64>| {
            let answer = Answer { status, retry_after: after.map(Duration::from_secs), body: Vec::new() };
            api.failure(&answer, Some("bad made-up-token"))
        };
        let (service, why) = ("Example", "bad ***".to_owned());
        let key = "channels.x.token".to_owned();
        assert_eq!(failed(401, None), AdapterFailure::Credential { service, key, why: why.clone() });
        let limited = |secs| AdapterFailure::RateLimited { service, after: Duration::from_secs(secs) };
        assert_eq!((failed(429, Some(7)), failed(429, None)), (limited(7), limited(1)));
        for status in [400, 403, 404, 413] {
            assert_eq!(failed(status, None), AdapterFailure::Refused { service, why: why.clone() });
        }
        for status in [300, 500, 503] {
            let why = format!("status {status}: bad ***");
            assert_eq!(failed(status, None), AdapterFailure::Unavailable { service, why });
        }
    }
}
