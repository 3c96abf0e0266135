//! Turns of the assistant: a session is begun or gone on with, the model asked, its calls made through the gate, the outcome noted.
//!
//! Whoever has something for a session - a channel, the web chat, another session, a job - hands a [`Conversation`] in. One turn of a
//! session runs at a time: its transcript has one writer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use jiff::tz::TimeZone;
use oc_agent::context::Window;
use oc_agent::message::{Answer, Request, Thinking};
use oc_agent::model::{About, Delta, Model, ModelFailure, Pending};
use oc_agent::prompt::{BOOTSTRAP_MAX_CHARS, Ground, Heartbeat, Mode, read_files};
use oc_agent::session::entry::{self, Begun, Facts, Finished, Fresh, Moment, Wish};
use oc_agent::session::reset::{ResetPolicy, Type};
use oc_agent::session::{Session, SessionFailure};
use oc_agent::turn::limits::Limits;
use oc_agent::turn::said::{PersonMessage, Said};
use oc_agent::turn::steering::Steering;
use oc_agent::turn::{Abort, Ended, Sink, TurnEnd, TurnRequest, run};
use oc_fs::durability::Durability;
use oc_fs::session_store::{Entry, SessionStoreFailure, session_id};
use oc_policy::inbound::ConversationKind;
use oc_sandbox::gate::Caller;
use oc_types::{AgentId, Node};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::Semaphore;

use super::children::Children;
use super::later::Later;
use super::models::{self, NoModels, SessionModels};
use super::origin::return_address;
use super::running::RunningTurns;
use super::runs::Runs;
use super::sending::Sending;
use super::taken_over::TakenOver;
use crate::server::state::Gateway;

/// How long a turn waits for the former one of its session.
const WAIT: Duration = Duration::from_secs(120);
/// Turns of a session that follow from its commands and sub-agents without a message of a person in between.
const FOLLOW_UPS: usize = 32;

/// Most turns that hooks started and that go on or wait.
const HOOK_TURNS: usize = 32;

/// Something for a session.
#[derive(Debug)]
pub struct Conversation {
    /// The agent.
    pub agent: AgentId,
    /// The session, in its one form.
    pub key: String,
    /// For whom calls act, but for what [`Said`] says.
    pub caller: Caller,
    /// Who must be allowed every call as well: whoever stands behind a turn that no person started.
    pub behind: Vec<Caller>,
    /// What is said.
    pub said: Said,
    /// What is known of the conversation.
    pub facts: Facts,
    /// Whether it begins anew.
    pub wish: Wish,
    /// How much of the system prompt it gets.
    pub prompt: Mode,
}

/// Why a turn did not begin. For the owner's log: may name files.
#[derive(Debug, Error)]
pub enum NotBegun {
    /// The gateway ends.
    #[error("the gateway is stopping")]
    Stopping,
    /// The agent is not configured, or not any more.
    #[error("agent `{0}` is not configured (agents.list)")]
    NoAgent(AgentId),
    /// Nobody wants it any more.
    #[error("it was stopped before it began")]
    Stopped,
    /// The session store.
    #[error(transparent)]
    Store(#[from] SessionStoreFailure),
    /// The transcript.
    #[error(transparent)]
    Session(#[from] SessionFailure),
    /// The models.
    #[error(transparent)]
    Models(#[from] NoModels),
    /// Work on files was lost.
    #[error("work on the session's files was not finished")]
    Lost,
}

/// What was stopped of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stopped {
    /// A turn of it, or a sub-agent.
    pub turn: bool,
    /// Calls that went on after their turn.
    pub calls: bool,
    /// The sessions of its sub-agents.
    pub spawned: Vec<String>,
}

/// Awaited between an answer that asks for tools and the first of them: what has to be on the disk before something is done.
pub trait BeforeActing: Send + Sync {
    /// Whether it may go on.
    fn acting(&self) -> Pending<'_, bool>;
}

/// Nothing has to be noted.
#[derive(Clone, Copy, Debug)]
pub struct Unnoted;

impl BeforeActing for Unnoted {
    fn acting(&self) -> Pending<'_, bool> {
        Box::pin(std::future::ready(true))
    }
}

/// The assistant of a gateway.
#[derive(Debug)]
pub struct Assistant {
    gateway: Weak<Gateway>,
    models: models::Kept,
    running: RunningTurns,
    runs: Runs,
    hooks: Arc<Semaphore>,
    children: Arc<Children>,
    taken_over: Arc<TakenOver>,
    sending: Arc<Sending>,
    /// Turns of a session that followed from something, since a person wrote.
    follow_ups: Mutex<HashMap<String, usize>>,
}

impl Assistant {
    /// The assistant of a gateway; it does not keep the gateway.
    #[must_use]
    pub fn new(gateway: Weak<Gateway>) -> Self {
        Self {
            gateway,
            models: models::Kept::default(),
            running: RunningTurns::default(),
            runs: Runs::default(),
            hooks: Arc::new(Semaphore::new(HOOK_TURNS)),
            children: Arc::default(),
            taken_over: Arc::default(),
            sending: Arc::default(),
            follow_ups: Mutex::default(),
        }
    }

    /// The gateway, while it is there.
    #[must_use]
    pub fn gateway(&self) -> Option<Arc<Gateway>> {
        self.gateway.upgrade()
    }

    /// Runs that clients started.
    #[must_use]
    pub fn runs(&self) -> &Runs {
        &self.runs
    }

    /// Places for turns that hooks started.
    #[must_use]
    pub fn hook_turns(&self) -> Arc<Semaphore> {
        Arc::clone(&self.hooks)
    }

    /// The sub-agents that run.
    #[must_use]
    pub fn children(&self) -> &Arc<Children> {
        &self.children
    }

    /// The calls that go on after their turn.
    #[must_use]
    pub fn taken_over(&self) -> &Arc<TakenOver> {
        &self.taken_over
    }

    /// The messages of sessions to others that are under way.
    #[must_use]
    pub fn sending(&self) -> &Arc<Sending> {
        &self.sending
    }

    /// Stops the turn of a session, its sub-agents, and what goes on after its turns. What is in the hands of the gate ends with
    /// [`super::ending::end_session`].
    pub(super) fn stop(&self, key: &str) -> Stopped {
        // First whoever could start more.
        let mut turn = self.running.stop(key);
        let spawned = self.children.stop_of(key);
        // The session may be a sub-agent's own, and not have begun.
        turn |= self.children.abort(key) || !spawned.is_empty();
        let mut calls = false;
        for session in spawned.iter().map(String::as_str).chain([key]) {
            turn |= self.running.stop(session);
            calls |= self.taken_over.stop_of(session);
        }
        Stopped { turn, calls, spawned }
    }

    /// Whether a session may go on by itself once more. A person's message begins the count anew.
    #[must_use]
    pub fn may_follow_up(&self, key: &str) -> bool {
        let mut all = self.follow_ups.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(key.to_owned()).or_default();
        *count = count.saturating_add(1);
        *count <= FOLLOW_UPS
    }

    /// Whether a model that is named can be asked.
    ///
    /// # Errors
    /// One sentence about why not.
    pub fn knows_model(&self, named: &str) -> Result<(), String> {
        let gateway = self.gateway().ok_or("the gateway is stopping")?;
        let models = self.models.of(&gateway.snapshot()).map_err(|e| e.to_string())?;
        models.settings().resolve(named).map(drop).map_err(|e| e.to_string())
    }

    /// Hands a message to the turn that runs in a session.
    ///
    /// # Errors
    /// The message, when no turn takes it.
    pub fn steer(&self, key: &str, message: PersonMessage) -> Result<(), Box<PersonMessage>> {
        match self.running.steering(key) {
            Some(steering) => steering.hand_in(message),
            None => Err(Box::new(message)),
        }
    }

    /// Whether a turn runs in a session.
    #[must_use]
    pub fn is_running(&self, key: &str) -> bool {
        self.running.is_running(key)
    }

    /// Runs a turn.
    ///
    /// # Errors
    /// See [`NotBegun`]: nothing was said to a model.
    pub async fn converse(
        &self,
        what: Conversation,
        sink: &dyn Sink,
        before: &dyn BeforeActing,
    ) -> Result<TurnEnd, NotBegun> {
        self.converse_until(what, sink, before, &Abort::new()).await
    }

    /// Runs a turn that its caller can stop, from the moment of this call on.
    ///
    /// # Errors
    /// See [`NotBegun`]: nothing was said to a model.
    pub async fn converse_until(
        &self,
        what: Conversation,
        sink: &dyn Sink,
        before: &dyn BeforeActing,
        abort: &Abort,
    ) -> Result<TurnEnd, NotBegun> {
        if abort.is_stopped() {
            return Err(NotBegun::Stopped);
        }
        let gateway = self.gateway().ok_or(NotBegun::Stopping)?;
        let snapshot = gateway.snapshot();
        let place = snapshot.place();
        // Whatever began it: an agent without a place in the configuration has no rules of its own, and does not act.
        if !place.agents().contains(&what.agent) {
            return Err(NotBegun::NoAgent(what.agent));
        }
        let config = Arc::clone(&snapshot.tree);
        let store = place.store(&what.agent);
        let Begun { entry: begun, fresh, .. } = self.begin(&what, &store, &config).await?;
        if matches!(fresh, Fresh::Asked | Fresh::Stale(_)) {
            // What the former conversation left running is nobody's any more.
            let _ = self.children.stop_of(&what.key);
            self.taken_over.stop_of(&what.key);
            gateway.gate.end_session(&what.caller).await;
        }
        if matches!(what.said, Said::People(_)) {
            self.follow_ups.lock().unwrap_or_else(PoisonError::into_inner).remove(&what.key);
        }
        let workspace = place.workspace(&what.agent);
        let directory = workspace.display().to_string();
        let opening = Session::open(store.clone(), begun.clone(), directory, jiff::Timestamp::now, WAIT);
        let (session, notes) = tokio::select! {
            opened = opening => opened?,
            () = abort.stopped() => return Err(NotBegun::Stopped),
        };
        if notes != oc_agent::session::OpenNotes::default() {
            tracing::warn!(target: "assistant", session = what.key, ?notes, "the transcript was mended");
        }
        let models = self.models.of(&snapshot)?;
        let model = SessionModels::of(&models, &what.agent, &begun, what.caller.spawned_by.is_some());
        let about = model.about();
        let (files, skills) = {
            let most =
                count(&config, &["agents", "defaults", "bootstrapMaxChars"]).unwrap_or(BOOTSTRAP_MAX_CHARS);
            let (workspace, mode) = (workspace.clone(), what.prompt);
            let (from, agent) = (Arc::clone(&gateway), what.agent.clone());
            // A turn takes its skills once: what is edited meanwhile is in the next one.
            let reading = tokio::task::spawn_blocking(move || {
                let skills = from.skills_of(&agent).prompt().to_owned();
                (read_files(&workspace, mode, most), Some(skills).filter(|s| !s.trim().is_empty()))
            });
            reading.await.map_err(|_| NotBegun::Lost)?
        };
        let caller = Caller {
            model: Some((about.provider.clone(), about.model.clone())),
            back: return_address(&begun, &what.caller),
            ..what.caller.clone()
        };
        let time_zone = config.path(&["agents", "defaults", "userTimezone"]).and_then(Node::as_str);
        let ground = Ground {
            mode: what.prompt,
            skills: skills.filter(|_| what.prompt == Mode::Full),
            files,
            time_zone: time_zone.map(str::to_owned),
            heartbeat: Heartbeat::Off,
        };
        let steering = Steering::of(&what.said);
        let request = TurnRequest {
            run: uuid::Uuid::new_v4().to_string(),
            caller,
            said: what.said,
            behind: what.behind,
            session,
            ground,
            steering: steering.clone(),
            afterwards: Some(Arc::new(Later(Arc::downgrade(&gateway)))),
            tools: gateway.servers().map(|s| s.definitions()).unwrap_or_default(),
            window: Window::of(&config, about.context_window),
            max_tokens: about.max_tokens,
            thinking: thinking(&begun, &config, &about),
            limits: Limits::from_config(&config),
            keep: Durability::Synced,
        };
        let _entered = self.running.enter(&what.key, abort, steering);
        let watched = Watched { model: &model, before };
        let end = run(request, &watched, &gateway.gate, sink, abort).await;
        if let Some(detail) = &end.detail {
            tracing::warn!(target: "assistant", session = what.key, detail, "the turn did not end well");
        }
        let id = session_id(&begun).unwrap_or_default().to_owned();
        let finished = Finished {
            usage: end.usage,
            context_tokens: end.context_tokens,
            compactions: u64::from(end.compactions),
            aborted: end.how == Ended::Aborted,
        };
        let (key, pinned) = (what.key, model.pinned());
        let noting = tokio::task::spawn_blocking(move || {
            store.change(|all| {
                entry::finish(all, &key, &id, jiff::Timestamp::now(), &finished);
                if let (Some(pin), Some(Value::Object(entry))) = (pinned, all.get_mut(&key)) {
                    entry.insert("authProfileOverride".to_owned(), pin.into());
                }
                Ok::<(), SessionStoreFailure>(())
            })
        });
        match noting.await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => {
                tracing::error!(target: "assistant", error = %e, "what a turn came to could not be noted")
            }
            Err(_) => tracing::error!(target: "assistant", "what a turn came to could not be noted"),
        }
        Ok(end)
    }

    /// The entry of the session, begun or gone on with.
    async fn begin(
        &self,
        what: &Conversation,
        store: &oc_fs::session_store::SessionStore,
        config: &Node,
    ) -> Result<Begun, NotBegun> {
        let room = matches!(what.caller.conversation, ConversationKind::Group | ConversationKind::Channel);
        let kind = Type::of(&what.key, what.facts.thread.is_some(), room);
        let policy = ResetPolicy::of(config, kind, what.facts.channel.as_deref());
        let at = Moment { now: jiff::Timestamp::now(), zone: TimeZone::system() };
        let (key, wish, facts, store) = (what.key.clone(), what.wish, what.facts.clone(), store.clone());
        let id = uuid::Uuid::new_v4().to_string();
        let beginning = tokio::task::spawn_blocking(move || {
            store.change(|all| {
                Ok::<_, SessionStoreFailure>(entry::begin(all, &key, &at, &policy, wish, &facts, &id))
            })
        });
        Ok(beginning.await.map_err(|_| NotBegun::Lost)??)
    }
}

/// A model whose answers are noted before a tool that they ask for can run.
struct Watched<'a> {
    model: &'a SessionModels,
    before: &'a dyn BeforeActing,
}

impl std::fmt::Debug for Watched<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").field("model", self.model).finish_non_exhaustive()
    }
}

impl Model for Watched<'_> {
    fn about(&self) -> About {
        self.model.about()
    }

    fn ask<'a>(
        &'a self,
        request: &'a Request,
        on_delta: &'a mut (dyn FnMut(Delta) + Send),
    ) -> Pending<'a, Result<Answer, ModelFailure>> {
        Box::pin(async move {
            let answer = self.model.ask(request, on_delta).await?;
            if answer.tool_calls().next().is_some() && !self.before.acting().await {
                return Err(ModelFailure {
                    provider: answer.provider.clone(),
                    model: answer.model.clone(),
                    class: oc_agent::model::FailureClass::Other,
                    message: "what it is about to do could not be noted".to_owned(),
                    retry_after: None,
                    partial: None,
                });
            }
            Ok(answer)
        })
    }
}

/// How much the model may think: the session's own word, else the configured one.
fn thinking(entry: &Entry, config: &Node, about: &About) -> Thinking {
    if !about.reasoning {
        return Thinking::Off;
    }
    let own = entry.get("thinkingLevel").and_then(Value::as_str);
    let configured = config.path(&["agents", "defaults", "thinkingDefault"]).and_then(Node::as_str);
    match own.or(configured).unwrap_or("low") {
        "minimal" => Thinking::Minimal,
        "low" => Thinking::Low,
        "medium" => Thinking::Medium,
        "high" => Thinking::High,
        "xhigh" => Thinking::ExtraHigh,
        _ => Thinking::Off,
    }
}

fn count(config: &Node, path: &[&str]) -> Option<usize> {
    let number = config.path(path).and_then(Node::as_number).filter(|n| *n >= 1.0)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    Some(number as usize)
}
