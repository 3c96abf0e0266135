//! Rules inside `channels` that no single key shows.

use oc_types::{KeyPath, Node};

use super::{Report, ValidateContext};
use crate::Reading;
use crate::schema::channels::{CHANNELS, Channel, DirectKeys};

pub(super) fn check(tree: &Node, context: &ValidateContext<'_>, report: &mut Report) {
    for channel in CHANNELS {
        if !channel.core && context.reading == Reading::Era {
            continue; // Left to the plugin.
        }
        let Some(section) = tree.path(&["channels", channel.id]) else { continue };
        let at = KeyPath::root().key("channels").key(channel.id);
        level(channel, section, None, &at, report);
        if let Some(accounts) = section.get("accounts").and_then(Node::as_object) {
            for (id, account) in accounts {
                let at = at.key("accounts").key(id.as_str());
                let above = (context.reading == Reading::Product).then_some(section);
                level(channel, account, above, &at, report);
                transport(channel, account, Some(section), &at, report);
            }
        }
        transport(channel, section, None, &at, report);
    }
}

/// SP-407: a channel or account that is open to everybody says so twice, with the policy and with `"*"`. An account
/// inherits key by key from its channel in the product's reading.
fn level(channel: &Channel, node: &Node, above: Option<&Node>, at: &KeyPath, report: &mut Report) {
    let (policy, list): (&[&str], &[&str]) = match channel.direct {
        DirectKeys::Flat => (&["dmPolicy"], &["allowFrom"]),
        DirectKeys::Nested => (&["dm", "policy"], &["dm", "allowFrom"]),
        DirectKeys::None => return,
    };
    let inherited = |keys: &[&str]| {
        let own = node.path(keys);
        // A nested object is replaced as a whole, not merged.
        let replaced = keys.len() > 1 && keys.first().is_some_and(|k| node.get(k).is_some());
        own.or_else(|| if replaced { None } else { above.and_then(|a| a.path(keys)) })
    };
    let own_says_it = node.path(policy).is_some() || node.path(list).is_some();
    let Some(open) = inherited(policy).filter(|p| p.as_str() == Some("open")) else { return };
    if above.is_some() && !own_says_it {
        return; // Said, and judged, at the channel.
    }
    let listed = inherited(list);
    let wildcard = listed.and_then(Node::entries).is_some_and(|e| e.iter().any(|e| e.trim() == "*"));
    if wildcard {
        return;
    }
    let path = list.iter().fold(at.clone(), |at, k| at.key(*k));
    let policy_path = policy.iter().fold(at.clone(), |at, k| at.key(*k));
    let place = match open.origin.position() {
        Some(position) => format!("{policy_path} at {position}"),
        None => policy_path.to_string(),
    };
    report.say(
        path,
        listed.unwrap_or(open),
        format!("{place} is \"open\", which needs a literal \"*\" in this list"),
        format!("set {policy_path} to \"pairing\", or add \"*\" to open the bot to everybody"),
    );
}

/// Ways to receive messages that need a second key.
fn transport(channel: &Channel, node: &Node, above: Option<&Node>, at: &KeyPath, report: &mut Report) {
    let get = |key: &str| node.get(key).or_else(|| above.and_then(|a| a.get(key)));
    let blank = |key: &str| get(key).is_none_or(|n| n.as_str().is_some_and(|s| s.trim().is_empty()));
    let own = |key: &str| node.get(key).filter(|n| n.as_str().is_some_and(|s| !s.trim().is_empty()));
    match channel.id {
        "telegram" => {
            if let Some(url) = own("webhookUrl")
                && blank("webhookSecret")
            {
                let message = "missing, and needed because webhookUrl is set";
                report.say(
                    at.key("webhookSecret"),
                    url,
                    message,
                    "add a long random text, or remove webhookUrl",
                );
            }
        }
        "slack" => {
            let Some(mode) = node.get("mode").filter(|m| m.as_str() == Some("http")) else { return };
            if blank("signingSecret") {
                let message = "missing, and needed because mode is \"http\"";
                let fix = "add the app's signing secret, or set mode to \"socket\"";
                report.say(at.key("signingSecret"), mode, message, fix);
            }
        }
        _ => {}
    }
}
