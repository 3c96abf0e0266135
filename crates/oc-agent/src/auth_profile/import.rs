//! `credentials/oauth.json`: the logins of older versions. Read once, when an agent has no profiles yet; never written.

use serde_json::{Map, Value, json};

use super::Profiles;
use crate::model::catalogue::canonical;

/// Name of the file.
pub const FILE_NAME: &str = "oauth.json";

/// The profiles that its text means: one login a provider.
///
/// # Errors
/// What is wrong, without any of the text.
pub fn profiles(bytes: &[u8]) -> Result<Profiles, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|e| format!("not JSON (line {})", e.line()))?;
    let Value::Object(logins) = value else { return Err("it is no object".to_owned()) };
    let mut found = Map::new();
    for (provider, login) in logins {
        let text = |name: &str| login.get(name).and_then(Value::as_str).filter(|t| !t.trim().is_empty());
        let Some(access) = text("access") else { continue };
        let provider = canonical(&provider);
        let mut profile = json!({"type": "oauth", "provider": provider, "access": access});
        if let Some(members) = profile.as_object_mut() {
            for name in ["refresh", "email"] {
                if let Some(text) = text(name) {
                    members.insert(name.to_owned(), text.into());
                }
            }
            if let Some(expires) = login.get("expires").filter(|e| e.is_number()) {
                members.insert("expires".to_owned(), expires.clone());
            }
        }
        found.insert(format!("{provider}:default"), profile);
    }
    let mut out = Profiles::default();
    out.members.insert("profiles".to_owned(), Value::Object(found));
    Ok(out)
}
