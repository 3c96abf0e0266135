//! The `browser` tool with `target: "node"`: a gateway without a Chromium and a node host with one, joined on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

#[path = "support/world.rs"]
mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use oc_gateway::client::target::{Credentials, Source as Named, parse};
use oc_gateway::node_host::{NodeHost, Said, Teller, run};
use oc_sandbox::executor::Place;
use oc_sandbox::gate::{Answer, Caller, Content, GateError, Outcome, Stage, Surface, ToolCall};
use oc_types::{AgentId, Secret};
use serde_json::{Value, json};
use support::{TOKEN, World, source, write};
use tokio::sync::oneshot;

const MAIN: &str = "agent:main:main";
const GROUP: &str = "agent:main:telegram:group:42";
/// How long one thing may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether there is a Chromium. Where nothing may be skipped (`OC_REQUIRE` has the word), its absence is a failure.
fn chromium(test: &str) -> bool {
    let found = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"]
        .iter()
        .any(|name| ["/usr/bin", "/bin"].iter().any(|folder| Path::new(folder).join(name).is_file()));
    let required =
        std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == "chromium");
    assert!(found || !required, "{test} needs chromium");
    if !found {
        println!("SKIP {test}: no Chromium");
    }
    found
}

/// A picture that no compression makes small, and an address without end.
const LARGE: &str = "<title>Large</title><body style='margin:0'><canvas id=c width=1280 height=300></canvas><script>\
    const x = c.getContext('2d'), d = x.createImageData(1280, 300); \
    for (let i = 0; i < d.data.length; i++) d.data[i] = i % 4 == 3 ? 255 : Math.random() * 256; \
    x.putImageData(d, 0, 0); location.hash = 'x'.repeat(700000)</script>";

/// Whether somebody asked for `/never`.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Pages on loopback; their address. `/never` is not answered.
fn site() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let n = stream.read(&mut head).unwrap_or(0);
            if head[..n].starts_with(b"GET /never ") {
                ASKED.store(true, Ordering::SeqCst);
                held.push(stream);
                continue;
            }
            let large = head[..n].starts_with(b"GET /large ");
            let body = if large { LARGE } else { "<title>Of the node</title><h1>Hello there</h1>" };
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length:";
            let _ = stream.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes());
        }
    });
    url
}

#[derive(Debug)]
struct Told(Sender<Said>);

impl Teller for Told {
    fn tell(&self, said: &Said) {
        let _ = self.0.send(said.clone());
    }
}

/// A node host that runs in this process, with a home of its own.
struct Kit {
    home: tempfile::TempDir,
    said: Receiver<Said>,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<()>,
}

impl Kit {
    fn start(world: &World, config: &Value) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join(".openclaw")).unwrap();
        let mut target = parse(&format!("ws://127.0.0.1:{}", world.port), Named::Flag);
        target.credentials = Credentials { token: Some(Secret::new(TOKEN.to_owned())), password: None };
        let (tell, said) = channel();
        let host = NodeHost {
            request: source(home.path()).request,
            target,
            name: "Kit".to_owned(),
            teller: Arc::new(Told(tell)),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        configure(home.path(), config);
        let served = tokio::spawn(async move {
            run(&host, async {
                let _ = stopped.await;
            })
            .await
            .unwrap();
        });
        Self { home, said, stop: Some(stop), served }
    }

    /// What it offers, once it is connected.
    fn offers(&self) -> Vec<String> {
        loop {
            match self.said.recv_timeout(PATIENCE).unwrap() {
                Said::Connected { commands, .. } => return commands,
                other => assert!(matches!(other, Said::Lost { .. }), "{other:?}"),
            }
        }
    }

    /// What came of the last order, as its people are told.
    fn over(&self) -> String {
        match self.said.recv_timeout(PATIENCE).unwrap() {
            Said::Over { command, outcome } => format!("{command}: {outcome}"),
            other => panic!("{other:?}"),
        }
    }
}

/// Nothing answers at the control port of a node that is configured like this.
fn configure(home: &Path, config: &Value) {
    let mut config = config.clone();
    config["gateway"] = json!({"port": 1});
    write(&home.join(".openclaw/openclaw.json"), &config.to_string());
}

fn lends(browser: Value) -> Value {
    json!({"nodeHost": {"browserProxy": {"enabled": true}}, "browser": browser})
}

/// A gateway whose own settings say the opposite of the node's: no Chromium, everything inside may be reached, no scripts.
fn gateway(nodes_browser: Value) -> Value {
    json!({
        "gateway": {"mode": "local", "auth": {"mode": "token", "token": TOKEN}, "nodes": {"browser": nodes_browser}},
        "browser": {
            "executablePath": "/no/such", "ssrfPolicy": {"dangerouslyAllowPrivateNetwork": true}, "evaluateEnabled": false,
        },
        "agents": {"defaults": {"sandbox": {"mode": "non-main", "browser": {"allowHostControl": true}}}},
        "tools": {"sandbox": {"tools": {"allow": ["*"], "deny": []}}},
    })
}

async fn call(world: &World, session: &str, arguments: Value) -> Result<Answer, GateError> {
    let caller = Caller::of_session(Surface::Model, AgentId::normalized("main"), session);
    let id = uuid::Uuid::new_v4().simple().to_string();
    let Value::Object(arguments) = arguments else { panic!("an object") };
    let call =
        ToolCall { id, tool: "browser".to_owned(), arguments, caller, behind: std::sync::Arc::default() };
    tokio::time::timeout(PATIENCE * 2, world.gateway.gate.call(&call)).await.unwrap()
}

fn text(answer: &Answer) -> String {
    let texts = answer.result.content.iter().filter_map(|c| match c {
        Content::Text { text } => Some(text.as_str()),
        Content::Image { .. } => None,
    });
    texts.collect()
}

async fn works(world: &World, arguments: Value) -> String {
    let answer = call(world, MAIN, arguments.clone()).await.unwrap();
    let said = text(&answer);
    assert_eq!((answer.place, answer.result.outcome), (Place::Node, Outcome::Done), "{arguments}: {said}");
    said
}

async fn fails(world: &World, arguments: Value) -> String {
    let answer = call(world, MAIN, arguments.clone()).await.unwrap();
    let said = text(&answer);
    assert_eq!(answer.result.outcome, Outcome::Failed, "{arguments}: {said}");
    said
}

/// Whether a process with this folder in its command line runs.
fn runs(folder: &Path) -> bool {
    let word = folder.to_str().unwrap();
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(word)
    })
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waited = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.unwrap_or_else(|_| panic!("{what}: not in time"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn sp_238_a_nodes_browser_acts_under_the_nodes_own_settings_and_for_no_sandboxed_session() {
    if !chromium("sp_238_a_nodes_browser_acts_under_the_nodes_own_settings_and_for_no_sandboxed_session") {
        return;
    }
    let url = site();
    let world = World::start(gateway(json!({"node": "Kit"}))).await;
    let open = json!({"action": "open", "targetUrl": url, "target": "node"});
    let none = fails(&world, open.clone()).await;
    assert!(none.contains("no connected node that lends a browser is called `Kit`"), "{none}");

    let own =
        json!({"headless": true, "ssrfPolicy": {"allowedHostnames": ["127.0.0.1"]}, "evaluateEnabled": true});
    let mut kit = Kit::start(&world, &lends(own));
    assert!(kit.offers().contains(&"browser.proxy".to_owned()));

    // Carried out there, with a profile of the node's; what comes back is in an envelope.
    works(&world, open.clone()).await;
    assert_eq!(kit.over(), "browser open: done");
    let page = works(&world, json!({"action": "snapshot"})).await;
    let start = page.find("<<<EXTERNAL_UNTRUSTED_CONTENT").unwrap();
    assert!(page.starts_with("From the browser of the node Kit:"), "{page}");
    assert!(page.find("Hello there").unwrap() > start && page.contains("Of the node"), "{page}");
    let profile = kit.home.path().join(".openclaw/browser/openclaw/user-data");
    assert!(profile.is_dir() && runs(&profile));
    assert!(!world.state_dir().join("browser").exists());
    // Scripts are off at the gateway and on at the node.
    let sum = json!({"action": "act", "request": {"kind": "evaluate", "fn": "() => 40 + 2"}, "node": "kit"});
    assert!(works(&world, sum.clone()).await.contains("42"));
    let picture = call(&world, MAIN, json!({"action": "screenshot", "target": "node"})).await.unwrap();
    assert!(picture.result.content.iter().any(|c| matches!(c, Content::Image { .. })), "{}", text(&picture));

    // A sandboxed session has no node's browser: not by name, and not because nothing else is there (the host's door is open to it).
    for (arguments, stage) in [
        (open.clone(), Stage::HostDoor),
        (json!({"action": "tabs", "target": "sandbox", "node": "Kit"}), Stage::HostDoor),
        (json!({"action": "tabs"}), Stage::Policy),
    ] {
        match call(&world, GROUP, arguments.clone()).await {
            Err(GateError::Refused(refused)) => assert_eq!(refused.stage(), stage, "{arguments}: {refused}"),
            other => panic!("{arguments}: {other:?}"),
        }
    }

    // The node's settings count from the next order on, whatever the gateway's are.
    configure(kit.home.path(), &lends(json!({"headless": true})));
    let refused = fails(&world, sum).await;
    assert!(refused.contains("browser.evaluateEnabled"), "{refused}");
    let refused = fails(&world, json!({"action": "navigate", "targetUrl": url})).await;
    assert!(refused.starts_with("browser: the node Kit did not do it; it says:\n"), "{refused}");
    assert!(refused.contains("refused: 127.0.0.1 may not be reached"), "{refused}");
    configure(kit.home.path(), &json!({"nodeHost": {"browserProxy": {"enabled": false}}}));
    let refused = fails(&world, json!({"action": "tabs"})).await;
    assert!(refused.contains("lends no browser"), "{refused}");
    // What is lent no more does not go on running; lent again, it starts anew.
    until("Chromium ended", || !runs(&profile)).await;
    configure(kit.home.path(), &lends(json!({"headless": true})));
    works(&world, json!({"action": "start"})).await;

    // Another node than the one that is bound is not asked; and `off` asks none.
    let other = fails(&world, json!({"action": "tabs", "node": "Tom"})).await;
    assert!(other.contains("is called `Tom`"), "{other}");
    world.configure(&gateway(json!({"mode": "off", "node": "Kit"})));
    let off = async {
        loop {
            match call(&world, MAIN, open.clone()).await {
                Err(GateError::Refused(refused)) => return refused.sentence().to_owned(),
                Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(other) => panic!("{other:?}"),
            }
        }
    };
    let off = tokio::time::timeout(PATIENCE, off).await.unwrap();
    assert!(off.contains("no node lends its browser"), "{off}");

    // The browser belongs to the connection.
    assert!(runs(&profile));
    kit.stop.take().unwrap().send(()).unwrap();
    (&mut kit.served).await.unwrap();
    until("Chromium ended", || !runs(&profile)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_node_offers_its_browser_only_when_its_own_configuration_lends_one_that_is_there() {
    for config in [
        json!({}),
        json!({"nodeHost": {"browserProxy": {"enabled": false}}}),
        lends(json!({"enabled": false})),
        lends(json!({"executablePath": "/no/such"})),
        lends(json!({"cdpUrl": "http://127.0.0.1:9222"})),
        json!({"nodeHost": {"browserProxy": {"enabled": true, "allowProfiles": ["work"]}}}),
        json!({"nodeHost": {"browserProxy": {"enabled": true, "allowProfiles": []}}}),
    ] {
        let world = World::start(gateway(json!({}))).await;
        let kit = Kit::start(&world, &config);
        let offered = kit.offers();
        assert!(!offered.contains(&"browser.proxy".to_owned()), "{config}: {offered:?}");
        kit.served.abort();
    }
}

/// The settings of a node whose pages are on loopback.
fn loopback() -> Value {
    lends(json!({"headless": true, "ssrfPolicy": {"allowedHostnames": ["127.0.0.1"]}}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_large_page_and_its_picture_do_not_cut_the_connection_of_the_node() {
    if !chromium("a_large_page_and_its_picture_do_not_cut_the_connection_of_the_node") {
        return;
    }
    let url = format!("{}large", site());
    let world = World::start(gateway(json!({"node": "Kit"}))).await;
    let kit = Kit::start(&world, &loopback());
    kit.offers();
    works(&world, json!({"action": "open", "targetUrl": url})).await;
    assert_eq!(kit.over(), "browser open: done");
    let rest = json!({"action": "act", "request": {"kind": "wait", "timeMs": 500}});
    assert!(works(&world, rest).await.contains("Large"));
    assert_eq!(kit.over(), "browser act: done");
    // Too large as PNG for one message, so it comes as JPEG.
    let picture = call(&world, MAIN, json!({"action": "screenshot"})).await.unwrap();
    let kind = picture.result.content.iter().find_map(|c| match c {
        Content::Image { mime_type, .. } => Some(*mime_type),
        Content::Text { .. } => None,
    });
    assert_eq!(kind, Some("image/jpeg"), "{}", text(&picture));
    assert_eq!(kit.over(), "browser screenshot: done");
    works(&world, json!({"action": "tabs"})).await;
    assert_eq!(kit.over(), "browser tabs: done", "the first connection still stands");
    kit.served.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_gateways_own_browser_ends_when_its_configuration_switches_it_off() {
    if !chromium("a_gateways_own_browser_ends_when_its_configuration_switches_it_off") {
        return;
    }
    let mut config = gateway(json!({}));
    config["browser"] = json!({"headless": true});
    let world = World::start(config.clone()).await;
    let started = call(&world, MAIN, json!({"action": "start"})).await.unwrap();
    assert_eq!((started.place, started.result.outcome), (Place::Host, Outcome::Done), "{}", text(&started));
    let profile = world.state_dir().join("browser/openclaw/user-data");
    assert!(runs(&profile));
    // Nobody calls the tool any more: the new configuration itself ends it.
    config["browser"]["enabled"] = json!(false);
    world.configure(&config);
    until("Chromium ended", || !runs(&profile)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_people_of_a_node_see_every_order_and_the_gateways_ledger_says_which_node() {
    if !chromium("the_people_of_a_node_see_every_order_and_the_gateways_ledger_says_which_node") {
        return;
    }
    let url = site();
    let world = World::start(gateway(json!({"node": "Kit"}))).await;
    let kit = Kit::start(&world, &loopback());
    kit.offers();
    works(&world, json!({"action": "open", "targetUrl": url})).await;
    assert_eq!(kit.over(), "browser open: done");
    let own = kit.home.path().join(".openclaw");
    let node = oc_fs::identity_store::IdentityStore::of(&own).device().unwrap().unwrap().device_id;
    assert_eq!(ledger(&world.state_dir()).last().unwrap()["inputs"]["to"], json!(node));
    // Given up in the middle.
    let never = call(&world, MAIN, json!({"action": "open", "targetUrl": format!("{url}never")}));
    tokio::select! {
        answered = never => panic!("{answered:?}"),
        () = until("the page was asked for", || ASKED.load(Ordering::SeqCst)) => {}
    }
    assert_eq!(kit.over(), "browser open: given up");
    // Refused before it reached the browser.
    configure(kit.home.path(), &json!({"nodeHost": {"browserProxy": {"enabled": false}}}));
    fails(&world, json!({"action": "tabs"})).await;
    assert_eq!(kit.over(), "browser tabs: refused: this node lends no browser (nodeHost.browserProxy)");
    // The node's own ledger has the three of them, each decided before anything was done.
    until("the ends are recorded", || ledger(&own).len() == 5).await;
    let said = |call: usize| {
        let all = ledger(&own);
        let of_call =
            |n: usize| all.iter().filter(|r| r["kind"] == "decision").nth(n).unwrap()["call"].clone();
        let records = all.iter().filter(|r| r["call"] == of_call(call));
        records
            .map(|r| {
                ["kind", "verdict"].map(|k| r[k].as_str().unwrap()).join(" ")
                    + " "
                    + r["inputs"]["action"].as_str().unwrap()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(said(0), ["decision allowed open", "outcome done open"]);
    assert_eq!(said(1), ["decision allowed open", "outcome aborted open"]);
    assert_eq!(said(2), ["decision denied tabs"]);
    kit.served.abort();
}

/// The records of a ledger.
fn ledger(state: &Path) -> Vec<Value> {
    let lines = oc_fs::ledger::read(&state.join("ledger")).unwrap();
    // A line that is being written is none yet.
    let records = lines.into_iter().flat_map(|l| l.record);
    records.map(|r| serde_json::to_value(r.entry).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_may_not_be_asked_makes_no_tool() {
    for (mode, is_offered) in [("off", false), ("auto", true), ("manual", true)] {
        let world = World::start(gateway(json!({"mode": mode, "node": "Kit"}))).await;
        assert_eq!(world.gateway.gate.built().contains(&"browser".to_owned()), is_offered, "{mode}");
    }
}
