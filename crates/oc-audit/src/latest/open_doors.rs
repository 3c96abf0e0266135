//! Which rooms and direct messages are open, and whether others than the owner reach an agent.

use oc_types::{KeyPath, Node};

use crate::AuditContext;

/// Maps of rooms that a channel section may hold.
const ROOMS: [&str; 5] = ["groups", "guilds", "channels", "rooms", "teams"];

/// One channel section or one account of it.
#[derive(Clone, Debug)]
pub(crate) struct Door<'a> {
    /// Where the section stands.
    pub(crate) path: KeyPath,
    own: &'a Node,
    /// The channel's section, whose values lie underneath an account's.
    base: Option<&'a Node>,
}

impl<'a> Door<'a> {
    /// Every channel section (the pseudo-channel `defaults` too), each followed by its accounts. Channels and accounts
    /// that are switched off are left out with `live_only`.
    pub(crate) fn all(ctx: &AuditContext<'a>, live_only: bool) -> Vec<Self> {
        let mut out = Vec::new();
        let sections = ctx.get(&["channels"]).and_then(Node::as_object);
        for (channel, section) in sections.into_iter().flatten().filter(|(_, s)| s.as_object().is_some()) {
            let path = KeyPath::keys(["channels"]).key(channel.as_str());
            if live_only && (is_off(section) || channel == "defaults") {
                continue;
            }
            let accounts = section.get("accounts").and_then(Node::as_object);
            for (id, account) in accounts.into_iter().flatten().filter(|(_, a)| a.as_object().is_some()) {
                if !(live_only && is_off(account)) {
                    let path = path.key("accounts").key(id.as_str());
                    out.push(Self { path, own: account, base: Some(section) });
                }
            }
            out.push(Self { path, own: section, base: None });
        }
        out
    }

    /// A value of the account, else of its channel, and where it stands.
    pub(crate) fn get(&self, keys: &[&str]) -> Option<(&'a Node, KeyPath)> {
        let join = |path: &KeyPath| path.join(&KeyPath::keys(keys.iter().copied()));
        let found = |node: &'a Node| node.path(keys).filter(|n| !n.is_null());
        match (found(self.own), self.base.and_then(found)) {
            (Some(node), _) => Some((node, join(&self.path))),
            // `channels.<id>.accounts.<account>`: two steps up is the channel.
            (None, Some(node)) => Some((node, join(&self.path.parent()?.parent()?))),
            (None, None) => None,
        }
    }

    /// The group policy in force; `allowlist` when nothing says.
    pub(crate) fn group_policy(&self) -> &'a str {
        self.get(&["groupPolicy"]).and_then(|(n, _)| n.as_str()).unwrap_or("allowlist")
    }

    /// The maps of rooms that are configured and not empty.
    pub(crate) fn rooms(&self) -> Vec<(&'a Node, KeyPath)> {
        let full = |(n, _): &(&Node, KeyPath)| n.as_object().is_some_and(|o| !o.is_empty());
        ROOMS.iter().filter_map(|key| self.get(&[key])).filter(full).collect()
    }

    /// The keys that let strangers in: an open group policy or an open policy for direct messages.
    pub(crate) fn open_keys(&self) -> Vec<KeyPath> {
        let is_open =
            |keys: &[&str]| self.get(keys).filter(|(n, _)| n.as_str() == Some("open")).map(|(_, p)| p);
        [&["groupPolicy"][..], &["dmPolicy"], &["dm", "policy"]].into_iter().filter_map(is_open).collect()
    }
}

/// Whether a section says `enabled: false`.
fn is_off(section: &Node) -> bool {
    section.get("enabled").and_then(Node::as_bool) == Some(false)
}

/// Every key that opens a room or direct messages to strangers, on channels and accounts. Each once, in order.
pub(crate) fn open_policies(ctx: &AuditContext<'_>) -> Vec<KeyPath> {
    unique(Door::all(ctx, false).iter().flat_map(Door::open_keys))
}

/// The same at any depth, single rooms included.
pub(crate) fn open_policies_deep(ctx: &AuditContext<'_>) -> Vec<KeyPath> {
    fn search(node: &Node, path: &KeyPath, out: &mut Vec<KeyPath>) {
        for (key, value) in node.as_object().into_iter().flatten() {
            let here = path.key(key.as_str());
            let policy = matches!(key.as_str(), "groupPolicy" | "dmPolicy")
                || (key == "policy"
                    && path.segments().last() == Some(&oc_types::Segment::Key("dm".to_owned())));
            if policy && value.as_str() == Some("open") {
                out.push(here);
            } else {
                search(value, &here, out);
            }
        }
    }
    let mut out = Vec::new();
    if let Some(channels) = ctx.get(&["channels"]) {
        search(channels, &KeyPath::keys(["channels"]), &mut out);
    }
    out
}

/// What says that others than the owner reach an agent: open policies, `*` among senders, or an allow list of rooms.
pub(crate) fn shared_access(ctx: &AuditContext<'_>) -> Vec<KeyPath> {
    let mut out = open_policies(ctx);
    for door in Door::all(ctx, false) {
        for keys in [&["allowFrom"][..], &["groupAllowFrom"], &["dm", "allowFrom"]] {
            let everybody = |n: &Node| n.entries().unwrap_or_default().iter().any(|e| e.trim() == "*");
            out.extend(door.get(keys).filter(|(n, _)| everybody(n)).map(|(_, path)| path));
        }
        if door.group_policy() == "allowlist" {
            out.extend(door.rooms().into_iter().map(|(_, path)| path));
        }
    }
    unique(out)
}

/// Whether rooms are admitted on a live channel, and by which keys.
pub(crate) fn admitted_rooms(ctx: &AuditContext<'_>) -> Vec<KeyPath> {
    let mut out = Vec::new();
    for door in Door::all(ctx, true) {
        match door.group_policy() {
            "open" => out.push(door.get(&["groupPolicy"]).map_or(door.path.key("groupPolicy"), |(_, p)| p)),
            "disabled" => {}
            _ => out.extend(door.rooms().into_iter().map(|(_, path)| path)),
        }
    }
    unique(out)
}

fn unique(paths: impl IntoIterator<Item = KeyPath>) -> Vec<KeyPath> {
    let mut out: Vec<KeyPath> = Vec::new();
    for path in paths {
        if !out.contains(&path) {
            out.push(path);
        }
    }
    out
}

/// Key paths for a finding's text, at most `most`.
pub(crate) fn list(paths: &[KeyPath], most: usize) -> String {
    let mut names: Vec<String> = paths.iter().take(most).map(|p| format!("`{p}`")).collect();
    if paths.len() > most {
        names.push(format!("{} more", paths.len() - most));
    }
    names.join(", ")
}
