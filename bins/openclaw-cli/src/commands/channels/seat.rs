//! Where the credentials of one account stand: its keys in the configuration, its files in the credentials folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};
use oc_config::load::{Loaded, Reading};
use oc_gateway::methods::place::Place;
use oc_text::visible;
use oc_types::{AccountId, ChannelId, KeyPath, Node};

use super::credentials::{Slot, When};
use crate::app::App;
use crate::sheet::now_ms;

/// Longest name of an account, in characters.
const MAX_NAME: usize = 64;

/// Names that no key of a configuration has (SP-056).
const RESERVED: [&str; 3] = ["__proto__", "prototype", "constructor"];

/// A valid configuration.
///
/// # Errors
/// It has a problem.
pub fn valid(app: &App) -> Result<Loaded> {
    let loaded = app.load(Reading::Product);
    match loaded.issues.first() {
        Some(issue) => bail!("nothing was done: the configuration is not valid: {issue}"),
        None => Ok(loaded),
    }
}

/// The setup as methods see it.
pub fn place(loaded: &Loaded) -> Place {
    Place::new(Arc::new(loaded.locations.clone()), Arc::new(loaded.tree.clone()), now_ms())
}

/// The agents' workspaces.
pub fn workspaces(place: &Place) -> Vec<PathBuf> {
    place.agents().iter().map(|a| place.workspace(a)).collect()
}

/// An account's place.
#[derive(Debug)]
pub struct Seat<'a> {
    tree: &'a Node,
    channel: ChannelId,
    account: String,
    section: KeyPath,
    base: KeyPath,
}

impl<'a> Seat<'a> {
    /// The account; without a name the one whose credentials stand at the channel itself.
    ///
    /// # Errors
    /// The name is no name.
    pub fn of(tree: &'a Node, channel: &ChannelId, account: Option<&str>) -> Result<Self> {
        let account = account.map_or(AccountId::DEFAULT, str::trim);
        let odd = account.is_empty()
            || account.chars().count() > MAX_NAME
            || account.chars().any(char::is_control)
            || RESERVED.contains(&account);
        if odd {
            bail!("--account: {:?} is no name of an account", visible(account, MAX_NAME));
        }
        let written = |id: &str| ChannelId::parse(id).is_ok_and(|c| c == *channel);
        let sections = tree.get("channels").and_then(Node::as_object);
        let name = match sections {
            Some(all) if all.get(channel.as_str()).is_none() => {
                all.iter().map(|(id, _)| id.as_str()).find(|id| written(id))
            }
            _ => None,
        };
        let section = KeyPath::dotted("channels").key(name.unwrap_or(channel.as_str()));
        let listed = tree.at(&section.key("accounts")).and_then(Node::as_object);
        let same = |id: &str| AccountId::normalized(id) == AccountId::normalized(account);
        let named = listed.and_then(|all| {
            all.get_key_value(account)
                .map(|(id, _)| id.as_str())
                .or_else(|| all.iter().map(|(id, _)| id.as_str()).find(|id| same(id)))
        });
        let base = match named {
            Some(id) => section.key("accounts").key(id),
            None if AccountId::normalized(account).as_str() == AccountId::DEFAULT => section.clone(),
            None => section.key("accounts").key(account),
        };
        Ok(Self {
            tree,
            channel: channel.clone(),
            account: named.unwrap_or(account).to_owned(),
            section,
            base,
        })
    }

    /// The account's name.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The flags that name it to another command.
    pub fn flags(&self) -> String {
        let account = if self.base == self.section {
            String::new()
        } else {
            format!(" --account '{}'", visible(&self.account, MAX_NAME))
        };
        format!("--channel {}{account}", self.channel)
    }

    /// Where its keys stand.
    pub fn base(&self) -> &KeyPath {
        &self.base
    }

    /// A key of it.
    pub fn at(&self, key: &[&str]) -> KeyPath {
        key.iter().fold(self.base.clone(), |path, k| path.key(*k))
    }

    /// What stands at a key of the account itself; `null` and blank count as nothing.
    pub fn own(&self, key: &[&str]) -> Option<&'a Node> {
        self.tree.at(&self.at(key)).filter(|n| is_something(n))
    }

    /// What is in force: the account's, else the channel's. Of objects the account's replaces the channel's, so what stands in one counts alone.
    pub fn in_force(&self, key: &[&str]) -> Option<&'a Node> {
        let outer = || match key {
            [one] => self.tree.at(&self.section.key(*one)).filter(|n| is_something(n)),
            _ => None,
        };
        self.own(key).or_else(outer)
    }

    /// Whether a credential belongs to the settings.
    pub fn asks(&self, slot: &Slot) -> bool {
        let text = |key: &str| self.in_force(&[key]).and_then(Node::as_str).map(str::trim);
        match slot.when {
            When::Always => true,
            When::Is(key, value) => text(key) == Some(value),
            When::IsNot(key, value) => text(key) != Some(value),
            When::Set(key) => self.in_force(&[key]).is_some(),
            When::Named => false,
        }
    }

    /// The file that `login` keeps a credential in.
    pub fn file(&self, credentials: &Path, slot: &Slot) -> PathBuf {
        let account = AccountId::normalized(&self.account);
        credentials.join(format!("{}-{}-{}", self.channel, account.as_str(), slot.key.join("-")))
    }
}

/// Every key of a configuration whose text is this path.
pub fn naming(tree: &Node, file: &Path) -> Vec<KeyPath> {
    let mut out = Vec::new();
    if let Some(text) = file.to_str() {
        gather(tree, &KeyPath::root(), text, &mut out);
    }
    out
}

fn gather(node: &Node, path: &KeyPath, text: &str, out: &mut Vec<KeyPath>) {
    if node.as_str() == Some(text) {
        out.push(path.clone());
    }
    for (key, inner) in node.as_object().into_iter().flatten() {
        gather(inner, &path.key(key.as_str()), text, out);
    }
}

fn is_something(node: &Node) -> bool {
    !node.is_null() && node.as_str().is_none_or(|s| !s.trim().is_empty())
}
