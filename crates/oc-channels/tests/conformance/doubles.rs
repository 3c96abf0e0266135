//! A service, an adapter, a runtime, settings and approvals in memory. All are fakes, and say so in their names.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oc_channels::adapter::{
    Adapter, AdapterFailure, Attachment, Destination, Door, Event, Features, Outgoing, Pending, SelfIdentity,
    Sent, Taken,
};
use oc_channels::approval_door::{ApprovalDoor, ApprovalReply, ChatAnswer};
use oc_channels::clock::SetClock;
use oc_channels::inbox::Inbox;
use oc_channels::ingress::{Happened, Ingress, Observer, Parts};
use oc_channels::rules::Rules;
use oc_channels::session_settings::{SessionSettings, SessionView, SettingChange, SettingsFailure};
use oc_channels::turn::{Replies, Reply, Steered, StopCause, Turn, TurnMessage, TurnOutcome, Turns};
use oc_policy::access::Decision;
use oc_policy::inbound::{ConversationId, ConversationKind, Inbound, SenderId};
use oc_policy::session_key::SessionKey;
use oc_types::{ChannelId, Node, Origin};
use serde_json::Value;
use tokio::sync::{Notify, watch};

pub const NOW: i64 = 1_770_000_000_000;

/// How long anything may take in a test before it has failed.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Counts, and lets tests wait for a count.
#[derive(Debug)]
pub struct Counter(watch::Sender<usize>);

impl Default for Counter {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Counter {
    pub fn add(&self) {
        self.0.send_modify(|n| *n += 1);
    }

    pub fn get(&self) -> usize {
        *self.0.borrow()
    }

    pub async fn reach(&self, n: usize) {
        let mut seen = self.0.subscribe();
        let wait = seen.wait_for(|have| *have >= n);
        if tokio::time::timeout(DEADLINE, wait).await.is_err() {
            panic!("waited for {n}, there are {}", self.get());
        }
    }
}

/// What a service was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub to: Destination,
    pub text: String,
    pub buttons: Vec<(String, String)>,
    pub key: String,
}

/// A chat service in memory.
#[derive(Debug, Default)]
pub struct FakeService {
    pub said: Mutex<Vec<Said>>,
    keys: Mutex<HashSet<String>>,
    pub failures: Mutex<VecDeque<AdapterFailure>>,
    pub sends: Counter,
    pub fetches: Counter,
    pub typings: Counter,
    /// The events of which it was said that they were admitted.
    pub admitted: Mutex<Vec<String>>,
    /// While set, sending waits.
    pub hold: Mutex<Option<Arc<Notify>>>,
}

impl FakeService {
    pub fn texts(&self) -> Vec<String> {
        self.said.lock().unwrap().iter().map(|s| s.text.clone()).collect()
    }

    pub fn last(&self) -> Said {
        self.said.lock().unwrap().last().cloned().unwrap()
    }
}

#[derive(Debug)]
pub struct FakeAdapter {
    pub channel: ChannelId,
    pub account: String,
    pub service: Arc<FakeService>,
    pub keyed: bool,
    pub buttons: bool,
}

impl Adapter for FakeAdapter {
    fn channel(&self) -> &ChannelId {
        &self.channel
    }
    fn account(&self) -> &str {
        &self.account
    }
    fn features(&self) -> Features {
        Features { typing: true, buttons: self.buttons, edits: false, media: true }
    }
    fn who(&self) -> Pending<'_, Result<SelfIdentity, AdapterFailure>> {
        Box::pin(async { Ok(SelfIdentity { id: "bot".to_owned(), username: Some("bot_name".to_owned()) }) })
    }
    fn receive<'a>(&'a self, _door: &'a dyn Door) -> Pending<'a, AdapterFailure> {
        Box::pin(std::future::pending())
    }
    fn send<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
    ) -> Pending<'a, Result<Sent, AdapterFailure>> {
        self.send_keyed(to, message, "")
    }
    fn knows_keys(&self) -> bool {
        self.keyed
    }
    fn send_keyed<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
        key: &'a str,
    ) -> Pending<'a, Result<Sent, AdapterFailure>> {
        Box::pin(async move {
            let hold = self.service.hold.lock().unwrap().clone();
            if let Some(hold) = hold {
                hold.notified().await;
            }
            let failure = self.service.failures.lock().unwrap().pop_front();
            if let Some(failure) = failure {
                return Err(failure);
            }
            if self.keyed && !key.is_empty() && !self.service.keys.lock().unwrap().insert(key.to_owned()) {
                return Ok(Sent { id: Some(format!("again-{key}")) });
            }
            let buttons = message.buttons.iter().map(|b| (b.label.clone(), b.payload.clone())).collect();
            let said = Said { to: to.clone(), text: message.text.clone(), buttons, key: key.to_owned() };
            let id = {
                let mut all = self.service.said.lock().unwrap();
                all.push(said);
                format!("m{}", all.len())
            };
            self.service.sends.add();
            Ok(Sent { id: Some(id) })
        })
    }
    fn typing<'a>(&'a self, _: &'a Destination) -> Pending<'a, ()> {
        self.service.typings.add();
        Box::pin(async {})
    }
    fn admitted(&self, event: &Event) {
        self.service.admitted.lock().unwrap().push(event.id.clone());
    }
    fn fetch<'a>(&'a self, _: &'a Attachment, most: u64) -> Pending<'a, Result<Vec<u8>, AdapterFailure>> {
        self.service.fetches.add();
        Box::pin(async move { Ok(vec![0; usize::try_from(most.min(16)).unwrap()]) })
    }
}

/// A runtime that answers `echo: TEXT`, or waits until it is let go.
#[derive(Debug, Default)]
pub struct FakeTurns {
    pub turns: Mutex<Vec<Turn>>,
    pub begun: Counter,
    pub ended: Counter,
    /// While set, a turn waits for it (or for being stopped).
    pub hold: Mutex<Option<Arc<Notify>>>,
    pub stops: Mutex<Vec<(String, StopCause)>>,
    stop: Mutex<HashMap<String, Arc<Notify>>>,
    pub steers: Mutex<Vec<TurnMessage>>,
    pub takes_steering: Mutex<bool>,
    now: AtomicUsize,
    pub most: AtomicUsize,
    by_session: Mutex<HashMap<String, usize>>,
    pub overlapped: AtomicUsize,
    /// Called in the middle of a turn.
    pub act: Mutex<Option<Arc<Act>>>,
}

/// What a turn does before it answers.
pub struct Act(pub Box<Acting>);

/// Ends the turn with an outcome, or lets it go on.
pub type Acting = dyn for<'a> Fn(&'a Turn, &'a dyn Replies) -> Pending<'a, Option<TurnOutcome>> + Send + Sync;

impl std::fmt::Debug for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Act")
    }
}

impl FakeTurns {
    pub fn texts(&self) -> Vec<Vec<String>> {
        let turns = self.turns.lock().unwrap();
        turns.iter().map(|t| t.messages.iter().map(|m| m.text.clone()).collect()).collect()
    }

    pub fn last(&self) -> Turn {
        self.turns.lock().unwrap().last().cloned().unwrap()
    }
}

impl Turns for FakeTurns {
    fn run<'a>(&'a self, turn: Turn, out: &'a dyn Replies) -> Pending<'a, TurnOutcome> {
        Box::pin(async move {
            let session = turn.session().as_str().to_owned();
            let stop = Arc::new(Notify::new());
            self.stop.lock().unwrap().insert(session.clone(), Arc::clone(&stop));
            {
                let mut by = self.by_session.lock().unwrap();
                let n = by.entry(session.clone()).or_default();
                *n += 1;
                if *n > 1 {
                    self.overlapped.fetch_add(1, Ordering::SeqCst);
                }
            }
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            self.turns.lock().unwrap().push(turn.clone());
            self.begun.add();
            let act = self.act.lock().unwrap().clone();
            let early = match act {
                Some(act) => (act.0)(&turn, out).await,
                None => None,
            };
            let hold = self.hold.lock().unwrap().clone();
            let mut outcome = early;
            if let Some(hold) = hold {
                tokio::select! {
                    () = hold.notified() => {}
                    () = stop.notified() => outcome = Some(TurnOutcome::Stopped),
                }
            }
            self.now.fetch_sub(1, Ordering::SeqCst);
            *self.by_session.lock().unwrap().entry(session.clone()).or_default() -= 1;
            self.stop.lock().unwrap().remove(&session);
            self.ended.add();
            outcome.unwrap_or_else(|| {
                let texts: Vec<&str> = turn.messages.iter().map(|m| m.text.as_str()).collect();
                TurnOutcome::Answer(Reply::text(format!("echo: {}", texts.join(" | "))))
            })
        })
    }

    fn stop<'a>(&'a self, session: &'a SessionKey, cause: StopCause) -> Pending<'a, bool> {
        self.stops.lock().unwrap().push((session.as_str().to_owned(), cause));
        let running = self.stop.lock().unwrap().get(session.as_str()).cloned();
        if let Some(running) = &running {
            running.notify_one();
        }
        Box::pin(async move { running.is_some() })
    }

    fn steer<'a>(&'a self, _: &'a SessionKey, message: TurnMessage) -> Pending<'a, Steered> {
        let takes = *self.takes_steering.lock().unwrap();
        if takes {
            self.steers.lock().unwrap().push(message);
            return Box::pin(async { Steered::Taken });
        }
        Box::pin(async move { Steered::NotTaken(Box::new(message)) })
    }
}

#[derive(Debug, Default)]
pub struct FakeSettings {
    pub views: Mutex<HashMap<String, SessionView>>,
    pub changes: Mutex<Vec<(String, SettingChange)>>,
    pub renewed: Mutex<Vec<String>>,
    pub looks: AtomicUsize,
}

impl SessionSettings for FakeSettings {
    fn view<'a>(&'a self, session: &'a SessionKey) -> Pending<'a, SessionView> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        let view = self.views.lock().unwrap().get(session.as_str()).cloned().unwrap_or_default();
        Box::pin(async move { view })
    }
    fn change<'a>(
        &'a self,
        session: &'a SessionKey,
        change: SettingChange,
    ) -> Pending<'a, Result<(), SettingsFailure>> {
        let mut views = self.views.lock().unwrap();
        let view = views.entry(session.as_str().to_owned()).or_default();
        match &change {
            SettingChange::Think(v) => view.think.clone_from(v),
            SettingChange::Verbose(v) => view.verbose = Some(*v),
            SettingChange::Reasoning(v) => view.reasoning = Some(*v),
            SettingChange::Elevated(v) => view.elevated = Some(*v),
            SettingChange::Exec(d) => {
                view.exec_host.clone_from(&d.host);
                view.exec_security.clone_from(&d.security);
                view.exec_ask.clone_from(&d.ask);
                view.exec_node.clone_from(&d.node);
            }
            SettingChange::Model(v) => view.model.clone_from(v),
            SettingChange::MentionNeeded(v) => view.mention_needed = Some(*v),
            SettingChange::Send(v) => view.send = Some(*v),
            SettingChange::Queue(v) => view.queue = *v,
        }
        self.changes.lock().unwrap().push((session.as_str().to_owned(), change));
        Box::pin(async { Ok(()) })
    }
    fn renew<'a>(&'a self, session: &'a SessionKey) -> Pending<'a, Result<(), SettingsFailure>> {
        self.renewed.lock().unwrap().push(session.as_str().to_owned());
        Box::pin(async { Ok(()) })
    }
    fn compact<'a>(
        &'a self,
        _: &'a SessionKey,
        _: Option<String>,
    ) -> Pending<'a, Result<String, SettingsFailure>> {
        Box::pin(async { Ok("Shortened.".to_owned()) })
    }
    fn status<'a>(&'a self, _: &'a SessionKey) -> Pending<'a, Vec<String>> {
        Box::pin(async { vec!["Tokens: 12 of 200000".to_owned()] })
    }
}

#[derive(Debug, Default)]
pub struct FakeApprovals {
    pub answers: Mutex<Vec<ChatAnswer>>,
    pub reply: Mutex<Option<ApprovalReply>>,
}

impl ApprovalDoor for FakeApprovals {
    fn answer(&self, answer: ChatAnswer) -> Pending<'_, ApprovalReply> {
        let code = answer.id.clone();
        self.answers.lock().unwrap().push(answer);
        let reply = self.reply.lock().unwrap().clone().unwrap_or(ApprovalReply::Recorded { code });
        Box::pin(async move { reply })
    }
}

#[derive(Debug, Default)]
pub struct FakeObserver {
    pub words: Mutex<Vec<String>>,
    pub lines: Mutex<Vec<String>>,
    pub failures: Mutex<Vec<String>>,
    pub decided: Counter,
}

impl Observer for FakeObserver {
    fn decided(&self, _: &Event, what: Happened<'_>, _: Option<&Decision>) {
        let word = match what {
            Happened::Dropped(why) => format!("drop {}", why.word()),
            Happened::Pairing { created } => format!("pairing {created}"),
            Happened::Kept => "kept".to_owned(),
            Happened::Admitted { session, .. } => format!("admit {session}"),
        };
        self.words.lock().unwrap().push(word);
        self.decided.add();
    }
    fn line(&self, line: &str) {
        self.lines.lock().unwrap().push(line.to_owned());
    }
    fn failed(&self, line: &str) {
        self.failures.lock().unwrap().push(line.to_owned());
    }
}

/// Everything together.
pub struct World {
    pub dir: tempfile::TempDir,
    pub ingress: Ingress,
    pub service: Arc<FakeService>,
    pub turns: Arc<FakeTurns>,
    pub settings: Arc<FakeSettings>,
    pub approvals: Arc<FakeApprovals>,
    pub observer: Arc<FakeObserver>,
    pub clock: Arc<SetClock>,
    pub doors: HashMap<(String, String), Arc<dyn Door>>,
}

pub fn node(config: &Value) -> Arc<Node> {
    Arc::new(Node::from_json(config, &Origin::Default))
}

/// Without the pauses that let people finish their sentences.
pub fn quick(mut config: Value) -> Value {
    let queue = config.pointer("/messages/queue/debounceMs").is_none();
    if queue {
        config["messages"]["queue"]["debounceMs"] = 0.into();
    }
    config
}

pub fn world(config: Value) -> World {
    in_dir(tempfile::tempdir().unwrap(), config, true)
}

pub fn in_dir(dir: tempfile::TempDir, config: Value, keyed: bool) -> World {
    let service = Arc::new(FakeService::default());
    let turns = Arc::new(FakeTurns::default());
    let settings = Arc::new(FakeSettings::default());
    let approvals = Arc::new(FakeApprovals::default());
    let observer = Arc::new(FakeObserver::default());
    let clock = Arc::new(SetClock::at(NOW));
    let config = quick(config);
    let inbox = Inbox::open(&Inbox::path_in(dir.path()), NOW).unwrap();
    let ingress = Ingress::new(Parts {
        rules: Rules::new(node(&config)).unwrap(),
        credentials: dir.path().join("credentials"),
        inbox,
        turns: turns.clone(),
        settings: settings.clone(),
        approvals: approvals.clone(),
        observer: observer.clone(),
        clock: clock.clone(),
    });
    let mut doors = HashMap::new();
    let channels = config["channels"].as_object().cloned().unwrap_or_default();
    for (name, section) in channels {
        let Ok(channel) = ChannelId::parse(&name) else { continue };
        let named = section["accounts"].as_object().map(|a| a.keys().cloned().collect::<Vec<_>>());
        for account in std::iter::once("default".to_owned()).chain(named.unwrap_or_default()) {
            let adapter: Arc<dyn Adapter> = Arc::new(FakeAdapter {
                channel: channel.clone(),
                account: account.clone(),
                service: Arc::clone(&service),
                keyed,
                buttons: true,
            });
            let door = ingress.add(&adapter);
            doors.insert((channel.to_string(), account), door);
        }
    }
    World { dir, ingress, service, turns, settings, approvals, observer, clock, doors }
}

impl World {
    pub async fn offer(&self, event: Event) -> Taken {
        let key = (event.message.channel.to_string(), event.message.account.clone());
        let door = self.doors.get(&key).unwrap_or_else(|| panic!("no door {key:?}"));
        tokio::time::timeout(DEADLINE, door.offer(event)).await.unwrap()
    }

    pub fn words(&self) -> Vec<String> {
        self.observer.words.lock().unwrap().clone()
    }

    /// Waits until nothing is left in the inbox.
    pub async fn idle(&self) {
        let wait = async {
            while self.ingress.inbox().waiting() > 0 || self.ingress.busy() > 0 {
                self.ingress.inbox().flush().await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(DEADLINE, wait).await.is_err() {
            panic!("{} messages still wait", self.ingress.inbox().waiting());
        }
    }

    pub fn reload(&self, config: Value) {
        self.ingress.reload(Rules::new(node(&quick(config))).unwrap());
    }
}

/// A direct message.
pub fn direct(channel: &str, id: &str, sender: &str, text: &str) -> Event {
    event(channel, ConversationKind::Direct, id, sender, sender, text)
}

/// A message in a room.
pub fn room(channel: &str, id: &str, place: &str, sender: &str, text: &str) -> Event {
    event(channel, ConversationKind::Group, id, place, sender, text)
}

pub fn event(
    channel: &str,
    kind: ConversationKind,
    id: &str,
    place: &str,
    sender: &str,
    text: &str,
) -> Event {
    let conversation = ConversationId::new(place);
    let mut message = Inbound::new(ChannelId::parse(channel).unwrap(), kind, conversation.clone());
    message.sender.id = SenderId::new(sender);
    message.text = text.to_owned();
    message.bot_username = Some("bot_name".to_owned());
    message.mentions.bot = Some(text.contains("@bot_name"));
    Event {
        id: id.to_owned(),
        message,
        reply: Destination { conversation, thread: None, reply_to: None },
        attachments: Vec::new(),
        quoted: None,
        payload: None,
    }
}

/// Every file below a folder with its bytes, locks and the inbox's own file left out.
pub fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    fn walk(base: &Path, dir: &Path, out: &mut Vec<(String, Vec<u8>)>) {
        let Ok(entries) = std::fs::read_dir(dir) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(base, &path, out);
            } else {
                let name = path.strip_prefix(base).unwrap().display().to_string();
                if !name.ends_with(".flock") {
                    out.push((name, std::fs::read(&path).unwrap()));
                }
            }
        }
    }
    let mut out = Vec::new();
    walk(dir, dir, &mut out);
    out.sort();
    out
}
