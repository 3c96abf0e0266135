//! The tool behind the gate: one browser of a gateway, one call at a time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use oc_sandbox::executor::{Pending, Place};
use oc_sandbox::gate::{Handled, Outcome, Snapshot, ToolCall, ToolHandler, ToolResult};
use oc_types::Node;
use thiserror::Error;
use tokio::sync::{Mutex, watch};

use crate::action::Action;
use crate::answer::{Answer, Page};
use crate::executable;
use crate::failure::BrowserFailure;
use crate::launch::Running;
use crate::page::Drive;
use crate::places::PROFILE;
use crate::settings::Settings;
use crate::snapshot::Wish;

/// The tool.
pub const NAME: &str = "browser";
/// How long a call may take, its waiting for another one included.
const TIME: Duration = Duration::from_secs(120);

/// Why there is no browser tool. For the owner's log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Absent {
    /// `browser.enabled` is false.
    #[error("browser.enabled is false")]
    Off,
    /// A browser that this product did not start.
    #[error("{0} names a browser that this product did not start")]
    Foreign(&'static str),
    /// There is no Chromium, or the configured one is none.
    #[error("{0}")]
    NoBrowser(String),
}

/// The tool, when the configuration and this machine have what it needs. `environment` are the variables from which the browser gets a few:
/// `PATH`, the language, and what a window needs. Nothing is started before a call asks for it.
///
/// # Errors
/// See [`Absent`].
pub fn handler(
    config: &Node,
    state_dir: PathBuf,
    environment: Vec<(String, String)>,
) -> Result<Arc<dyn ToolHandler>, Absent> {
    Ok(Arc::new(Browser::found(config, state_dir, environment)?))
}

/// The browser of a gateway.
#[derive(Debug)]
pub(crate) struct Browser {
    state_dir: PathBuf,
    environment: Vec<(String, String)>,
    running: Arc<Mutex<Option<Running>>>,
    /// Whether a browser may run at all; what waits for it is given up when it may not.
    permitted: watch::Sender<bool>,
}

/// Stops the browser that runs, when it is one of these.
async fn stop_if(running: &Mutex<Option<Running>>, is_meant: impl Fn(&Running) -> bool) {
    let mut slot = running.lock().await;
    if slot.as_ref().is_some_and(is_meant)
        && let Some(running) = slot.take()
    {
        running.stop().await;
    }
}

impl Browser {
    /// The browser of this machine, not started. See [`handler`].
    pub fn found(
        config: &Node,
        state_dir: PathBuf,
        environment: Vec<(String, String)>,
    ) -> Result<Self, Absent> {
        let settings = Settings::of(config);
        if !settings.enabled {
            return Err(Absent::Off);
        }
        if let Some(key) = settings.foreign {
            return Err(Absent::Foreign(key));
        }
        let path =
            environment.iter().find(|(name, _)| name == "PATH").map_or("", |(_, value)| value.as_str());
        executable::find(settings.executable.as_deref(), path)
            .map_err(|e| Absent::NoBrowser(e.to_string()))?;
        Ok(Self::at(state_dir, environment))
    }

    pub(crate) fn at(state_dir: PathBuf, environment: Vec<(String, String)>) -> Self {
        Self { state_dir, environment, running: Arc::default(), permitted: watch::channel(true).0 }
    }

    /// Does what is asked, under these settings, in its time. Settings that permit no browser end the one that runs.
    pub async fn timely(&self, action: &Action, settings: &Settings) -> Result<Answer, BrowserFailure> {
        if let Some(refusal) = settings.refusal() {
            stop_if(&self.running, |_| true).await;
            return Err(refusal);
        }
        let mut permitted = self.permitted.subscribe();
        tokio::select! {
            done = tokio::time::timeout(TIME, self.done(action, settings)) => done.unwrap_or_else(|_| {
                Err(BrowserFailure::NotReached(format!("not over within {} s", TIME.as_secs())))
            }),
            _ = permitted.wait_for(|p| !p) => Err(BrowserFailure::Off),
        }
    }

    /// A browser may run from now on.
    pub fn permit(&self) {
        self.permitted.send_replace(true);
    }

    /// Ends what is being done and the browser; nothing is done until it is permitted again.
    pub async fn end(&self) {
        self.permitted.send_replace(false);
        stop_if(&self.running, |_| true).await;
    }

    /// The process of the running browser.
    #[cfg(test)]
    pub async fn process(&self) -> Option<u32> {
        self.running.lock().await.as_ref().and_then(Running::process)
    }

    /// The hosts that its guard refused so far.
    #[cfg(test)]
    pub async fn refused_hosts(&self) -> Vec<String> {
        self.running.lock().await.as_ref().map(|r| r.guard.refused_since(0)).unwrap_or_default()
    }

    async fn done(&self, action: &Action, settings: &Settings) -> Result<Answer, BrowserFailure> {
        // Whether it has its own sandbox is said at the start, and a word about it counts at once.
        stop_if(&self.running, |running| running.no_sandbox != settings.no_sandbox).await;
        let mut slot = self.running.lock().await;
        // One that died is none; what it leaves is cleared away by dropping it.
        if slot.as_mut().is_some_and(|running| !running.is_alive()) {
            *slot = None;
        }
        match action {
            Action::Status => {
                return Ok(slot.as_ref().map_or_else(|| Answer::said("The browser is not running."), status));
            }
            Action::Stop => {
                return Ok(match slot.take() {
                    Some(running) => {
                        running.stop().await;
                        Answer::said("The browser is stopped.")
                    }
                    None => Answer::said("The browser is not running."),
                });
            }
            Action::Start | Action::Open(_) => {
                if slot.is_none() {
                    *slot = Some(Running::start(settings, &self.state_dir, &self.environment).await?);
                }
            }
            Action::Tabs
            | Action::Focus(_)
            | Action::Close(_)
            | Action::Navigate(..)
            | Action::Snapshot { .. }
            | Action::Screenshot { .. }
            | Action::Act(..)
            | Action::Console { .. } => {}
        }
        let running = slot.as_ref().ok_or(BrowserFailure::NotRunning)?;
        running.guard.set_reach(settings.reach.clone());
        drive(running, settings, action).await
    }
}

async fn drive(running: &Running, settings: &Settings, action: &Action) -> Result<Answer, BrowserFailure> {
    let drive = Drive { running, settings };
    match action {
        Action::Status | Action::Start | Action::Stop => Ok(status(running)),
        Action::Tabs => Ok(drive.tabs().await),
        Action::Open(url) => drive.open(url).await,
        Action::Focus(target) => drive.focus(target).await,
        Action::Close(target) => drive.close(target.as_deref()).await,
        Action::Navigate(url, target) => drive.navigate(url, target.as_deref()).await,
        Action::Snapshot { tab, characters, active_only } => {
            let active_only = active_only.unwrap_or(settings.efficient);
            drive.snapshot(tab.as_deref(), Wish { characters: *characters, active_only }).await
        }
        Action::Screenshot { tab, full, jpeg } => drive.screenshot(tab.as_deref(), *full, *jpeg).await,
        Action::Act(act, target) => drive.act(act, target.as_deref()).await,
        Action::Console { tab, errors } => drive.console(tab.as_deref(), *errors).await,
    }
}

/// How it runs, and what it downloaded.
fn status(running: &Running) -> Answer {
    let world = running.world();
    let said = format!(
        "{} runs with the profile {PROFILE}, {}, {} its own sandbox; {} tabs, {} dialogs were answered with no, {} downloads.",
        running.product,
        if running.looks.headless { "without a window" } else { "in a window" },
        if running.looks.no_sandbox { "without" } else { "in" },
        world.tabs.len(),
        world.dialogs,
        world.downloads.len(),
    );
    if world.downloads.is_empty() {
        return Answer::said(said);
    }
    let lines: Vec<String> =
        world.downloads.iter().map(|d| format!("{} {} \"{}\"", d.id, d.state, d.name)).collect();
    let page = Page { url: String::new(), title: String::new(), text: lines.join("\n") };
    let note = format!(
        "a download lies under its id in browser/{PROFILE}/downloads of the state directory; a page chose its content"
    );
    Answer { said, page: Some(page), notes: vec![note], picture: None }
}

impl ToolHandler for Browser {
    fn tool(&self) -> &str {
        NAME
    }

    fn place(&self) -> Place {
        Place::Host
    }

    fn check(&self, call: &ToolCall) -> Result<(), String> {
        Action::parse(&call.arguments).map(drop)
    }

    fn run<'a>(&'a self, handled: Handled<'a>) -> Pending<'a, ToolResult> {
        Box::pin(async move {
            let failed = |why: String| Ok(ToolResult::text(Outcome::Failed, format!("{NAME}: {why}")));
            // The gate's door refuses this before; a browser of the host must not depend on one look.
            if handled.sandbox.is_some_and(|plan| !plan.settings.browser.allow_host_control.value) {
                return failed("a sandboxed session does not control the host's browser".to_owned());
            }
            let action = match Action::parse(&handled.call.arguments) {
                Ok(action) => action,
                Err(why) => return failed(why),
            };
            let settings = Settings::of(handled.snapshot.config());
            match self.timely(&action, &settings).await.and_then(Answer::into_result) {
                Ok(result) => Ok(result),
                Err(why) => Ok(Answer::failed(format!("{NAME}: {why}"), why.of_a_page())),
            }
        })
    }

    fn reloaded(&self, snapshot: &Snapshot) {
        let settings = Settings::of(snapshot.config());
        let is_off = settings.refusal().is_some();
        self.permitted.send_replace(!is_off);
        let running = Arc::clone(&self.running);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                let ending = async move {
                    stop_if(&running, |r| is_off || r.no_sandbox != settings.no_sandbox).await;
                };
                drop(runtime.spawn(ending));
            }
            // Nobody is left to end it in order; without a runtime no call is running either.
            Err(_) if is_off => drop(running.try_lock().ok().and_then(|mut slot| slot.take())),
            Err(_) => {}
        }
    }
}
