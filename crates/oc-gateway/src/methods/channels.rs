//! `channels.status`: the configured channels and their accounts.

use std::collections::BTreeMap;

use oc_channels::supervisor::Standing;
use oc_types::{AccountId, Node};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::params::{invalid, read};
use super::place::Place;
use crate::protocol::frame::Failure;
use crate::server::state::Gateway;

/// Shortest time that a probe may take, in milliseconds.
const MIN_TIMEOUT: u64 = 1000;

/// How accounts stand, told by whoever runs them: by channel and account.
pub type Running = BTreeMap<(String, String), Standing>;

/// How the accounts of a gateway stand.
pub(super) fn running(gateway: &Gateway) -> Running {
    let accounts = gateway.channels().map(|c| c.status()).unwrap_or_default();
    accounts.into_iter().map(|a| ((a.channel.as_str().to_owned(), a.account), a.standing)).collect()
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Status {
    #[serde(rename = "probe")]
    _probe: bool,
    timeout_ms: Option<u64>,
}

/// A channel of the configuration.
pub(super) struct Channel<'c> {
    pub(super) id: &'c str,
    pub(super) accounts: Vec<Account>,
}

/// An account of a channel.
pub(super) struct Account {
    pub(super) id: String,
    pub(super) enabled: bool,
    name: Option<String>,
}

/// The channels that the configuration has a section for.
pub(super) fn configured(config: &Node) -> Vec<Channel<'_>> {
    let sections = config.get("channels").and_then(Node::as_object);
    let sections =
        sections.into_iter().flatten().filter(|(id, n)| *id != "defaults" && n.as_object().is_some());
    sections.map(|(id, section)| Channel { id, accounts: accounts(section) }).collect()
}

fn accounts(section: &Node) -> Vec<Account> {
    let on = |n: &Node| n.get("enabled").and_then(Node::as_bool) != Some(false);
    let name = |n: &Node| n.get("name").and_then(Node::as_str).map(str::to_owned);
    let listed = section.get("accounts").and_then(Node::as_object);
    let mut out: Vec<Account> = listed
        .into_iter()
        .flatten()
        .map(|(id, n)| Account { id: id.clone(), enabled: on(section) && on(n), name: name(n) })
        .collect();
    if out.is_empty() {
        out.push(Account { id: AccountId::DEFAULT.to_owned(), enabled: on(section), name: name(section) });
    }
    out
}

/// The name of a channel for people.
pub(super) fn label(id: &str) -> String {
    let known = match id {
        "imessage" => "iMessage",
        "whatsapp" => "WhatsApp",
        "googlechat" => "Google Chat",
        "msteams" => "Microsoft Teams",
        "nextcloud-talk" => "Nextcloud Talk",
        "bluebubbles" => "BlueBubbles",
        "line" => "LINE",
        _ => {
            let mut chars = id.chars();
            return chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect();
        }
    };
    known.to_owned()
}

/// `channels.status`. `running`: channel and account of what is connected.
///
/// # Errors
/// Parameters that are not right.
pub fn status(place: &Place, running: &Running, params: Value) -> Result<Value, Failure> {
    let wanted: Status = read(params)?;
    if wanted.timeout_ms.is_some_and(|t| t < MIN_TIMEOUT) {
        return Err(invalid(&format!("timeoutMs is at least {MIN_TIMEOUT}")));
    }
    let channels = configured(&place.config);
    let each = |of: &dyn Fn(&Channel<'_>) -> Value| -> Map<String, Value> {
        channels.iter().map(|c| (c.id.to_owned(), of(c))).collect()
    };
    let is_running = |channel: &Channel<'_>, account: &Account| {
        running.get(&(channel.id.to_owned(), account.id.clone())) == Some(&Standing::Running)
    };
    let row = |channel: &Channel<'_>, account: &Account| {
        let mut row = json!({
            "accountId": account.id,
            "enabled": account.enabled,
            "configured": true,
            "running": is_running(channel, account),
        });
        let why = match running.get(&(channel.id.to_owned(), account.id.clone())) {
            Some(Standing::Waiting { why, .. } | Standing::Stopped { why }) => Some(why),
            Some(Standing::Starting | Standing::Running | Standing::Off { .. }) | None => None,
        };
        if let (Some(why), Some(members)) = (why, row.as_object_mut()) {
            members.insert("lastError".to_owned(), json!(place.redactor.redact(why)));
        }
        if let (Some(name), Some(members)) = (&account.name, row.as_object_mut()) {
            members.insert("name".to_owned(), json!(place.redactor.redact(name)));
        }
        row
    };
    let labels = each(&|c| json!(label(c.id)));
    Ok(json!({
        "ts": place.now_ms,
        "channelOrder": channels.iter().map(|c| c.id).collect::<Vec<_>>(),
        "channelLabels": labels,
        "channelDetailLabels": labels,
        "channelSystemImages": {},
        "channelMeta": channels
            .iter()
            .map(|c| json!({ "id": c.id, "label": label(c.id), "detailLabel": label(c.id) }))
            .collect::<Vec<_>>(),
        "channels": each(&|c| {
            let on = c.accounts.iter().any(|a| is_running(c, a));
            json!({ "configured": true, "running": on })
        }),
        "channelAccounts": each(&|c| c.accounts.iter().map(|a| row(c, a)).collect()),
        "channelDefaultAccountId": each(&|c| {
            let default = c.accounts.iter().find(|a| a.id == AccountId::DEFAULT).or_else(|| c.accounts.first());
            json!(default.map(|a| a.id.as_str()))
        }),
    }))
}
