//! What makes an access configuration unusable: unknown words, and `open` without `"*"` (SP-119, SP-407).

use oc_types::{ChannelId, KeyPath, Node};

use super::direct::{DmPolicy, dm_keys};
use super::identity::Family;
use super::room::GroupPolicy;
use super::settings::{Setting, Settings};

/// A setting that has to be corrected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessIssue {
    /// The key.
    pub path: KeyPath,
    /// What is wrong and what to write.
    pub message: String,
    /// The other key that makes it wrong.
    pub because: Option<KeyPath>,
}

/// Checks every channel and account.
#[must_use]
pub fn validate(config: &Node) -> Vec<AccessIssue> {
    let mut issues = Vec::new();
    let Some(channels) = config.get("channels").and_then(Node::as_object) else { return issues };
    let root = KeyPath::dotted("channels");
    for (name, section) in channels {
        let path = root.key(name);
        if name == "defaults" {
            group_word(&mut issues, section.get("groupPolicy"), &path.key("groupPolicy"));
            continue;
        }
        let Ok(channel) = ChannelId::parse(name) else { continue };
        if section.as_object().is_none() {
            continue;
        }
        let family = Family::of(&channel);
        let accounts = section.get("accounts").and_then(Node::as_object);
        dm(&mut issues, &Settings::of(config, &channel, ""), family);
        rooms(&mut issues, section, &path);
        for (account, node) in accounts.into_iter().flatten() {
            dm(&mut issues, &Settings::of(config, &channel, account), family);
            rooms(&mut issues, node, &path.key("accounts").key(account));
        }
    }
    issues
}

fn add(issues: &mut Vec<AccessIssue>, issue: AccessIssue) {
    if !issues.iter().any(|i| i.path == issue.path) {
        issues.push(issue);
    }
}

fn dm(issues: &mut Vec<AccessIssue>, settings: &Settings<'_>, family: Family) {
    let keys = dm_keys(settings, family);
    let Some(node) = keys.policy.node else { return };
    let Some(policy) = node.as_str().and_then(DmPolicy::parse) else {
        let message = format!("{} is no policy; use pairing, allowlist, open or disabled", shown(node));
        return add(issues, AccessIssue { path: keys.policy.path(), message, because: None });
    };
    let everybody = || keys.list.node.and_then(Node::as_array).is_some_and(|l| l.iter().any(is_star));
    if policy == DmPolicy::Open && !everybody() {
        let path = beside(&keys.list, &keys.policy);
        let message =
            "open needs \"*\" in this list; without it nobody can tell whom it opens the bot to".to_owned();
        add(issues, AccessIssue { path, message, because: Some(keys.policy.path()) });
    }
}

fn is_star(node: &Node) -> bool {
    node.as_str().is_some_and(|t| t.trim() == "*")
}

/// The list to correct: the one in force, unless it is not there or belongs to the channel while the account alone asks for `open`.
fn beside(list: &Setting<'_>, policy: &Setting<'_>) -> KeyPath {
    let outer = policy.path().segments().len() > list.path().segments().len();
    if list.is_set() && !outer {
        return list.path();
    }
    policy.path().parent().map_or_else(|| list.path(), |p| p.key("allowFrom"))
}

fn rooms(issues: &mut Vec<AccessIssue>, section: &Node, path: &KeyPath) {
    group_word(issues, section.get("groupPolicy"), &path.key("groupPolicy"));
    let groups = section.get("groups").and_then(Node::as_object);
    for (room, entry) in groups.into_iter().flatten() {
        let at = || path.key("groups").key(room);
        if let Some(word) = entry.get("groupPolicy") {
            group_word(issues, Some(word), &at().key("groupPolicy"));
        }
        for (topic, entry) in entry.get("topics").and_then(Node::as_object).into_iter().flatten() {
            if let Some(word) = entry.get("groupPolicy") {
                group_word(issues, Some(word), &at().key("topics").key(topic).key("groupPolicy"));
            }
        }
    }
}

fn group_word(issues: &mut Vec<AccessIssue>, node: Option<&Node>, path: &KeyPath) {
    let Some(node) = node else { return };
    if node.as_str().and_then(GroupPolicy::parse).is_none() {
        let message = format!("{} is no policy; use allowlist, open or disabled", shown(node));
        add(issues, AccessIssue { path: path.clone(), message, because: None });
    }
}

fn shown(node: &Node) -> String {
    match node.as_str() {
        Some(text) => format!("{:?}", text.chars().take(60).collect::<String>()),
        None => format!("a {}", node.value.type_name()),
    }
}
