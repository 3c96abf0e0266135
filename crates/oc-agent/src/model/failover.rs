//! A model that tries credentials and models in turn (agent-runtime 2).
//!
//! Order of credentials of one provider: the agent's profiles; only when it has none the environment; only when that has none the
//! configuration. A source that is there and broken is a failure, and the next one does not take its place (SP-066).
//!
//! INVARIANT: an answer is given once; after it nothing is asked again, so no request is repeated once a call of its answer has run.
//! INVARIANT: what was handed on of an answer that did not become whole is taken back ([`Delta::Restart`]) before anything else is asked.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use oc_config::Environment;
use oc_types::{AgentId, Secret};

use super::catalogue;
use super::client::{Again, Call, CallFailure, Client, Proof};
use super::clock::Clock;
use super::retry::Retry;
use super::settings::{Choice, Key, ModelSettings, Resolved};
use super::{About, Delta, FailureClass, Model, ModelFailure, Pending};
use crate::auth_profile::Profiles;
use crate::auth_profile::cooldown::Rest;
use crate::auth_profile::store::{AuthStore, AuthStoreFailure};
use crate::message::{Answer, Request};

mod door;

use door::{Door, Doors, Seat};

/// How old the note "it works" may grow before it is written again, in milliseconds.
const NOTE_AGAIN: u64 = 60_000;

/// Where things are on this machine.
#[derive(Clone, Debug)]
pub struct Places {
    /// The state directory.
    pub state_dir: PathBuf,
    /// The home directory, for a leading `~`.
    pub home: PathBuf,
    /// The directory of `oauth.json`.
    pub credentials: PathBuf,
    /// The agents' workspaces: a credential file may not lie in one.
    pub workspaces: Vec<PathBuf>,
    /// The variables of this process.
    pub environment: Environment,
}

/// The models of a process, under one snapshot of the configuration. One for all sessions.
#[derive(Debug)]
pub struct Models {
    settings: ModelSettings,
    places: Places,
    client: Client,
    retry: Retry,
    clock: Arc<dyn Clock>,
    /// How credentials outside of files have fared.
    rests: Mutex<HashMap<String, Rest>>,
}

impl Models {
    /// Puts it together.
    #[must_use]
    pub fn new(
        settings: ModelSettings,
        places: Places,
        client: Client,
        retry: Retry,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { settings, places, client, retry, clock, rests: Mutex::new(HashMap::new()) }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &ModelSettings {
        &self.settings
    }

    /// The profiles of an agent.
    #[must_use]
    pub fn store(&self, agent: &AgentId) -> AuthStore {
        let p = &self.places;
        AuthStore::of(&p.state_dir, agent, self.settings.agent_directory(agent), &p.home, &p.credentials)
    }

    /// The model of a session: what `choice` names, for a credential of `agent`. `pin`: the profile that the session has used so far.
    #[must_use]
    pub fn for_session(self: &Arc<Self>, agent: &AgentId, choice: Choice, pin: Option<String>) -> Failover {
        Failover { models: Arc::clone(self), agent: agent.clone(), choice, pin: Mutex::new(pin) }
    }
}

/// The model of one session.
#[derive(Debug)]
pub struct Failover {
    models: Arc<Models>,
    agent: AgentId,
    choice: Choice,
    pin: Mutex<Option<String>>,
}

impl Failover {
    /// The profile that this session uses, once one has worked. Kept in the session's entry, it stays the same after a restart.
    #[must_use]
    pub fn pinned(&self) -> Option<String> {
        self.pin.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn named(&self) -> Vec<&str> {
        self.choice.primary.iter().chain(&self.choice.fallbacks).map(String::as_str).collect()
    }

    async fn run(
        &self,
        request: &Request,
        on_delta: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Answer, ModelFailure> {
        let named = self.named();
        if named.is_empty() {
            let issue = super::settings::ModelIssue::NoModel;
            return Err(failure("none", "none", plain(FailureClass::NotConfigured, issue.to_string())));
        }
        let mut relay = Relay { on_delta, handed: false };
        let mut told: Option<ModelFailure> = None;
        for (nth, text) in named.iter().enumerate() {
            let last = nth + 1 == named.len();
            let failed = match self.models.settings.resolve(text) {
                Ok(resolved) => match self.ask_model(&resolved, request, last, &mut relay).await {
                    Ok(answer) => return Ok(answer),
                    Err(failed) => failure(&resolved.target.provider, &resolved.target.model, failed),
                },
                Err(issue) => {
                    let (provider, model) = text.split_once('/').unwrap_or(("none", text));
                    let (provider, model) = (oc_text::visible(provider, 80), oc_text::visible(model, 80));
                    failure(&provider, &model, plain(FailureClass::NotConfigured, issue.to_string()))
                }
            };
            let final_word = match failed.class {
                // The turn shortens the conversation; another model is no answer to that.
                FailureClass::ContextOverflow => true,
                FailureClass::Auth
                | FailureClass::Billing
                | FailureClass::RateLimit
                | FailureClass::Timeout
                | FailureClass::Format
                | FailureClass::Overloaded
                | FailureClass::BrokenOff
                | FailureClass::NotConfigured
                | FailureClass::Other => false,
            };
            if final_word {
                return Err(failed);
            }
            // The first model's failure is the one that matters; that a fallback is not set up says little.
            if told.as_ref().is_none_or(|t| t.class == FailureClass::NotConfigured) {
                told = Some(failed);
            }
        }
        let mut told = told.unwrap_or_else(|| {
            failure("none", "none", plain(FailureClass::NotConfigured, "no model was asked".to_owned()))
        });
        if named.len() > 1 {
            told.message.push_str("; no fallback answered either");
        }
        Err(told)
    }

    async fn ask_model(
        &self,
        resolved: &Resolved,
        request: &Request,
        last_model: bool,
        relay: &mut Relay<'_, '_>,
    ) -> Result<Answer, CallFailure> {
        let Doors { doors, secrets, resting } = self.doors(&resolved.target.provider).await?;
        let mut told: Option<CallFailure> = resting;
        let count = doors.len();
        for (nth, door) in doors.iter().enumerate() {
            let last_resort = last_model && nth + 1 == count;
            match self.ask_through(resolved, door, &secrets, request, last_resort, relay).await {
                Ok(answer) => {
                    self.note_success(door).await;
                    return Ok(answer);
                }
                Err(failed) => {
                    let rests = self.note_failure(door, &failed).await;
                    told = Some(failed);
                    if !rests {
                        break;
                    }
                }
            }
        }
        Err(told.unwrap_or_else(|| plain(FailureClass::NotConfigured, "there is no credential".to_owned())))
    }

    /// Requests with one credential until one is answered or another attempt is pointless.
    async fn ask_through(
        &self,
        resolved: &Resolved,
        door: &Door,
        secrets: &[Secret],
        request: &Request,
        last_resort: bool,
        relay: &mut Relay<'_, '_>,
    ) -> Result<Answer, CallFailure> {
        let models = &self.models;
        let mut made = 0;
        loop {
            made += 1;
            relay.restart();
            let call = Call {
                target: &resolved.target,
                endpoint: &resolved.endpoint,
                headers: &resolved.headers,
                proof: door.proof.as_ref(),
                key_header: resolved.key_header,
                request,
                secrets,
                now_ms: models.clock.now_ms(),
            };
            let failed = match models.client.ask(&call, &mut |delta| relay.hand(delta)).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let again = match failed.again {
                Again::Soon => true,
                Again::Later => last_resort,
                Again::No => false,
            };
            let pause = models.retry.pause(made, failed.retry_after, models.clock.share());
            match pause.filter(|_| again) {
                Some(pause) => models.clock.sleep(pause).await,
                None => return Err(failed),
            }
        }
    }

    /// The credentials to try, best first; those that rest are left out.
    async fn doors(&self, provider: &str) -> Result<Doors, CallFailure> {
        let profiles =
            self.profiles().await.map_err(|e| plain(FailureClass::NotConfigured, e.to_string()))?;
        let now = self.models.clock.now_ms();
        let order = self.models.settings.profile_order(provider);
        let (mut usable, unusable) = profiles.of(provider, order, now);
        let secrets = self.secrets(&profiles);
        if usable.is_empty() && unusable.is_empty() {
            return self.door_without_profile(provider, secrets, now).await;
        }
        let pin = self.pinned();
        usable.sort_by_key(|p| pin.as_deref() != Some(p.id.as_str()));
        let mut soonest: Option<u64> = None;
        let mut doors = Vec::new();
        for profile in usable {
            match profiles.rest(&profile.id).until(now) {
                Some(until) => soonest = Some(soonest.map_or(until, |s| s.min(until))),
                None => {
                    let seat = Seat::Profile(profile.id);
                    doors.push(Door { provider: provider.to_owned(), seat, proof: Some(profile.proof) });
                }
            }
        }
        let resting = soonest.map(|until| door::resting(until, now));
        if doors.is_empty() && resting.is_none() {
            let why = unusable.first().map_or("`order` names none of its profiles", |u| u.why);
            return Err(plain(FailureClass::Auth, format!("no profile of the agent can be used: {why}")));
        }
        Ok(Doors { doors, secrets, resting })
    }

    async fn door_without_profile(
        &self,
        provider: &str,
        mut secrets: Vec<Secret>,
        now: u64,
    ) -> Result<Doors, CallFailure> {
        let environment = &self.models.places.environment;
        let variable = catalogue::variables(provider).into_iter().find_map(|name| {
            let text = environment.text(&name)?;
            Some((name, Secret::new(text.to_owned())))
        });
        let (seat, proof) = match variable {
            Some((name, secret)) if name.contains("OAUTH") => {
                (Seat::Variable(name), Some(Proof::Login(secret)))
            }
            Some((name, secret)) => (Seat::Variable(name), Some(Proof::ApiKey(secret))),
            None => (Seat::Configuration, self.configured(provider).await?.map(Proof::ApiKey)),
        };
        secrets.extend(proof.iter().map(|p| p.secret().clone()));
        let door = Door { provider: provider.to_owned(), seat, proof };
        let rests = self.models.rests.lock().unwrap_or_else(PoisonError::into_inner);
        let until = rests.get(&door.name()).and_then(|r| r.until(now));
        Ok(match until {
            Some(until) => Doors { doors: Vec::new(), secrets, resting: Some(door::resting(until, now)) },
            None => Doors { doors: vec![door], secrets, resting: None },
        })
    }

    /// `apiKey`. A known provider without any credential is not asked: it would refuse. One of the configuration may need none.
    async fn configured(&self, provider: &str) -> Result<Option<Secret>, CallFailure> {
        let key = match self.models.settings.provider(provider) {
            Ok(found) => found.key().clone(),
            Err(issue) => return Err(plain(FailureClass::NotConfigured, issue.to_string())),
        };
        match key {
            Key::Absent => {
                let keyless = catalogue::find(provider).is_none_or(|k| k.id == "ollama");
                if keyless {
                    return Ok(None);
                }
                let variables = catalogue::variables(provider).join("` or `");
                Err(plain(
                    FailureClass::NotConfigured,
                    format!(
                        "there is no credential for `{provider}`: no profile of the agent, no `{variables}`, no `models.providers.{provider}.apiKey`"
                    ),
                ))
            }
            Key::Broken(why) => Err(plain(FailureClass::NotConfigured, why.to_string())),
            Key::Kept(path, credential) => {
                let workspaces = self.models.places.workspaces.clone();
                let resolved =
                    blocking(move || oc_fs::credential::resolve(&path, &credential, &workspaces)).await;
                resolved.map(Some).map_err(|why| plain(FailureClass::NotConfigured, why.to_string()))
            }
        }
    }

    async fn profiles(&self) -> Result<Profiles, AuthStoreFailure> {
        let store = self.models.store(&self.agent);
        blocking(move || store.read()).await
    }

    /// Every credential that is at hand, so that none of them is in a request's body.
    fn secrets(&self, profiles: &Profiles) -> Vec<Secret> {
        let mut out = profiles.secrets();
        for (id, provider) in self.models.settings.providers() {
            let variables = catalogue::variables(id);
            let texts = variables.iter().filter_map(|name| self.models.places.environment.text(name));
            out.extend(texts.map(|t| Secret::new(t.to_owned())));
            if let Ok(Key::Kept(_, oc_config::credential::Credential::Text(secret))) =
                provider.map(|p| p.key())
            {
                out.push(secret.clone());
            }
        }
        out
    }

    async fn note_success(&self, door: &Door) {
        let now = self.models.clock.now_ms();
        let Seat::Profile(id) = &door.seat else {
            let mut rests = self.models.rests.lock().unwrap_or_else(PoisonError::into_inner);
            rests.entry(door.name()).or_default().worked(now);
            return;
        };
        *self.pin.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.clone());
        let (store, id, provider) = (self.models.store(&self.agent), id.clone(), door.provider.clone());
        // What cannot be noted costs an order of trying, and no answer.
        let _ = blocking(move || {
            store.change(|profiles| {
                let mut rest = profiles.rest(&id);
                let news = rest.errors > 0
                    || rest.unpaid > 0
                    || now.saturating_sub(rest.last_used) > NOTE_AGAIN
                    || profiles.last_good(&provider) != Some(id.as_str());
                if news {
                    rest.worked(now);
                    profiles.set_rest(&id, &rest);
                    profiles.set_last_good(&provider, &id);
                }
            })
        })
        .await;
    }

    /// Whether the credential rests now, so that another one is worth a try.
    async fn note_failure(&self, door: &Door, failed: &CallFailure) -> bool {
        let now = self.models.clock.now_ms();
        let (class, asked) = (failed.class, failed.retry_after);
        let rules = self.models.settings.cooldowns().clone();
        let provider = door.provider.clone();
        let Seat::Profile(id) = &door.seat else {
            let mut rests = self.models.rests.lock().unwrap_or_else(PoisonError::into_inner);
            return rests.entry(door.name()).or_default().failed(&rules, &provider, class, asked, now);
        };
        let mut trial = Rest::default();
        if !trial.failed(&rules, &provider, class, asked, now) {
            return false;
        }
        let (store, id) = (self.models.store(&self.agent), id.clone());
        let _ = blocking(move || {
            store.change(|profiles| {
                let mut rest = profiles.rest(&id);
                rest.failed(&rules, &provider, class, asked, now);
                profiles.set_rest(&id, &rest);
            })
        })
        .await;
        true
    }
}

impl Model for Failover {
    fn about(&self) -> About {
        let resolved = self.named().into_iter().find_map(|text| self.models.settings.resolve(text).ok());
        resolved.map(|r| r.about()).unwrap_or_default()
    }

    fn ask<'a>(
        &'a self,
        request: &'a Request,
        on_delta: &'a mut (dyn FnMut(Delta) + Send),
    ) -> Pending<'a, Result<Answer, ModelFailure>> {
        Box::pin(self.run(request, on_delta))
    }
}

/// Hands pieces on, and remembers whether there are any to take back.
struct Relay<'r, 'd> {
    on_delta: &'r mut (dyn FnMut(Delta) + Send + 'd),
    handed: bool,
}

impl Relay<'_, '_> {
    fn hand(&mut self, delta: Delta) {
        self.handed = true;
        (self.on_delta)(delta);
    }

    fn restart(&mut self) {
        if std::mem::take(&mut self.handed) {
            (self.on_delta)(Delta::Restart);
        }
    }
}

fn plain(class: FailureClass, message: String) -> CallFailure {
    CallFailure { class, message, retry_after: None, again: Again::No, partial: None }
}

fn failure(provider: &str, model: &str, failed: CallFailure) -> ModelFailure {
    ModelFailure {
        provider: provider.to_owned(),
        model: model.to_owned(),
        class: failed.class,
        message: failed.message,
        retry_after: failed.retry_after,
        partial: failed.partial,
    }
}

/// Files are read and locks waited for beside the runtime's own threads.
async fn blocking<T: Send + 'static>(step: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(step).await {
        Ok(out) => out,
        Err(e) => std::panic::resume_unwind(e.into_panic()),
    }
}
