//! `hooks`: what starts a turn from outside (gateway 8, SP-354).

use oc_types::Node;

use super::{Resolved, StartRefused, parts};
use crate::entrance::credential::Key;

mod mappings;

pub use mappings::{Action, Mapping};

/// `hooks`, when enabled.
#[derive(Clone, Debug)]
pub struct Hooks {
    /// The secret of hooks; it opens nothing else (SP-348).
    pub key: Key,
    /// Where they are, with a slash in front and none at the end.
    pub path: String,
    /// Longest body, in bytes.
    pub max_body: usize,
    /// Whether a request may name a session.
    pub request_sessions: bool,
    /// Prefixes of the sessions that a request may name.
    pub session_prefixes: Vec<String>,
    /// The session of requests that name none.
    pub default_session: Option<String>,
    /// Agents whose turns a hook may start; `None`: any.
    pub agents: Option<Vec<String>>,
    /// `hooks.mappings` and the presets, in order.
    pub mappings: Vec<Mapping>,
}

/// Longest body unless `hooks.maxBodyBytes` says otherwise.
const MAX_BODY: usize = 256 * 1024;

pub(super) fn read(config: &Node, resolved: &Resolved, wrong: &mut Vec<StartRefused>) -> Option<Hooks> {
    let hooks = config.path(&["hooks"])?;
    if hooks.get("enabled").and_then(Node::as_bool) != Some(true) {
        return None;
    }
    let path = parts::text(config, &["hooks", "path"]).unwrap_or_else(|| "/hooks".to_owned());
    let path = path.trim_matches('/').to_owned();
    if path.is_empty() || path.split('/').any(|s| s.is_empty() || s == "." || s == "..") {
        wrong.push(StartRefused::HooksPath);
        return None;
    }
    let Some(key) = resolved.hooks.as_ref().and_then(Key::new) else {
        wrong.push(StartRefused::HooksToken);
        return None;
    };
    let shared = [&resolved.token, &resolved.password].into_iter().flatten();
    if shared.into_iter().any(|s| key.opens(s.expose().trim())) {
        wrong.push(StartRefused::HooksTokenShared);
        return None;
    }
    let max = hooks.get("maxBodyBytes").and_then(Node::as_number).map(oc_types::tree::number_text);
    Some(Hooks {
        key,
        path: format!("/{path}"),
        max_body: max.and_then(|n| n.parse().ok()).unwrap_or(MAX_BODY).min(16 * 1024 * 1024),
        request_sessions: hooks.get("allowRequestSessionKey").and_then(Node::as_bool) == Some(true),
        session_prefixes: parts::texts(config, &["hooks", "allowedSessionKeyPrefixes"]),
        default_session: parts::text(config, &["hooks", "defaultSessionKey"]),
        agents: agents(hooks),
        mappings: mappings::read(hooks),
    })
}

/// `hooks.allowedAgentIds`; a list with `*` allows any, an empty one nobody.
fn agents(hooks: &Node) -> Option<Vec<String>> {
    let listed = hooks.get("allowedAgentIds").and_then(Node::entries)?;
    let listed: Vec<String> = listed.iter().map(|a| a.trim().to_lowercase()).collect();
    (!listed.iter().any(|a| a == "*")).then_some(listed)
}
