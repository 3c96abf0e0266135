//! Direct messages: policy, configured list, approved store (channels 3).

use oc_types::Effect;

use super::identity::{Family, pairing_id};
use super::pairing::Approved;
use super::sender_list::store_holds;
use super::settings::{Setting, Settings};
use super::{Case, Outcome, Passed, Reason, Stop};
use crate::command::gate::{Authorizer, WhenOff};

/// Messages older than the connection by more than this are history, milliseconds.
const HISTORY_GRACE_MS: i64 = 30_000;

/// The value of a direct-message policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum DmPolicy {
    Pairing,
    Allowlist,
    Open,
    Disabled,
}

impl DmPolicy {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "pairing" => Some(Self::Pairing),
            "allowlist" => Some(Self::Allowlist),
            "open" => Some(Self::Open),
            "disabled" => Some(Self::Disabled),
            _ => None,
        }
    }
}

/// The keys of direct messages: flat on most channels, below `dm` on some.
pub(crate) struct DmKeys<'a> {
    pub(crate) enabled: Option<Setting<'a>>,
    pub(crate) policy: Setting<'a>,
    pub(crate) list: Setting<'a>,
}

pub(crate) fn dm_keys<'a>(settings: &Settings<'a>, family: Family) -> DmKeys<'a> {
    match family {
        Family::Discord | Family::Slack | Family::GoogleChat | Family::Matrix => {
            let dm = settings.get("dm");
            DmKeys { enabled: Some(dm.get("enabled")), policy: dm.get("policy"), list: dm.get("allowFrom") }
        }
        _ => DmKeys { enabled: None, policy: settings.get("dmPolicy"), list: settings.get("allowFrom") },
    }
}

/// Where a value of an account comes from, for people.
pub(super) fn inherited(case: &Case<'_, '_>, setting: &Setting<'_>) -> &'static str {
    match case.settings.account() {
        Some(account) if setting.is_set() && !setting.place.starts_with(&account.place) => {
            " (inherited from the channel)"
        }
        _ => "",
    }
}

pub(super) fn decide<'a>(case: &mut Case<'a, '_>) -> Result<Passed<'a>, Box<Stop>> {
    let keys = dm_keys(&case.settings, case.family);
    if let Some(enabled) = &keys.enabled
        && enabled.is_set()
        && enabled.as_bool() != Some(true)
    {
        return Err(Stop::drop(Reason::DmDisabled, "dmPolicy", "enabled", enabled.path()));
    }
    // An unknown word never gets here (validation); should it, nobody is admitted.
    let written = match keys.policy.node {
        None => DmPolicy::Pairing,
        Some(_) => keys.policy.as_str().and_then(DmPolicy::parse).unwrap_or(DmPolicy::Disabled),
    };
    let narrowed = case.family == Family::Matrix && case.settings.is_on("allowlistOnly");
    let policy = match written {
        DmPolicy::Pairing | DmPolicy::Open if narrowed => DmPolicy::Allowlist,
        other => other,
    };
    if policy == DmPolicy::Disabled {
        return Err(Stop::drop(Reason::DmDisabled, "dmPolicy", "disabled", keys.policy.path()));
    }
    let list = case.list(&keys.list);
    let hit = list.find(&case.sender);
    let stored = match (policy, &case.pairing.approved) {
        (DmPolicy::Pairing, Approved::Entries(entries)) => store_holds(case.family, entries, &case.sender),
        _ => None,
    };
    let word = match policy {
        DmPolicy::Pairing => "pairing",
        DmPolicy::Allowlist => "allowlist",
        DmPolicy::Open => "open",
        DmPolicy::Disabled => "disabled",
    };
    let origin = inherited(case, &keys.policy);
    case.steps.add("dmPolicy", word, Effect::Keeps, || {
        (keys.policy.path(), format!("direct messages: {word}{origin}"))
    });
    if hit.is_none() {
        let (effect, said) = match list.is_set() {
            true => (Effect::Keeps, "the sender is not on this list"),
            false => (Effect::Absent, "no list of senders"),
        };
        let origin = inherited(case, &keys.list);
        case.steps.add("allowFrom", "entry", effect, || (list.path(), format!("{said}{origin}")));
    }
    let own_number = case.is_self_chat();
    let by = match (policy, hit, stored) {
        (DmPolicy::Open, _, _) => ("dmPolicy", "open", keys.policy.path()),
        (_, Some(hit), _) => ("allowFrom", "entry", keys.list.path().index(hit.index())),
        (_, None, Some(_)) => ("approved-store", "entry", keys.policy.path()),
        (_, None, None) if own_number => ("dmPolicy", "own-number", keys.policy.path()),
        (DmPolicy::Pairing, None, None) => return Err(pairing(case, &keys)),
        (_, None, None) => {
            let inert = inert_entries(&list);
            return Err(
                Stop::drop(Reason::DmNotAllowlisted, "dmPolicy", "allowlist", keys.list.path()).with(inert)
            );
        }
    };
    case.steps.add(by.0, by.1, Effect::Admits, || (by.2.clone(), "the sender may write to the bot"));
    // The configured list, else the account's own number; with the store where it counts.
    let own_list = case.family == Family::WhatsApp && list.is_empty();
    let store_counts = policy == DmPolicy::Pairing && !case.pairing.entries().is_empty();
    let commands = match case.family {
        Family::Signal | Family::IMessage => Authorizer { configured: true, allowed: true },
        _ => Authorizer {
            configured: !list.is_empty() || store_counts || (own_list && case.message.self_phone.is_some()),
            allowed: hit.is_some() || stored.is_some() || (own_list && own_number),
        },
    };
    Ok(Passed { commands: vec![commands], when_off: WhenOff::Allow, mention: None, users: None, by })
}

/// Entries that are names and therefore do nothing, for the reason text.
pub(super) fn inert_entries(list: &super::sender_list::SenderList<'_>) -> String {
    let inert = list.inert(3);
    if inert.is_empty() {
        return String::new();
    }
    let named: Vec<String> =
        inert.iter().map(|(i, text)| format!("{text:?} at {}", list.path().index(*i))).collect();
    format!(
        "{} is a name and does nothing without dangerouslyAllowNameMatching; use the id",
        named.join(", ")
    )
}

fn pairing(case: &Case<'_, '_>, keys: &DmKeys<'_>) -> Box<Stop> {
    let stop = |outcome| {
        Box::new(Stop {
            outcome,
            layer: "dmPolicy",
            rule: "pairing",
            path: keys.policy.path(),
            detail: String::new(),
        })
    };
    if let Approved::Unreadable { why } = &case.pairing.approved {
        return stop(Outcome::Drop(Reason::DmPairingRequired))
            .with(format!("the approved store cannot be used: {why}"));
    }
    let message = case.message;
    if case.family == Family::WhatsApp
        && let (Some(sent), Some(connected)) = (message.sent_ms, message.connected_ms)
        && sent < connected.saturating_sub(HISTORY_GRACE_MS)
    {
        return stop(Outcome::Drop(Reason::DmHistorySuppressed));
    }
    match pairing_id(case.family, message) {
        Some(id) => stop(Outcome::Pairing(case.pairing.notice(&id))),
        None => stop(Outcome::Drop(Reason::DmPairingRequired)).with("the message names no sender".to_owned()),
    }
}
