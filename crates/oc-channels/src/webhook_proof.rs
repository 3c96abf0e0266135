//! What proves that a request comes from the service: secrets and signatures over the raw bytes, compared in constant time (SP-414).

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use oc_config::credential::{Comparison, compare};
use oc_types::Secret;
use ring::hmac;

use crate::adapter::{WebhookRefusal, WebhookRequest};

/// The one value of a header; a header that comes twice proves nothing.
#[must_use]
pub fn header<'a>(request: &WebhookRequest<'a>, name: &str) -> Option<&'a str> {
    let mut found = request.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
    let value = found.next()?;
    found.next().is_none().then_some(value.1.as_str())
}

/// The one value of a query parameter, decoded; `+` is a space. A parameter that comes twice proves nothing.
#[must_use]
pub fn query_value(query: &str, name: &str) -> Option<String> {
    let mut found = query.split('&').filter_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(key).as_deref() == Some(name)).then_some(value)
    });
    let value = found.next()?;
    if found.next().is_some() {
        return None;
    }
    decoded(value)
}

/// `%XX` and `+` undone; `None` for broken escapes or bytes that are no UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        match b {
            b'+' => out.push(b' '),
            b'%' => {
                let digit = |b: Option<u8>| char::from(b?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                out.push(u8::try_from(high * 16 + low).ok()?);
            }
            b => out.push(b),
        }
    }
    String::from_utf8(out).ok()
}

/// Compares a secret that came with a request with the configured one.
///
/// # Errors
/// [`WebhookRefusal::Signature`] when it is missing, blank or another.
pub fn same_secret(given: Option<&str>, expected: &Secret) -> Result<(), WebhookRefusal> {
    let given = given.filter(|g| !g.is_empty()).ok_or(WebhookRefusal::Signature)?;
    if expected.is_blank() {
        return Err(WebhookRefusal::Signature);
    }
    match compare(&Secret::new(given.to_owned()), expected) {
        Comparison::Same => Ok(()),
        Comparison::Different => Err(WebhookRefusal::Signature),
    }
}

/// Verifies an HMAC-SHA256 in hexadecimal over the parts of a message. `prefix` (for example `sha256=`) has to be there.
///
/// # Errors
/// [`WebhookRefusal::Signature`].
pub fn hmac_sha256_hex(
    given: Option<&str>,
    prefix: &str,
    secret: &Secret,
    parts: &[&[u8]],
) -> Result<(), WebhookRefusal> {
    let text = given.and_then(|g| g.strip_prefix(prefix)).ok_or(WebhookRefusal::Signature)?;
    let digest = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| WebhookRefusal::Signature)?;
    hmac_sha256(&digest, secret, parts)
}

/// The same in base64.
///
/// # Errors
/// [`WebhookRefusal::Signature`].
pub fn hmac_sha256_base64(
    given: Option<&str>,
    prefix: &str,
    secret: &Secret,
    parts: &[&[u8]],
) -> Result<(), WebhookRefusal> {
    let text = given.and_then(|g| g.strip_prefix(prefix)).ok_or(WebhookRefusal::Signature)?;
    let digest = BASE64.decode(text.as_bytes()).map_err(|_| WebhookRefusal::Signature)?;
    hmac_sha256(&digest, secret, parts)
}

fn hmac_sha256(digest: &[u8], secret: &Secret, parts: &[&[u8]]) -> Result<(), WebhookRefusal> {
    if secret.is_blank() {
        return Err(WebhookRefusal::Signature);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    hmac::verify(&key, &parts.concat(), digest).map_err(|_| WebhookRefusal::Signature)
}

/// Refuses a request that says it was made more than `window_ms` before or after now. `stamp_s` are Unix seconds as text.
///
/// # Errors
/// [`WebhookRefusal::Stale`]; a stamp that is no number counts as too old.
pub fn fresh(stamp_s: Option<&str>, now_ms: i64, window_ms: i64) -> Result<(), WebhookRefusal> {
    let stamp: i64 = stamp_s.and_then(|s| s.trim().parse().ok()).ok_or(WebhookRefusal::Stale)?;
    let age = now_ms.saturating_sub(stamp.saturating_mul(1000)).saturating_abs();
    if age > window_ms { Err(WebhookRefusal::Stale) } else { Ok(()) }
}

/// The body as JSON.
///
/// # Errors
/// [`WebhookRefusal::Body`].
pub fn json(request: &WebhookRequest<'_>) -> Result<serde_json::Value, WebhookRefusal> {
    serde_json::from_slice(request.body).map_err(|_| WebhookRefusal::Body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn sp_414_a_secret_is_there_once_and_whole() {
        assert!(same_secret(Some("abc"), &secret("abc")).is_ok());
        for given in [None, Some(""), Some("ab"), Some("abcd"), Some("ABC")] {
            assert_eq!(same_secret(given, &secret("abc")), Err(WebhookRefusal::Signature), "{given:?}");
        }
        assert_eq!(same_secret(Some(" "), &secret(" ")), Err(WebhookRefusal::Signature), "a blank secret");
        let twice = [("x-token".to_owned(), "abc".to_owned()), ("X-Token".to_owned(), "abc".to_owned())];
        let request = WebhookRequest { method: "POST", query: "", headers: &twice, body: b"", now_ms: 0 };
        assert_eq!(header(&request, "x-token"), None);
        assert_eq!(query_value("a=1&password=x%2By+z", "password").as_deref(), Some("x+y z"));
        assert_eq!(query_value("p=1&%70=2", "p"), None);
        assert_eq!(query_value("p=%zz", "p"), None);
    }

    #[test]
    fn sp_414_a_signature_covers_the_raw_bytes() {
        let key = secret("key");
        // The published test value of HMAC-SHA256 ("key", "The quick brown fox jumps over the lazy dog").
        let good = "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
        let body: &[u8] = b"The quick brown fox jumps over the lazy dog";
        assert!(hmac_sha256_hex(Some(good), "sha256=", &key, &[body]).is_ok());
        assert!(hmac_sha256_hex(Some(good), "sha256=", &key, &[&body[..10], &body[10..]]).is_ok());
        assert!(hmac_sha256_hex(Some(good), "sha256=", &key, &[body, b" "]).is_err());
        assert!(hmac_sha256_hex(good.get(7..), "sha256=", &key, &[body]).is_err());
        assert!(hmac_sha256_hex(None, "sha256=", &key, &[body]).is_err());
        assert!(hmac_sha256_hex(Some("sha256="), "sha256=", &key, &[body]).is_err());
        assert!(
            hmac_sha256_base64(Some("97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg="), "", &key, &[body])
                .is_ok()
        );
    }

    #[test]
    fn sp_414_an_old_request_is_refused() {
        assert!(fresh(Some("1000"), 1_000_000, 300_000).is_ok());
        assert!(fresh(Some("1300"), 1_000_000, 300_000).is_ok());
        for bad in [None, Some("x"), Some("699"), Some("1301"), Some("-9223372036854775808")] {
            assert_eq!(fresh(bad, 1_000_000, 300_000), Err(WebhookRefusal::Stale), "{bad:?}");
        }
    }
}
