//! One run of the browser: started, handed the guard's secret, watched, ended.

use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::cdp::method::{
    AutoAttach, CloseBrowser, CloseTarget, CreateTarget, DisableFetch, Discover, EnableFetch, GetVersion,
    Navigate, SetDownloads,
};
use crate::cdp::{Cdp, Event};
use crate::dress::{self, Looks};
use crate::executable;
use crate::failure::BrowserFailure;
use crate::group::Group;
use crate::guard::{GREETING, Guard};
use crate::page::BLANK;
use crate::places::Places;
use crate::preferences;
use crate::settings::Settings;
use crate::world::{Pass, World};

/// How long the start may take.
const START: Duration = Duration::from_secs(30);
/// How long the greeting may take to be complete after it passed.
const COMPLETE: Duration = Duration::from_secs(5);
/// How long an orderly end may take.
const STOP: Duration = Duration::from_secs(5);
/// How much of its complaints is kept, in bytes.
const COMPLAINTS: usize = 4096;

/// Gives the browser its two pipes as the third and fourth handle, and files that are its owner's; then becomes the browser.
const SHELL: &str = r#"umask 077; exec "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

/// A running browser. Dropping it ends its process group.
#[derive(Debug)]
pub(crate) struct Running {
    /// The protocol.
    pub cdp: Cdp,
    /// The way to the network.
    pub guard: Guard,
    /// Its directories.
    pub places: Places,
    /// Name and version.
    pub product: String,
    /// How it looks.
    pub looks: Looks,
    /// What `browser.noSandbox` said.
    pub no_sandbox: bool,
    seen: Seen,
    group: Group,
    _tasks: JoinSet<()>,
}

/// What is known of it, and a count of its changes.
#[derive(Clone, Debug)]
struct Seen {
    world: Arc<Mutex<World>>,
    changes: Arc<watch::Sender<u64>>,
}

impl Seen {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, cdp: &Cdp, event: &Event) {
        let orders = self.world().take(event);
        orders.iter().for_each(|order| cdp.tell(order));
        self.changes.send_modify(|n| *n = n.wrapping_add(1));
    }
}

impl Running {
    /// Starts it.
    pub async fn start(
        settings: &Settings,
        state_dir: &std::path::Path,
        environment: &[(String, String)],
    ) -> Result<Self, BrowserFailure> {
        match tokio::time::timeout(START, Self::begin(settings, state_dir, environment)).await {
            Ok(started) => started,
            Err(_) => Err(BrowserFailure::NotStarted(format!("not within {} s", START.as_secs()))),
        }
    }

    async fn begin(
        settings: &Settings,
        state_dir: &std::path::Path,
        environment: &[(String, String)],
    ) -> Result<Self, BrowserFailure> {
        let path =
            environment.iter().find(|(name, _)| name == "PATH").map_or("", |(_, value)| value.as_str());
        let program = executable::find(settings.executable.as_deref(), path)?;
        let state_dir = state_dir.to_owned();
        let preparing = tokio::task::spawn_blocking(move || {
            let places = Places::prepare(&state_dir)?;
            places.take_over()?;
            preferences::write(&places)?;
            Ok::<_, BrowserFailure>(places)
        });
        let places = preparing.await.map_err(|e| BrowserFailure::Profile(e.to_string()))??;
        let guard = Guard::open(settings.reach.clone()).await.map_err(BrowserFailure::NotStarted)?;
        let looks = Looks {
            headless: settings.headless.unwrap_or_else(|| !dress::has_display(environment)),
            // Chromium's sandbox refuses to work for root.
            no_sandbox: settings.no_sandbox || rustix::process::geteuid().is_root(),
        };
        let not_started =
            |e: std::io::Error| BrowserFailure::NotStarted(oc_text::visible(&e.to_string(), 300));
        let mut child = Command::new("/bin/sh")
            .args(["-c", SHELL, "sh"])
            .arg(&program)
            .args(dress::switches(&places.user_data, guard.port(), looks))
            .env_clear()
            .envs(dress::variables(environment, &places.home, looks.headless))
            .current_dir(&places.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(not_started)?;
        let (Some(to), Some(from), Some(complains)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(BrowserFailure::NotStarted("it has no pipes".to_owned()));
        };
        let (cdp, carrier) = Cdp::new(from, to);
        let seen = Seen { world: Arc::default(), changes: Arc::new(watch::channel(0).0) };
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let takes = seen.clone();
        tasks.spawn(carrier.run(move |cdp, event| takes.take(cdp, event)));
        tasks.spawn(listen(complains, Arc::clone(&complaints)));
        let product = String::new();
        let no_sandbox = settings.no_sandbox;
        let group = Group::of(child);
        let mut running = Self { cdp, guard, places, product, looks, no_sandbox, seen, group, _tasks: tasks };
        match running.greet().await {
            Ok(()) => Ok(running),
            Err(BrowserFailure::Cdp(e)) => {
                Err(BrowserFailure::NotStarted(format!("{e}{}", last_words(&complaints))))
            }
            Err(other) => Err(other),
        }
    }

    /// The first words: what is attached, where downloads go, and the guard's secret.
    async fn greet(&mut self) -> Result<(), BrowserFailure> {
        let cdp = &self.cdp;
        self.product = oc_text::visible(&cdp.call_within(None, &GetVersion {}, START).await?.product, 100);
        let downloads = self.places.downloads.to_string_lossy().into_owned();
        // Files get random names: how a page calls them reaches no file system.
        let folder =
            SetDownloads { behavior: "allowAndName", download_path: downloads, events_enabled: true };
        cdp.call(None, &folder).await?;
        cdp.call(None, &Discover { discover: true }).await?;
        cdp.call(None, &AutoAttach { auto_attach: true, wait_for_debugger_on_start: false, flatten: true })
            .await?;
        self.until(START, |world| (!world.tabs.is_empty()).then_some(()))
            .await
            .ok_or(BrowserFailure::NoTab)?;
        self.pass().await
    }

    /// Hands the guard's secret over, in a tab that is closed again. Chromium keeps it for everything that comes later.
    async fn pass(&self) -> Result<(), BrowserFailure> {
        let cdp = &self.cdp;
        let target = cdp.call(None, &CreateTarget { url: BLANK.to_owned() }).await?.target_id;
        let session = |world: &World| world.tab(Some(&target)).map(|t| t.session.clone());
        let session = self.until(START, session).await.ok_or(BrowserFailure::NoTab)?;
        self.world().pass = Some(Pass { secret: self.guard.secret().clone() });
        cdp.call(Some(&session), &EnableFetch { handle_auth_requests: true }).await?;
        let greeting = Navigate { url: format!("http://{GREETING}/") };
        let loader = cdp.call(Some(&session), &greeting).await?.loader_id;
        let mut passed = self.guard.passed();
        let came = tokio::time::timeout(START, passed.wait_for(|p| *p)).await.is_ok_and(|p| p.is_ok());
        if !came {
            return Err(BrowserFailure::NotStarted("it did not pass its guard".to_owned()));
        }
        // It is closed when it is complete: Chromium takes it badly before.
        let complete = |world: &World| {
            let tab = world.tab(Some(&target))?;
            (tab.loaded == loader && !tab.loading).then_some(())
        };
        let _ = self.until(COMPLETE, complete).await;
        cdp.call(Some(&session), &DisableFetch {}).await?;
        self.world().pass = None;
        cdp.call(None, &CloseTarget { target_id: target.clone() }).await?;
        let gone = |world: &World| world.tab(Some(&target)).is_none().then_some(());
        self.until(START, gone).await.ok_or(BrowserFailure::NoTab)
    }

    /// What is known of it.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.seen.world()
    }

    /// Waits until something is so; `None` when it is not within the time.
    pub async fn until<T>(&self, time: Duration, mut is: impl FnMut(&World) -> Option<T>) -> Option<T> {
        let mut changes = self.seen.changes.subscribe();
        let waiting = async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = is(&self.world()) {
                    return Some(found);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(time, waiting).await.ok().flatten()
    }

    /// Whether its process still runs.
    pub fn is_alive(&self) -> bool {
        !self.group.has_ended()
    }

    /// The process, while it runs.
    #[cfg(test)]
    pub fn process(&self) -> Option<u32> {
        self.group.leader()
    }

    /// Ends it in order, else by force.
    pub async fn stop(mut self) {
        let _ = self.cdp.call_within(None, &CloseBrowser {}, STOP).await;
        self.group.stop(STOP).await;
    }
}

/// Keeps the end of what the browser complains about.
async fn listen(mut from: impl AsyncRead + Unpin, complaints: Arc<Mutex<Vec<u8>>>) {
    let mut piece = vec![0; 1024];
    while let Ok(n @ 1..) = from.read(&mut piece).await {
        let mut kept = complaints.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(piece.iter().take(n));
        let surplus = kept.len().saturating_sub(COMPLAINTS);
        kept.drain(..surplus);
    }
}

fn last_words(complaints: &Mutex<Vec<u8>>) -> String {
    let kept = complaints.lock().unwrap_or_else(PoisonError::into_inner);
    let text = String::from_utf8_lossy(&kept).into_owned();
    let last = text.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or_default();
    if last.is_empty() { String::new() } else { format!(": {}", oc_text::visible(last.trim(), 300)) }
}
