//! The accounts of a channel, with the values in force.
//!
//! In the era only the default account was looked at, and the schema's defaults were filled in *before* an account was laid over
//! its channel, so that an account which says nothing about a policy shadows the channel's. The latest rules look at every account
//! and let it inherit.

use oc_types::{AccountId, AgentId, KeyPath, Node};

use super::schema_defaults;
use crate::{AuditContext, KeyRef, workspace};

/// One account of one channel.
#[derive(Clone, Debug)]
pub struct Account<'a> {
    /// The channel.
    pub channel: &'static str,
    /// The account.
    pub id: String,
    /// The channel's own section, if there is one.
    pub section: Option<&'a Node>,
    /// The account's own section, if there is one.
    pub own: Option<&'a Node>,
    /// The key under which the account's own section stands.
    own_path: KeyPath,
    /// Whether schema defaults shadow the channel's values.
    era: bool,
}

impl<'a> Account<'a> {
    fn new(ctx: &AuditContext<'a>, channel: &'static str, id: &str) -> Self {
        let section = ctx.get(&["channels", channel]);
        let accounts = section.and_then(|s| s.get("accounts")).and_then(Node::as_object);
        let written = accounts.and_then(|a| {
            a.iter()
                .find(|(k, _)| *k == id)
                .or_else(|| a.iter().find(|(k, _)| AccountId::normalized(k).as_str() == id))
        });
        let root = KeyPath::keys(["channels", channel]);
        let own_path = written.map_or_else(|| root.clone(), |(k, _)| root.key("accounts").key(k));
        let own = written.map(|(_, n)| n);
        Self { channel, id: id.to_owned(), section, own, own_path, era: !ctx.latest() }
    }

    /// Whether it is the account named `default`.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.id == AccountId::DEFAULT
    }

    /// A value in force: the account's, else the channel's.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.own_value(key).or_else(|| self.channel_value(key))
    }

    /// The account's own value.
    #[must_use]
    pub fn own_value(&self, key: &str) -> Option<&'a Node> {
        self.own?.get(key).filter(|n| !n.is_null())
    }

    /// The channel's value.
    #[must_use]
    pub fn channel_value(&self, key: &str) -> Option<&'a Node> {
        self.section?.get(key).filter(|n| !n.is_null())
    }

    /// A policy that the schema fills in: account, schema default (era, when there is an account section), channel, schema default.
    fn policy(&self, key: &str, default: Option<&'static str>) -> Option<&'a str> {
        let text = |n: Option<&'a Node>| n.and_then(Node::as_str);
        text(self.own_value(key))
            .or(if self.era && self.own.is_some() { default } else { None })
            .or_else(|| text(self.channel_value(key)))
            .or(default)
    }

    /// The group policy in force, `None` when nothing at all says so.
    #[must_use]
    pub fn group_policy(&self) -> Option<&'a str> {
        self.policy("groupPolicy", schema_defaults::group_policy(self.channel))
    }

    /// Whether DM settings stand in a `dm` object.
    #[must_use]
    pub fn nested_dm(&self) -> bool {
        matches!(self.channel, "discord" | "slack" | "googlechat" | "matrix")
    }

    /// The DM policy in force; `pairing` when nothing says so.
    #[must_use]
    pub fn dm_policy(&self) -> &'a str {
        let found = if self.nested_dm() {
            // The `dm` object of an account replaces the channel's as a whole.
            self.get("dm").and_then(|dm| dm.get("policy")).and_then(Node::as_str)
        } else {
            self.policy("dmPolicy", schema_defaults::dm_policy(self.channel))
        };
        found.unwrap_or("pairing")
    }

    /// The senders admitted to direct messages by the configuration, as written.
    #[must_use]
    pub fn dm_allow_from(&self) -> Vec<String> {
        let list = if self.nested_dm() {
            self.get("dm").and_then(|dm| dm.get("allowFrom"))
        } else {
            self.get("allowFrom")
        };
        entries(list)
    }

    /// The key that holds the DM policy, or would.
    #[must_use]
    pub fn dm_policy_key(&self, ctx: &AuditContext<'_>) -> KeyRef {
        if self.nested_dm() { self.key(ctx, &["dm", "policy"]) } else { self.key(ctx, &["dmPolicy"]) }
    }

    /// The key that holds the DM allow list, or would.
    #[must_use]
    pub fn dm_allow_key(&self, ctx: &AuditContext<'_>) -> KeyRef {
        if self.nested_dm() { self.key(ctx, &["dm", "allowFrom"]) } else { self.key(ctx, &["allowFrom"]) }
    }

    /// The key of a value: in the account's section when it is there (or nowhere), else in the channel's.
    #[must_use]
    pub fn key(&self, ctx: &AuditContext<'_>, keys: &[&str]) -> KeyRef {
        let tail = KeyPath::keys(keys.iter().copied());
        let own = self.own_path.join(&tail);
        let of_channel = KeyPath::keys(["channels", self.channel]).join(&tail);
        let in_channel = ctx.config.at(&own).is_none() && ctx.config.at(&of_channel).is_some();
        ctx.key_at(if in_channel { &of_channel } else { &own })
    }
}

/// A list of senders as texts, trimmed, blanks dropped.
#[must_use]
pub fn entries(list: Option<&Node>) -> Vec<String> {
    let texts = list.and_then(Node::entries).unwrap_or_default();
    texts.iter().map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect()
}

/// The accounts of a channel that are audited.
#[must_use]
pub fn audited<'a>(ctx: &AuditContext<'a>, channel: &'static str) -> Vec<Account<'a>> {
    let ids = ids(ctx, channel);
    let chosen = if ctx.latest() { ids } else { vec![default_id(ctx, channel, &ids)] };
    chosen.iter().map(|id| Account::new(ctx, channel, id)).collect()
}

/// The account ids, sorted; `default` when there are none.
fn ids(ctx: &AuditContext<'_>, channel: &str) -> Vec<String> {
    let accounts = ctx.get(&["channels", channel, "accounts"]).and_then(Node::as_object);
    let mut ids: Vec<String> =
        accounts.into_iter().flatten().map(|(k, _)| AccountId::normalized(k).as_str().to_owned()).collect();
    ids.sort();
    ids.dedup();
    if ids.is_empty() {
        ids.push(AccountId::DEFAULT.to_owned());
    }
    ids
}

/// The default account: bound to the default agent (telegram), `defaultAccount` (googlechat), `default`, else the first.
fn default_id(ctx: &AuditContext<'_>, channel: &str, ids: &[String]) -> String {
    let named = || {
        let text = ctx.text(&["channels", channel, "defaultAccount"])?.trim();
        (!text.is_empty()).then(|| AccountId::normalized(text).as_str().to_owned())
    };
    match channel {
        "telegram" => bound_account(ctx, channel).filter(|id| ids.contains(id)),
        "googlechat" => named(),
        _ => None,
    }
    .or_else(|| ids.iter().find(|id| *id == AccountId::DEFAULT).cloned())
    .or_else(|| ids.first().cloned())
    .unwrap_or_else(|| AccountId::DEFAULT.to_owned())
}

/// The account that `bindings[]` ties to the default agent.
fn bound_account(ctx: &AuditContext<'_>, channel: &str) -> Option<String> {
    let default = workspace::agents(ctx.config).into_iter().next()?.id;
    let bindings = ctx.get(&["bindings"])?.as_array()?;
    bindings.iter().find_map(|b| {
        let text = |keys: &[&str]| b.path(keys).and_then(Node::as_str).map(str::trim);
        let agent = AgentId::normalized(text(&["agentId"])?);
        let same_channel = text(&["match", "channel"])?.eq_ignore_ascii_case(channel);
        let account = text(&["match", "accountId"]).filter(|a| !a.is_empty() && *a != "*")?;
        (agent == default && same_channel).then(|| AccountId::normalized(account).as_str().to_owned())
    })
}
