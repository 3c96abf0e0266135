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

/// A page on loopback; its address.
fn site() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let body = "<title>Of the node</title><h1>Hello there</h1>";
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
    assert!(refused.contains("the node Kit: refused: 127.0.0.1 may not be reached"), "{refused}");
    configure(kit.home.path(), &json!({"nodeHost": {"browserProxy": {"enabled": false}}}));
    let refused = fails(&world, json!({"action": "tabs"})).await;
    assert!(refused.contains("lends no browser"), "{refused}");

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
    ] {
        let world = World::start(gateway(json!({}))).await;
        let kit = Kit::start(&world, &config);
        let offered = kit.offers();
        assert!(!offered.contains(&"browser.proxy".to_owned()), "{config}: {offered:?}");
        kit.served.abort();
    }
}
