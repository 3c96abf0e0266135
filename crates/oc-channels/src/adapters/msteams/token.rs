//! The token that comes with a call: a JWT, signed with RSA and SHA-256, and nothing else.

use data_encoding::BASE64URL_NOPAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;

use super::keys::Key;
use crate::adapter::WebhookRefusal;
use crate::json::Members as _;

/// Who makes tokens.
const ISSUER: &str = "https://api.botframework.com";
/// The service that a key has to be endorsed for.
const ENDORSED: &str = "msteams";
/// How far the clocks may be apart, seconds.
const SKEW: i64 = 300;
/// Longest token, in bytes.
const LONGEST: usize = 16 * 1024;

/// Verifies the value of an `Authorization` header; gives the claims.
///
/// # Errors
/// [`WebhookRefusal::Signature`], [`WebhookRefusal::Stale`], and what `find` refuses.
pub(super) fn verify(
    header: Option<&str>,
    app_id: &str,
    now_ms: i64,
    find: impl FnOnce(&str) -> Result<Key, WebhookRefusal>,
) -> Result<Value, WebhookRefusal> {
    let refused = || WebhookRefusal::Signature;
    let token = header.and_then(|h| h.strip_prefix("Bearer ")).map(str::trim).ok_or_else(refused)?;
    if token.len() > LONGEST {
        return Err(refused());
    }
    let (signed, signature) = token.rsplit_once('.').ok_or_else(refused)?;
    let (head, claims) = signed.split_once('.').ok_or_else(refused)?;
    let head = part(head).ok_or_else(refused)?;
    // The algorithm is ours to choose, never the token's: one, and no critical extension.
    if head.text("alg") != Some("RS256") || head.get("crit").is_some() {
        return Err(refused());
    }
    let key = head.text("kid").ok_or_else(refused).and_then(find)?;
    if !key.signs_for(ENDORSED) {
        return Err(refused());
    }
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| refused())?;
    RsaPublicKeyComponents { n: &key.modulus, e: &key.exponent }
        .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
        .map_err(|_| refused())?;
    let claims = part(claims).ok_or_else(refused)?;
    if claims.text("iss") != Some(ISSUER) || app_id.is_empty() || claims.text("aud") != Some(app_id) {
        return Err(refused());
    }
    let now = now_ms / 1000;
    let until = claims.at("exp").as_i64().ok_or(WebhookRefusal::Stale)?;
    let from = claims.at("nbf").as_i64().unwrap_or(now);
    if now > until.saturating_add(SKEW) || now < from.saturating_sub(SKEW) {
        return Err(WebhookRefusal::Stale);
    }
    Ok(claims)
}

fn part(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()?;
    value.is_object().then_some(value)
}
