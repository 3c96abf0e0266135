//! Settings of sessions for chat commands: the members of `sessions.json` that clients change with `sessions.patch`, by the same rules.

use std::sync::Weak;

use oc_approval::decision::SessionOverride;
use oc_channels::adapter::Pending;
use oc_channels::session_settings::{
    QueueMode, Reasoning, SendOverride, SessionSettings, SessionView, SettingChange, SettingsFailure, Verbose,
};
use oc_fs::session_store::{Entry, SessionStore, SessionStoreFailure};
use oc_policy::command::exec::ExecDirective;
use oc_policy::elevated::Level;
use oc_policy::inbound::ConversationKind;
use oc_policy::session_key::SessionKey;
use oc_sandbox::gate::SessionExec;
use oc_types::AgentId;
use serde_json::{Map, Value, json};

use crate::methods::{Place, sessions};
use crate::server::state::Gateway;

/// The settings of a gateway's sessions.
#[derive(Clone, Debug)]
pub struct StoredSettings {
    gateway: Weak<Gateway>,
}

impl StoredSettings {
    /// Over a gateway.
    #[must_use]
    pub fn new(gateway: Weak<Gateway>) -> Self {
        Self { gateway }
    }

    /// Works on the stores, off the reactor.
    async fn with<T: Send + 'static>(
        &self,
        session: &SessionKey,
        work: impl FnOnce(&Place, &AgentId, &str) -> Result<T, SettingsFailure> + Send + 'static,
    ) -> Result<T, SettingsFailure> {
        let gateway = self.gateway.upgrade().ok_or(SettingsFailure::Unavailable)?;
        let place = gateway.snapshot().place();
        let agent = session.agent().cloned().unwrap_or_else(|| place.default_agent());
        let key = place.canonical(&agent, session);
        let working = tokio::task::spawn_blocking(move || work(&place, &agent, &key));
        working.await.unwrap_or(Err(SettingsFailure::Unavailable))
    }
}

impl SessionSettings for StoredSettings {
    fn view<'a>(&'a self, session: &'a SessionKey) -> Pending<'a, SessionView> {
        Box::pin(async move {
            let read = self.with(session, |place, agent, key| {
                let entry = entry(&place.store(agent), key).map_err(|_| SettingsFailure::Unavailable)?;
                Ok(view(&entry))
            });
            read.await.unwrap_or_else(|_| unreadable())
        })
    }

    fn change<'a>(
        &'a self,
        session: &'a SessionKey,
        change: SettingChange,
    ) -> Pending<'a, Result<(), SettingsFailure>> {
        Box::pin(self.with(session, move |place, agent, key| {
            match change {
                // The protocol's method has no word for it.
                SettingChange::Queue(mode) => place
                    .store(agent)
                    .change(|all| {
                        let Some(Value::Object(entry)) = all.get_mut(key) else { return Ok(()) };
                        match mode {
                            Some(mode) => drop(entry.insert("queueMode".to_owned(), mode.word().into())),
                            None => drop(entry.shift_remove("queueMode")),
                        }
                        Ok::<(), Failed>(())
                    })
                    .map_err(|_| SettingsFailure::Unavailable),
                other => {
                    let mut params = patch(other);
                    params.insert("key".to_owned(), json!(key));
                    let patched = sessions::patch(place, Value::Object(params));
                    patched.map(drop).map_err(|failure| match failure.code {
                        crate::protocol::frame::Code::InvalidRequest => {
                            SettingsFailure::Value(failure.message)
                        }
                        _ => SettingsFailure::Unavailable,
                    })
                }
            }
        }))
    }

    fn renew<'a>(&'a self, session: &'a SessionKey) -> Pending<'a, Result<(), SettingsFailure>> {
        Box::pin(self.with(session, |place, _, key| {
            let renewed = sessions::reset(place, json!({ "key": key }));
            renewed.map(drop).map_err(|_| SettingsFailure::Unavailable)
        }))
    }

    fn compact<'a>(
        &'a self,
        session: &'a SessionKey,
        _wish: Option<String>,
    ) -> Pending<'a, Result<String, SettingsFailure>> {
        let _ = session;
        // Shortening asks the model: the next turn does it when the conversation no longer fits.
        let why = "A conversation is shortened by itself when it grows too long; /new begins a new one.";
        Box::pin(std::future::ready(Err(SettingsFailure::Value(why.to_owned()))))
    }

    fn status<'a>(&'a self, session: &'a SessionKey) -> Pending<'a, Vec<String>> {
        Box::pin(async move {
            let read = self.with(session, |place, agent, key| {
                let entry = entry(&place.store(agent), key).map_err(|_| SettingsFailure::Unavailable)?;
                let number = |name: &str| entry.get(name).and_then(Value::as_u64).unwrap_or(0);
                let model = crate::methods::model_of_session(&place.config, agent, &entry);
                let runs = oc_policy::sandbox::is_sandboxed(&place.config, Some(key));
                let runs = runs.map_or("unclear", |s| {
                    if s.runs.is_sandboxed() { "in the sandbox" } else { "on the host" }
                });
                Ok(vec![
                    format!("Model: {model}"),
                    format!(
                        "Tokens: {} in, {} out, {} in the conversation",
                        number("inputTokens"),
                        number("outputTokens"),
                        number("totalTokens")
                    ),
                    format!("Tools act: {runs}"),
                ])
            });
            read.await.unwrap_or_default()
        })
    }
}

/// What [`SessionStore::change`] needs.
struct Failed;

impl From<oc_fs::session_store::SessionStoreFailure> for Failed {
    fn from(_: oc_fs::session_store::SessionStoreFailure) -> Self {
        Self
    }
}

/// What the store says about a session (`key`, in its one form): nothing of one that it does not know. Reads a file; not for the reactor.
///
/// # Errors
/// It cannot be read. What a session was told before - to send nothing, to run nothing - is not known then, so nothing goes on as if it
/// had been told nothing.
pub fn entry(store: &SessionStore, key: &str) -> Result<Entry, SessionStoreFailure> {
    let mut all = store.read()?;
    Ok(match all.shift_remove(key) {
        Some(Value::Object(entry)) => entry,
        Some(_) | None => Entry::new(),
    })
}

/// A word of an entry. What is there and no text is a word that nobody knows: readers take it for the strictest one.
fn word(entry: &Entry, name: &str) -> Option<String> {
    match entry.get(name)? {
        Value::Null => None,
        Value::String(text) => Some(text.trim().to_lowercase()),
        other => Some(other.to_string()),
    }
}

/// `sendPolicy` of an entry. Only the one word allows; only what is absent leaves it to the configuration.
#[must_use]
pub fn send_of(entry: &Entry) -> Option<SendOverride> {
    word(entry, "sendPolicy").map(|w| if w == "allow" { SendOverride::Allow } else { SendOverride::Deny })
}

/// What the kind of a conversation is taken for that is not known: an answer has to be allowed as each of them (SP-415).
pub const ANY_KIND: [ConversationKind; 3] =
    [ConversationKind::Direct, ConversationKind::Group, ConversationKind::Channel];

fn view(entry: &Entry) -> SessionView {
    let text = |name: &str| word(entry, name);
    let model = entry.get("modelOverride").and_then(Value::as_str);
    let provider = entry.get("providerOverride").and_then(Value::as_str);
    SessionView {
        think: text("thinkingLevel"),
        verbose: text("verboseLevel").map(|w| match w.as_str() {
            "on" => Verbose::On,
            "full" => Verbose::Full,
            _ => Verbose::Off,
        }),
        reasoning: text("reasoningLevel").map(|w| match w.as_str() {
            "on" => Reasoning::On,
            "stream" => Reasoning::Stream,
            _ => Reasoning::Off,
        }),
        elevated: text("elevatedLevel").map(|w| Level::parse(&w).unwrap_or(Level::Off)),
        exec_host: text("execHost"),
        exec_security: text("execSecurity"),
        exec_ask: text("execAsk"),
        exec_node: entry.get("execNode").and_then(Value::as_str).map(str::to_owned),
        model: model.map(|m| provider.map_or_else(|| m.to_owned(), |p| format!("{p}/{m}"))),
        // Only the one word opens a room.
        mention_needed: text("groupActivation").map(|w| w != "always"),
        send: send_of(entry),
        queue: text("queueMode").and_then(|w| QueueMode::parse(&w)),
    }
}

/// The strictest of everything: the store cannot be read.
fn unreadable() -> SessionView {
    SessionView {
        verbose: Some(Verbose::Off),
        reasoning: Some(Reasoning::Off),
        elevated: Some(Level::Off),
        mention_needed: Some(true),
        send: Some(SendOverride::Deny),
        ..SessionView::default()
    }
}

fn patch(change: SettingChange) -> Map<String, Value> {
    let one = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
    match change {
        SettingChange::Think(level) => one("thinkingLevel", json!(level)),
        SettingChange::Verbose(level) => one(
            "verboseLevel",
            json!(match level {
                Verbose::Off => "off",
                Verbose::On => "on",
                Verbose::Full => "full",
            }),
        ),
        SettingChange::Reasoning(level) => one(
            "reasoningLevel",
            json!(match level {
                Reasoning::Off => "off",
                Reasoning::On => "on",
                Reasoning::Stream => "stream",
            }),
        ),
        SettingChange::Elevated(level) => one("elevatedLevel", json!(level.word())),
        SettingChange::Exec(directive) => {
            let words = [
                ("execHost", directive.host),
                ("execSecurity", directive.security),
                ("execAsk", directive.ask),
                ("execNode", directive.node),
            ];
            words.into_iter().filter_map(|(name, word)| Some((name.to_owned(), json!(word?)))).collect()
        }
        SettingChange::Model(model) => one("model", json!(model)),
        SettingChange::MentionNeeded(needed) => {
            one("groupActivation", json!(if needed { "mention" } else { "always" }))
        }
        SettingChange::Send(send) => one(
            "sendPolicy",
            match send {
                SendOverride::Allow => json!("allow"),
                SendOverride::Deny => json!("deny"),
                SendOverride::Inherit => Value::Null,
            },
        ),
        SettingChange::Queue(mode) => one("queueMode", json!(mode.map(QueueMode::word))),
    }
}

/// What a session's entry says about commands: `/exec` and `/elevated` of before.
///
/// # Errors
/// As [`entry`].
pub fn session_exec(store: &SessionStore, key: &str) -> Result<SessionExec, SessionStoreFailure> {
    Ok(exec_of(&entry(store, key)?))
}

/// The same of an entry that was read.
#[must_use]
pub fn exec_of(entry: &Entry) -> SessionExec {
    let node = match entry.get("execNode") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(other) => Some(other.to_string()),
    };
    let directive = ExecDirective {
        present: true,
        cleaned: String::new(),
        host: word(entry, "execHost"),
        security: word(entry, "execSecurity"),
        ask: word(entry, "execAsk"),
        node,
        invalid: Vec::new(),
    };
    let level = word(entry, "elevatedLevel").map(|word| Level::parse(&word).unwrap_or(Level::Off));
    SessionExec { directive: None, level, overrides: SessionOverride::default().with(&directive) }
}

#[cfg(test)]
mod tests {
    use oc_approval::approvals_file::{Ask, Security};

    use super::*;

    fn of(value: Value) -> Entry {
        let Value::Object(entry) = value else { panic!("an object") };
        entry
    }

    #[test]
    fn sp_119_what_is_there_and_no_word_is_the_strictest() {
        for odd in [json!(false), json!(true), json!(1), json!(["allow"]), json!({}), json!("alow")] {
            let entry = of(json!({
                "sendPolicy": odd, "execSecurity": odd, "execAsk": odd, "elevatedLevel": odd, "groupActivation": odd,
            }));
            assert_eq!(send_of(&entry), Some(SendOverride::Deny), "{odd}");
            let (view, exec) = (view(&entry), exec_of(&entry));
            assert_eq!((view.send, view.mention_needed), (Some(SendOverride::Deny), Some(true)), "{odd}");
            assert_eq!((view.elevated, exec.level), (Some(Level::Off), Some(Level::Off)), "{odd}");
            assert_eq!(exec.overrides.security, Some(Security::Deny), "{odd}");
            assert_eq!(exec.overrides.ask, Some(Ask::Always), "{odd}");
        }
        for absent in [json!({}), json!({ "sendPolicy": null, "execSecurity": null })] {
            let entry = of(absent);
            assert_eq!((send_of(&entry), exec_of(&entry).overrides.security), (None, None));
        }
        assert_eq!(send_of(&of(json!({ "sendPolicy": " Allow " }))), Some(SendOverride::Allow));
    }

    #[test]
    fn a_store_that_cannot_be_read_is_not_one_that_says_nothing() {
        let home = tempfile::tempdir().unwrap();
        let store = SessionStore::of(home.path(), &AgentId::normalized("main"), None, home.path());
        let key = "agent:main:main";
        assert_eq!(entry(&store, key).unwrap(), Entry::new(), "there is none yet");
        store
            .change(|all| {
                all.insert(key.to_owned(), json!({ "sessionId": "s", "execSecurity": "deny" }));
                Ok::<_, SessionStoreFailure>(())
            })
            .unwrap();
        assert_eq!(session_exec(&store, key).unwrap().overrides.security, Some(Security::Deny));
        std::fs::write(store.path(), "{").unwrap();
        assert!(entry(&store, key).is_err() && session_exec(&store, key).is_err());
        assert_eq!(unreadable().send, Some(SendOverride::Deny));
    }
}
