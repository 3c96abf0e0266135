//! The settings of one account of a channel: the account's own value, else the channel's, key by key (channels 3).
//!
//! Credentials are more careful: the channel's own credential belongs to one account, so that two accounts never sign in as the same bot.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use oc_config::credential::Credential;
use oc_types::{AccountId, ChannelId, KeyPath, Node, Secret, Value};

use crate::adapter::AdapterFailure;

#[cfg(test)]
mod tests;

/// What accounts are made from.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// The configuration in force.
    pub config: &'a Node,
    /// The state directory.
    pub state_dir: &'a Path,
    /// The agents' workspaces: a credential file in one of them is refused (SP-066).
    pub workspaces: &'a [PathBuf],
}

/// The settings of one account.
#[derive(Clone, Debug)]
pub struct AccountSettings<'a> {
    setup: Setup<'a>,
    channel: ChannelId,
    id: String,
    section: (&'a Node, KeyPath),
    account: Option<(&'a Node, KeyPath)>,
    owns_channel_credentials: bool,
}

impl<'a> AccountSettings<'a> {
    /// Every account of a channel. `identity` are the keys of which one makes an account (`botToken`, `tokenFile`).
    ///
    /// Without `accounts` there is one, `default`. With `accounts` there are those; `default` comes first when the channel's section has
    /// a credential of its own that no listed account uses. The channel's credential belongs to `default`, else to the only account.
    #[must_use]
    pub fn list(setup: Setup<'a>, channel: &ChannelId, identity: &[&str]) -> Vec<Self> {
        let Some((section, path)) = section(setup.config, channel) else { return Vec::new() };
        let listed: Vec<(String, &Node, KeyPath)> = section
            .get("accounts")
            .and_then(Node::as_object)
            .into_iter()
            .flatten()
            .filter(|(_, node)| node.as_object().is_some())
            .map(|(id, node)| (id.clone(), node, path.key("accounts").key(id.as_str())))
            .collect();
        let identified = |node: &Node| identity.iter().any(|k| node.get(k).is_some_and(is_something));
        let is_default = |id: &str| AccountId::normalized(id).as_str() == AccountId::DEFAULT;
        let names_default = listed.iter().any(|(id, ..)| is_default(id));
        let all_have_own = listed.iter().all(|(_, node, _)| identified(node));
        let implied = listed.is_empty() || (!names_default && all_have_own && identified(section));
        let alone = listed.len() == 1 && !implied;
        let base = Self {
            setup,
            channel: channel.clone(),
            id: AccountId::DEFAULT.to_owned(),
            section: (section, path),
            account: None,
            owns_channel_credentials: true,
        };
        let mut out = Vec::new();
        if implied {
            out.push(base.clone());
        }
        out.extend(listed.into_iter().map(|(id, node, path)| Self {
            owns_channel_credentials: alone || is_default(&id),
            id,
            account: Some((node, path)),
            ..base.clone()
        }));
        out
    }

    /// The channel.
    #[must_use]
    pub fn channel(&self) -> &ChannelId {
        &self.channel
    }

    /// The account, as configured.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The state directory.
    #[must_use]
    pub fn state_dir(&self) -> &'a Path {
        self.setup.state_dir
    }

    /// The key that turns the account off, if one does: anything but `true` or absent counts as off (SP-423).
    #[must_use]
    pub fn switched_off(&self) -> Option<KeyPath> {
        let off = |(node, path): &(&Node, KeyPath)| {
            let value = node.get("enabled")?;
            (value.as_bool() != Some(true)).then(|| path.key("enabled"))
        };
        self.account.as_ref().and_then(off).or_else(|| off(&self.section))
    }

    /// Whether any of the keys that make an account (`identity`) is there: the account's own, or the channel's where those are its.
    #[must_use]
    pub fn is_set_up(&self, identity: &[&str]) -> bool {
        let has = |node: &Node| identity.iter().any(|k| node.get(k).is_some_and(is_something));
        self.account.as_ref().is_some_and(|(node, _)| has(node))
            || (self.owns_channel_credentials && has(self.section.0))
    }

    /// A value and where it stands; of an unset one where it would stand.
    #[must_use]
    pub fn get(&self, key: &str) -> (Option<&'a Node>, KeyPath) {
        if let Some((node, path)) = &self.account
            && let Some(value) = node.get(key)
        {
            return (Some(value), path.key(key));
        }
        (self.section.0.get(key), self.section.1.key(key))
    }

    /// The settings in an object of these: the account's object, else the channel's; objects replace each other and are not merged. What is
    /// no object holds nothing.
    #[must_use]
    pub fn within(&self, key: &str) -> Self {
        static NOTHING: OnceLock<Node> = OnceLock::new();
        let own = self.account.as_ref().is_some_and(|(node, _)| node.get(key).is_some());
        let (found, path) = self.get(key);
        let nothing =
            NOTHING.get_or_init(|| Node::from_json(&serde_json::Value::Null, &oc_types::Origin::Default));
        Self {
            section: (found.unwrap_or(nothing), path),
            account: None,
            owns_channel_credentials: own || self.owns_channel_credentials,
            ..self.clone()
        }
    }

    /// A text; blank and `null` count as unset.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`]: it is something else.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>, AdapterFailure> {
        let (node, path) = self.get(key);
        match node.map(|n| &n.value) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(s)) => Ok(Some(s.trim()).filter(|s| !s.is_empty())),
            Some(other) => {
                Err(settings(&path, format!("it is a {} and should be a text", other.type_name())))
            }
        }
    }

    /// A text that has to be there.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`]: it is missing, blank or no text. `what` says what to write.
    pub fn needed(&self, key: &str, what: &str) -> Result<&'a str, AdapterFailure> {
        self.text(key)?.ok_or_else(|| settings(&self.get(key).1, format!("it is not set; write {what}")))
    }

    /// A switch.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`]: it is no boolean.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, AdapterFailure> {
        let (node, path) = self.get(key);
        match node.map(|n| &n.value) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(b)) => Ok(Some(*b)),
            Some(other) => {
                Err(settings(&path, format!("it is a {} and should be true or false", other.type_name())))
            }
        }
    }

    /// A whole number, at least 0.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`]: it is none.
    pub fn whole(&self, key: &str) -> Result<Option<u64>, AdapterFailure> {
        let (node, path) = self.get(key);
        let Some(node) = node.filter(|n| !n.is_null()) else { return Ok(None) };
        let number = node.as_number().filter(|n| n.fract() == 0.0 && (0.0..=9e15).contains(n));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "range-checked: whole, 0 to 9e15"
        )]
        number.map(|n| Some(n as u64)).ok_or_else(|| settings(&path, "it is no whole number".to_owned()))
    }

    /// The entries of a list; anything else is an empty one.
    #[must_use]
    pub fn entries(&self, key: &str) -> Vec<String> {
        self.get(key).0.and_then(Node::entries).unwrap_or_default()
    }

    /// A credential: a text, or a reference to the file or keychain entry that holds it. `None` when it is not set.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`]: it cannot be resolved. Nothing takes its place.
    pub fn credential(&self, key: &str) -> Result<Option<Secret>, AdapterFailure> {
        for (node, path) in self.credential_levels() {
            if let Some(found) = self.credential_at(node, &path, key)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// A credential that can also be named by a key that takes the path of a file (`tokenFile`). At each level the file counts first; one
    /// that cannot be used disables the account.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`], naming the path.
    pub fn credential_or_file(&self, key: &str, file_key: &str) -> Result<Option<Secret>, AdapterFailure> {
        for (node, path) in self.credential_levels() {
            let file = node.get(file_key).filter(|n| is_something(n));
            if let Some(file) = file {
                let at = path.key(file_key);
                let Some(name) = file.as_str() else {
                    return Err(settings(&at, "it is no path of a file".to_owned()));
                };
                let name = Path::new(name);
                if !name.is_absolute() {
                    return Err(settings(&at, "it is no absolute path".to_owned()));
                }
                return oc_fs::credential::from_file(&at, name, self.setup.workspaces)
                    .map(Some)
                    .map_err(|e| unresolved(&at, &e));
            }
            if let Some(found) = self.credential_at(node, &path, key)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// That a credential is missing.
    #[must_use]
    pub fn credential_missing(&self, key: &str) -> AdapterFailure {
        let level = self.account.as_ref().unwrap_or(&self.section);
        let also = if self.owns_channel_credentials {
            ""
        } else {
            " (the channel's own belongs to the account `default`)"
        };
        settings(&level.1.key(key), format!("the account has no credential; set it{also}"))
    }

    fn credential_levels(&self) -> impl Iterator<Item = (&'a Node, KeyPath)> {
        let outer = self.owns_channel_credentials.then(|| self.section.clone());
        self.account.clone().into_iter().chain(outer)
    }

    fn credential_at(
        &self,
        node: &Node,
        path: &KeyPath,
        key: &str,
    ) -> Result<Option<Secret>, AdapterFailure> {
        let at = path.key(key);
        let Some(found) = Credential::of(&at, node.get(key)).map_err(|e| unresolved(&at, &e))? else {
            return Ok(None);
        };
        let secret = oc_fs::credential::resolve(&at, &found, self.setup.workspaces)
            .map_err(|e| unresolved(&at, &e))?;
        Ok((!secret.is_blank()).then(|| Secret::new(secret.expose().trim().to_owned())))
    }
}

/// A failure of a setting.
#[must_use]
pub fn settings(key: &KeyPath, why: String) -> AdapterFailure {
    AdapterFailure::Settings { key: key.to_string(), why }
}

fn unresolved(key: &KeyPath, e: &oc_config::credential::Unresolved) -> AdapterFailure {
    // The message begins with the key, which stands there already.
    let text = e.to_string();
    let why = text.strip_prefix(&format!("{key}: ")).map(str::to_owned).unwrap_or(text);
    settings(key, why)
}

fn is_something(node: &Node) -> bool {
    match &node.value {
        Value::Null => false,
        Value::String(s) => !s.trim().is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
    }
}

/// The section of a channel: under its own name, else under a spelling that means it.
fn section<'a>(config: &'a Node, channel: &ChannelId) -> Option<(&'a Node, KeyPath)> {
    let channels = config.get("channels")?.as_object()?;
    let (name, node) = channels
        .get_key_value(channel.as_str())
        .or_else(|| channels.iter().find(|(k, _)| ChannelId::parse(k).is_ok_and(|c| c == *channel)))?;
    node.as_object().is_some().then(|| (node, KeyPath::dotted("channels").key(name.as_str())))
}
