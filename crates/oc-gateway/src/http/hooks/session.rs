//! In which session a hook is heard (SP-354): one of its own, unless the owner says otherwise. No request reaches anybody's chat by itself.

use oc_policy::session_key::SessionKey;
use oc_types::AgentId;

use super::order::Named;
use crate::methods::Place;
use crate::settings::Hooks;

/// What sessions of hooks begin with.
const OWN: &str = "hook:";

/// The agent and the session, in its one form; or why there is none, for the sender of the hook.
pub(super) fn of(
    place: &Place,
    hooks: &Hooks,
    agent: Option<&str>,
    named: &Named,
) -> Result<(AgentId, String), &'static str> {
    let agent = match agent {
        None => None,
        Some(id) => {
            let known = AgentId::strict(id).ok().filter(|agent| place.agents().contains(agent));
            Some(known.ok_or("there is no such agent")?)
        }
    };
    let (of, key) = match named {
        Named::Request(_) if !hooks.request_sessions => {
            return Err("sessionKey is not taken here (hooks.allowRequestSessionKey)");
        }
        Named::Request(key) => {
            let found = resolve(place, agent.as_ref(), key)?;
            if !within(&hooks.session_prefixes, &found.1) {
                return Err("sessionKey is none that hooks may name (hooks.allowedSessionKeyPrefixes)");
            }
            found
        }
        Named::Filled(key) => {
            let found = resolve(place, agent.as_ref(), key)?;
            if !(has(&found.1, OWN) || within(&hooks.session_prefixes, &found.1)) {
                return Err("the session of this mapping is none that hooks may name");
            }
            found
        }
        Named::Owner(key) => resolve(place, agent.as_ref(), key)?,
        Named::Nobody => {
            let of = agent.unwrap_or_else(|| place.default_agent());
            let configured = hooks.default_session.as_deref();
            let configured = configured.and_then(|key| resolve(place, Some(&of), key).ok());
            configured.unwrap_or_else(|| {
                let key = format!("agent:{of}:{OWN}{}", uuid::Uuid::new_v4().simple());
                (of, key)
            })
        }
    };
    if hooks.agents.as_ref().is_some_and(|allowed| !allowed.iter().any(|a| a == of.as_str())) {
        return Err("hooks may not start turns of this agent (hooks.allowedAgentIds)");
    }
    Ok((of, key))
}

/// A key in its one form. One that names an agent has to name the same.
fn resolve(place: &Place, agent: Option<&AgentId>, key: &str) -> Result<(AgentId, String), &'static str> {
    let parsed = SessionKey::parse(key).map_err(|_| "the session key is not right")?;
    let of = match (parsed.agent(), agent) {
        (Some(own), Some(named)) if own != named => return Err("the session is one of another agent"),
        (Some(own), _) if !place.agents().contains(own) => return Err("there is no such agent"),
        (Some(own), _) => own.clone(),
        (None, Some(named)) => named.clone(),
        (None, None) => place.default_agent(),
    };
    let key = place.canonical(&of, &parsed);
    Ok((of, key))
}

/// Whether a key begins with one of the prefixes; without any, whether it is a hook's own.
fn within(prefixes: &[String], key: &str) -> bool {
    let mut listed = prefixes.iter().map(|p| p.trim().to_lowercase()).filter(|p| !p.is_empty()).peekable();
    if listed.peek().is_none() {
        return has(key, OWN);
    }
    listed.any(|prefix| has(key, &prefix))
}

/// Whether a key begins like this: as a whole, or after its agent.
fn has(key: &str, prefix: &str) -> bool {
    let rest = SessionKey::parse(key).map(|k| k.rest().to_owned()).unwrap_or_default();
    if prefix.starts_with("agent:") { key.starts_with(prefix) } else { rest.starts_with(prefix) }
}
