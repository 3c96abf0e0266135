//! An agent's credentials at model providers: `auth-profiles.json` (agent-runtime 2).
//!
//! The file is upstream's. Members that this program does not know stay as they are.
//!
//! * [`store`]: the file; [`cooldown`]: how long a profile rests after a failure; [`import`]: the logins of older versions.
//!
//! INVARIANT: a file that is there and cannot be read is an error and stays as it is, never an empty one (SP-008).
//! INVARIANT: no message holds a credential.

use oc_types::Secret;
use serde_json::{Map, Value, json};

use crate::model::catalogue::canonical;
use crate::model::client::Proof;
use cooldown::Rest;

pub mod cooldown;
pub mod import;
pub mod store;
#[cfg(test)]
mod tests;

/// The only version there is.
const VERSION: u64 = 1;

/// What the file holds.
#[derive(Clone, PartialEq)]
pub struct Profiles {
    members: Map<String, Value>,
}

impl std::fmt::Debug for Profiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

impl Default for Profiles {
    fn default() -> Self {
        let mut members = Map::new();
        members.insert("version".to_owned(), VERSION.into());
        members.insert("profiles".to_owned(), Value::Object(Map::new()));
        Self { members }
    }
}

/// A credential that can be used.
#[derive(Clone, Debug)]
pub struct Profile {
    /// `provider:name`.
    pub id: String,
    /// The provider, in its one form.
    pub provider: String,
    /// What opens the door.
    pub proof: Proof,
    kind: Kind,
}

/// How a profile came to be; logins go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Login,
    Token,
    ApiKey,
}

/// A profile that is there and cannot be used now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// `provider:name`.
    pub id: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Profiles {
    /// Reads the file's text.
    ///
    /// # Errors
    /// What is wrong, without any of the text.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        // What the reader says may quote the file, and the file holds keys.
        let value: Value =
            serde_json::from_slice(bytes).map_err(|e| format!("not JSON (line {})", e.line()))?;
        let Value::Object(members) = value else { return Err("it is no object".to_owned()) };
        match members.get("version") {
            Some(v) if v.as_u64() == Some(VERSION) => {}
            Some(_) => return Err(format!("its version is not {VERSION}")),
            None => return Err("it has no version".to_owned()),
        }
        for name in ["profiles", "order", "lastGood", "usageStats"] {
            if members.get(name).is_some_and(|m| !m.is_object() && !m.is_null()) {
                return Err(format!("`{name}` is no object"));
            }
        }
        Ok(Self { members })
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{:#}\n", Value::Object(self.members.clone()))
    }

    fn member(&self, name: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.members.get(name).and_then(Value::as_object).into_iter().flatten()
    }

    /// The ids of all profiles.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.member("profiles").map(|(id, _)| id.as_str())
    }

    /// The profiles of a provider, best first: those of `order` (this file's, else `configured`) and no others when there is one;
    /// otherwise the last good one, then logins, tokens and keys. `now_ms`: logins that have run out are not usable.
    #[must_use]
    pub fn of(
        &self,
        provider: &str,
        configured: Option<&[String]>,
        now_ms: u64,
    ) -> (Vec<Profile>, Vec<Unusable>) {
        let mut usable = Vec::new();
        let mut unusable = Vec::new();
        for (id, value) in self.member("profiles") {
            match read(id, value, now_ms) {
                Ok(profile) if profile.provider == provider => usable.push(profile),
                Ok(_) => {}
                Err((of, why)) if of == provider => unusable.push(Unusable { id: id.clone(), why }),
                Err(_) => {}
            }
        }
        let own = self.member("order").find(|(p, _)| canonical(p) == provider);
        let own: Option<Vec<String>> = own
            .and_then(|(_, list)| list.as_array())
            .map(|list| list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect());
        if let Some(order) = own.as_deref().or(configured).filter(|o| !o.is_empty()) {
            let place = |p: &Profile| order.iter().position(|id| *id == p.id);
            usable.retain(|p| place(p).is_some());
            usable.sort_by_key(place);
        } else {
            let good = self.last_good(provider).map(str::to_owned);
            usable.sort_by_key(|p| (good.as_deref() != Some(p.id.as_str()), p.kind));
        }
        (usable, unusable)
    }

    /// Every credential in it.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let texts = self.member("profiles").flat_map(|(_, p)| {
            ["key", "token", "access", "refresh"].into_iter().filter_map(|m| p.get(m)?.as_str())
        });
        texts.filter(|t| !t.trim().is_empty()).map(|t| Secret::new(t.to_owned())).collect()
    }

    /// The profile of a provider that worked last.
    #[must_use]
    pub fn last_good(&self, provider: &str) -> Option<&str> {
        self.member("lastGood").find(|(p, _)| canonical(p) == provider).and_then(|(_, id)| id.as_str())
    }

    /// How a profile has fared.
    #[must_use]
    pub fn rest(&self, id: &str) -> Rest {
        self.member("usageStats").find(|(p, _)| *p == id).map(|(_, v)| Rest::read(v)).unwrap_or_default()
    }

    /// Notes how a profile has fared.
    pub fn set_rest(&mut self, id: &str, rest: &Rest) {
        self.object("usageStats", |stats| {
            let mut entry = match stats.get_mut(id).map(Value::take) {
                Some(Value::Object(entry)) => entry,
                Some(_) | None => Map::new(),
            };
            rest.write(&mut entry);
            stats.insert(id.to_owned(), Value::Object(entry));
        });
    }

    /// Notes the profile of a provider that worked.
    pub fn set_last_good(&mut self, provider: &str, id: &str) {
        self.object("lastGood", |good| {
            good.insert(provider.to_owned(), id.into());
        });
    }

    /// Puts a key in place of what the profile held.
    pub fn put_key(&mut self, id: &str, provider: &str, key: &Secret) {
        let profile = json!({"type": "api_key", "provider": provider, "key": key.expose()});
        self.object("profiles", |profiles| {
            profiles.insert(id.to_owned(), profile);
        });
    }

    /// Changes a member that is an object; made when there is none.
    fn object(&mut self, name: &str, step: impl FnOnce(&mut Map<String, Value>)) {
        let mut members = match self.members.shift_remove(name) {
            Some(Value::Object(members)) => members,
            Some(_) | None => Map::new(),
        };
        step(&mut members);
        self.members.insert(name.to_owned(), Value::Object(members));
    }
}

/// A profile, or the provider it is for and why it cannot be used.
fn read(id: &str, value: &Value, now_ms: u64) -> Result<Profile, (String, &'static str)> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty());
    let provider = text("provider").or_else(|| id.split_once(':').map(|(p, _)| p)).unwrap_or(id);
    let provider = canonical(provider);
    let refuse = |why| (provider.clone(), why);
    let expires = value.get("expires").and_then(Value::as_f64).filter(|e| *e > 0.0);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a double")]
    let over = expires.is_some_and(|e| e <= now_ms as f64);
    let secret = |name: &str, why| text(name).map(|t| Secret::new(t.to_owned())).ok_or_else(|| refuse(why));
    let (kind, proof) = match text("type") {
        Some("api_key") => (Kind::ApiKey, Proof::ApiKey(secret("key", "it has no key")?)),
        Some("token") => (Kind::Token, Proof::Login(secret("token", "it has no token")?)),
        Some("oauth") => (Kind::Login, Proof::Login(secret("access", "it has no access token")?)),
        Some(_) | None => return Err(refuse("its type is not known")),
    };
    if over && kind != Kind::ApiKey {
        return Err(refuse("the login has run out; log in again"));
    }
    Ok(Profile { id: id.to_owned(), provider, proof, kind })
}
