//! What the command prints, read.

use serde_json::Value;

/// The login of `whois --json`: `UserProfile.LoginName`, or how other releases write it.
pub(super) fn login(said: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(said).ok()?;
    let places = [
        "/UserProfile/LoginName",
        "/UserProfile/Login",
        "/UserProfile/login",
        "/userProfile/loginName",
        "/userProfile/login",
        "/User/LoginName",
        "/User/Login",
        "/LoginName",
        "/login",
    ];
    let found =
        places.iter().find_map(|p| answer.pointer(p)?.as_str().map(str::trim).filter(|t| !t.is_empty()));
    found.map(str::to_owned)
}

/// The machine's own name of `status --json`, without the dot at its end.
pub(super) fn dns_name(said: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(said).ok()?;
    let name = answer.pointer("/Self/DNSName")?.as_str()?.trim_end_matches('.');
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    (!name.is_empty() && name.len() <= 253 && name.chars().all(fine)).then(|| name.to_owned())
}
