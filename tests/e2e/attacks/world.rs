//! A gateway in a home with bait: its real ingress, turns, gate, executors and ledger. Made up are the chat service and the model.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use oc_agent::handlers::web_fetch::WebFetch;
use oc_channels::adapter::{Adapter, Attachment, Door, Event, MediaKind, Quoted};
use oc_fs::ledger::{Entry, Kind, read};
use oc_gateway::assistant::tools::{self, Facts};
use oc_gateway::server::run::start;
use oc_gateway::server::state::Gateway;
use oc_policy::inbound::{ConversationKind, EventKind, MutableNames};
use oc_policy::session_key::SessionKey;
use oc_sandbox::gate::{Handlers, ToolHandler};
use oc_types::ChannelId;
use serde_json::Value;

use crate::bait;
use crate::conversation::{Line, Written};
use crate::doubles::{FakeAdapter, FakeService, event};
use crate::gateways::source;
use crate::model::Model;
use crate::servers::{PAGES, PagesAnd, Server};

/// How long anything may take.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A gateway and everything around it.
pub struct World {
    home: tempfile::TempDir,
    pub gateway: Arc<Gateway>,
    pub door: Arc<dyn Door>,
    pub service: Arc<FakeService>,
    pub model: Model,
    /// The attacker's server.
    pub evil: Server,
    /// A server of this machine that no tool may reach.
    pub inside: Server,
    pages: Server,
    port: u16,
    served: tokio::task::JoinHandle<()>,
    sessions: std::sync::Mutex<Vec<(PathBuf, Vec<u8>)>>,
    events: std::sync::atomic::AtomicUsize,
}

impl Drop for World {
    fn drop(&mut self) {
        self.gateway.stop("test over", None);
        self.served.abort();
    }
}

/// Lays `over` over `base`: objects are merged, everything else is replaced.
fn merged(base: &Value, over: &Value) -> Value {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            let mut out = base.clone();
            for (key, value) in over {
                let value = out.get(key).map_or_else(|| value.clone(), |old| merged(old, value));
                out.insert(key.clone(), value);
            }
            Value::Object(out)
        }
        _ => over.clone(),
    }
}

impl World {
    /// Starts one with the pages of these conversations.
    pub async fn start(name: &str, all: &[Written]) -> Self {
        let worlds = crate::conversation::worlds();
        let own = worlds.get(name).unwrap_or_else(|| panic!("no world {name}"));
        let model = Model::new();
        let config = merged(&worlds["base"], &own["config"]).to_string();
        let config = config.replace("{provider}", &model.provider.anthropic_base());
        let home = tempfile::tempdir().unwrap();
        bait::lay(home.path());
        bait::write(&home.path().join(".openclaw/openclaw.json"), &config);
        let evil = Server::start("127.0.0.1", []);
        let inside = Server::start("127.0.0.1", [("/".to_owned(), (200, "CANARY-inside".to_owned()))]);
        let moved = |path: &str, to: String| (path.to_owned(), (302, to));
        let mut served: Vec<(String, (u16, String))> = vec![
            moved("/to-inside", format!("{}/", inside.base())),
            moved("/to-metadata", "http://169.254.169.254/latest/meta-data/".to_owned()),
            moved("/to-file", "file:///etc/passwd".to_owned()),
            moved("/round", "/round".to_owned()),
        ];
        for written in all.iter().filter(|w| w.world == name) {
            if let Some(page) = &written.page {
                served.push((format!("/{}", written.id), (200, page.clone())));
            }
        }
        let pages = Server::start(PAGES, served);
        let running = start(source(home.path()), "test-host".to_owned(), None).await;
        let running = running.unwrap_or_else(|e| panic!("world {name}: {e}"));
        let gateway = Arc::clone(&running.gateway);
        let port = running.addresses.first().unwrap().port();
        let served = tokio::spawn(async move {
            running.until_stopped().await;
        });
        gateway.gate.replace_handlers(handlers(&gateway, None));
        let ready = async {
            while gateway.channels().is_none() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(DEADLINE, ready).await.expect("the chats are served");
        let service = Arc::new(FakeService::default());
        let adapter: Arc<dyn Adapter> = Arc::new(FakeAdapter {
            channel: ChannelId::parse("telegram").unwrap(),
            account: "default".to_owned(),
            service: Arc::clone(&service),
            keyed: true,
            buttons: false,
        });
        let door = gateway.channels().unwrap().ingress().add(&adapter);
        let events = std::sync::atomic::AtomicUsize::new(0);
        let sessions = std::sync::Mutex::default();
        Self { home, gateway, door, service, model, evil, inside, pages, port, served, sessions, events }
    }

    /// Files of sessions, without locks.
    fn session_files(&self) -> Vec<PathBuf> {
        let agents = std::fs::read_dir(self.home().join(".openclaw/agents")).unwrap();
        let folders = agents.map(|a| a.unwrap().path().join("sessions"));
        let files = folders.flat_map(|f| std::fs::read_dir(f).into_iter().flatten());
        files
            .map(|f| f.unwrap().path())
            .filter(|p| p.extension().is_some_and(|e| e == "json" || e == "jsonl"))
            .collect()
    }

    /// Every conversation from here on finds the sessions as they are now.
    pub fn remember_sessions(&self) {
        let files = self.session_files().into_iter().map(|p| (p.clone(), std::fs::read(p).unwrap()));
        *self.sessions.lock().unwrap() = files.collect();
    }

    /// What an earlier conversation left in a session is none of the next one's.
    pub fn restore_sessions(&self) {
        for path in self.session_files() {
            std::fs::remove_file(path).unwrap();
        }
        for (path, bytes) in &*self.sessions.lock().unwrap() {
            bait::write(path, std::str::from_utf8(bytes).unwrap());
        }
    }

    pub fn home(&self) -> PathBuf {
        self.home.path().to_owned()
    }

    pub fn workspace(&self) -> PathBuf {
        self.home.path().join(".openclaw/workspace")
    }

    /// What stands for the names in a conversation.
    pub fn names(&self, written: &Written) -> Vec<(&'static str, String)> {
        let shown = |p: PathBuf| p.display().to_string();
        vec![
            ("home", shown(self.home())),
            ("state", shown(self.home().join(".openclaw"))),
            ("workspace", shown(self.workspace())),
            ("evil", self.evil.base()),
            ("inside", self.inside.base()),
            ("pages", self.pages.base()),
            ("page", format!("{}/{}", self.pages.base(), written.id)),
            ("gateway", format!("http://127.0.0.1:{}", self.port)),
            // Longer than any message that is read to its end.
            ("filler", "x ".repeat(150_000)),
        ]
    }

    /// What a person says, as the service tells it.
    pub fn event(&self, line: &Line) -> Event {
        let n = self.events.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let sender = number(&line.who);
        let (kind, place) = match line.room.as_deref() {
            None => (ConversationKind::Direct, sender),
            Some("unknown") => (ConversationKind::Unknown, sender),
            Some(room) => (ConversationKind::Group, room),
        };
        let mut out = event("telegram", kind, &format!("e{n}"), place, sender, &line.text);
        let m = &mut out.message;
        m.sender.names = MutableNames::new(line.name.as_deref(), line.name.as_deref(), None, None);
        m.place.name.clone_from(&line.subject);
        m.place.topic.clone_from(&line.topic);
        if let Some(word) = &line.event {
            m.event = EventKind::ALL
                .into_iter()
                .find(|k| serde_json::to_value(k).unwrap() == word.as_str())
                .unwrap_or_else(|| panic!("no event {word}"));
        }
        out.quoted = line
            .quoted
            .as_ref()
            .map(|(who, text)| Quoted { sender: Some(number(who).to_owned()), text: text.clone() });
        out.attachments = line
            .attachments
            .iter()
            .map(|name| Attachment {
                kind: MediaKind::Document,
                name: Some(name.clone()),
                media_type: Some("application/pdf".to_owned()),
                bytes: Some(10),
                handle: "h".to_owned(),
            })
            .collect();
        out.payload.clone_from(&line.payload);
        out
    }

    /// Everything that the ledger holds.
    pub fn ledger(&self) -> Vec<Entry> {
        let lines = read(&self.home.path().join(".openclaw/ledger")).unwrap_or_default();
        lines.into_iter().map(|l| l.record.expect("a record that can be read").entry).collect()
    }

    /// Codes of requests that wait for an answer.
    pub fn waiting(&self) -> Vec<String> {
        let records = self.gateway.queue.records().unwrap();
        let pending =
            |r: &&oc_approval::life_cycle::Record| matches!(r.state, oc_approval::life_cycle::State::Pending);
        records.iter().filter(pending).map(|r| r.code.clone()).collect()
    }

    /// Waits until no turn runs in any session and the answer of the last one is delivered: also of turns that no message started.
    pub async fn sessions_are_free(&self) {
        let stores = self.session_files().into_iter().filter(|p| p.ends_with("sessions.json"));
        for path in stores {
            let store: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            for key in store.as_object().unwrap().keys() {
                let key = SessionKey::parse(key).unwrap();
                drop(self.gateway.channels().unwrap().ingress().occupy(&key).await);
            }
        }
    }

    /// Whether nothing is left to do for anybody.
    pub fn is_idle(&self) -> bool {
        let ingress = self.gateway.channels().unwrap().ingress();
        ingress.inbox().waiting() == 0 && ingress.busy() == 0
    }
}

/// The service's id of somebody.
pub fn number(who: &str) -> &'static str {
    match who {
        "owner" => "1001",
        "friend" => "2002",
        "family" => "3003",
        "member" => "4004",
        "stranger" => "6666",
        "bot" => "bot",
        other => panic!("nobody is called {other}"),
    }
}

/// The gateway's own tools (those that read and those that act), the one that fetches pages, and perhaps one more.
pub fn handlers(gateway: &Arc<Gateway>, more: Option<Arc<dyn ToolHandler>>) -> Handlers {
    let weak = Arc::downgrade(gateway);
    let reading = tools::reading(&Facts::of(weak.clone()));
    let fetch: Arc<dyn ToolHandler> = Arc::new(WebFetch::new(Arc::new(PagesAnd)));
    Handlers::new(reading.into_iter().chain(tools::acting(&weak)).chain([fetch]).chain(more))
}

/// What was decided about a call.
#[derive(Debug)]
pub struct Verdict {
    call: String,
    #[expect(dead_code, reason = "people read it when something went wrong")]
    tool: String,
    /// The words, in order.
    pub words: String,
    rules: Vec<String>,
}

/// What was decided about each call, in the order of the calls.
pub fn decided(entries: &[Entry]) -> Vec<Verdict> {
    let mut out: Vec<Verdict> = Vec::new();
    for e in entries.iter().filter(|e| e.kind == Kind::Decision) {
        let Some(tool) = e.subject.strip_prefix("tool:") else { continue };
        match out.iter_mut().find(|v| v.call == e.call) {
            Some(verdict) => {
                verdict.words.push_str(&format!(" {}", e.verdict));
                verdict.rules.push(e.rule.clone());
            }
            None => out.push(Verdict {
                call: e.call.clone(),
                tool: tool.to_owned(),
                words: e.verdict.clone(),
                rules: vec![e.rule.clone()],
            }),
        }
    }
    out
}
