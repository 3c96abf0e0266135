//! The browser is the product's own: its profile, its downloads, its handles; and no sandboxed session has it.

use std::collections::{BTreeSet, HashMap};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use oc_sandbox::gate::{GateError, Stage};
use serde_json::json;

use super::bench::*;

/// The process and everything below it.
fn tree(root: u32) -> BTreeSet<u32> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let parent = stat
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split_whitespace().nth(1))
            .and_then(|p| p.parse().ok());
        parents.extend(parent.map(|parent: u32| (pid, parent)));
    }
    let mut all = BTreeSet::from([root]);
    loop {
        let more: Vec<u32> = parents
            .iter()
            .filter(|(pid, parent)| all.contains(parent) && !all.contains(pid))
            .map(|(p, _)| *p)
            .collect();
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

/// The sockets, by inode, that listen on TCP or are bound on UDP somewhere.
fn open_sockets() -> HashMap<String, String> {
    let mut out = HashMap::new();
    for (file, state) in [("tcp", Some("0A")), ("tcp6", Some("0A"))] {
        let Ok(text) = std::fs::read_to_string(format!("/proc/net/{file}")) else { continue };
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split_whitespace().collect();
            if state.is_none_or(|s| cells[3] == s) {
                out.insert(format!("socket:[{}]", cells[9]), format!("{file} {}", cells[1]));
            }
        }
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_246_no_control_port_is_open_and_the_browser_ends_with_its_owner() {
    if !chromium() {
        return;
    }
    let b = bench(&local());
    b.works(json!({"action": "start"})).await;
    let root = b.browser.process().await.unwrap();
    let all = tree(root);
    assert!(all.len() > 2, "{all:?}");
    let sockets = open_sockets();
    for pid in &all {
        let Ok(handles) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        for handle in handles.flatten().filter_map(|h| std::fs::read_link(h.path()).ok()) {
            let listens = sockets.get(&*handle.to_string_lossy());
            assert_eq!(listens, None, "process {pid} listens");
        }
        if let Ok(variables) = std::fs::read(format!("/proc/{pid}/environ")) {
            assert!(!String::from_utf8_lossy(&variables).contains("SECRET_OF_THE_OWNER"));
        }
        if let Ok(line) = std::fs::read(format!("/proc/{pid}/cmdline")) {
            let line = String::from_utf8_lossy(&line).into_owned();
            assert!(!line.contains("remote-debugging-port"), "{line}");
        }
    }
    // The owner goes without a word.
    drop(b);
    let gone = async {
        while all.iter().any(|pid| std::path::Path::new(&format!("/proc/{pid}/exe")).read_link().is_ok()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_profile_is_the_products_own_without_sync_and_passwords_and_calls_nobody() {
    if !chromium() {
        return;
    }
    let cookie = "HTTP/1.1 200 OK\r\nset-cookie: who=agent; max-age=86400\r\ncontent-type: text/html\r\ncontent-length: 16\r\nconnection: close\r\n\r\n<title>c</title>";
    let pages = HashMap::from([("/cookie", cookie.to_owned()), ("/", "<title>again</title>".to_owned())]);
    let site = site("127.0.0.1", pages).await;
    let b = bench(&local());
    // A personal profile beside it, which must stay as it is.
    let personal = b.home.join(".config/chromium/Default");
    std::fs::create_dir_all(&personal).unwrap();
    std::fs::write(personal.join("Preferences"), "{\"mine\":1}").unwrap();
    b.works(json!({"action": "open", "targetUrl": site.url("/cookie")})).await;
    b.act(json!({"kind": "wait", "timeMs": 3000})).await;
    let calls = b.browser.refused_hosts().await;
    assert_eq!(calls, [""; 0], "the browser called somebody by itself");
    b.works(json!({"action": "stop"})).await;
    let base = b.state.join("browser/openclaw");
    for place in ["", "user-data", "downloads", "home"] {
        assert_eq!(base.join(place).metadata().unwrap().permissions().mode() & 0o777, 0o700, "{place}");
    }
    let preferences = std::fs::read_to_string(base.join("user-data/Default/Preferences")).unwrap();
    let preferences: serde_json::Value = serde_json::from_str(&preferences).unwrap();
    assert_eq!(preferences["credentials_enable_service"], false);
    assert_eq!(preferences["signin"]["allowed"], false);
    assert_eq!(preferences["profile"]["password_manager_enabled"], false);
    assert_eq!(preferences["account_info"].as_array().map_or(0, Vec::len), 0, "nobody is signed in");
    let kept: Vec<_> = std::fs::read_dir(&personal).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(kept, ["Preferences"]);
    assert_eq!(std::fs::read_to_string(personal.join("Preferences")).unwrap(), "{\"mine\":1}");
    let own: BTreeSet<_> = std::fs::read_dir(&b.home).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(own, BTreeSet::from([".config".into(), ".openclaw".into()]), "nothing else appears at home");
    // The profile lives on: the cookie comes back.
    b.works(json!({"action": "open", "targetUrl": site.url("/")})).await;
    assert!(site.seen.lock().unwrap().iter().any(|h| h.starts_with("GET / ") && h.contains("who=agent")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_gets_a_random_name_in_the_isolated_folder_and_is_named_as_untrusted() {
    if !chromium() {
        return;
    }
    let file = "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-disposition: attachment; filename=\"../../.bashrc\"\r\n\
                content-length: 4\r\nconnection: close\r\n\r\nevil";
    let pages = HashMap::from([
        ("/file", file.to_owned()),
        ("/", "<title>p</title><a href='/file'>get</a>".to_owned()),
    ]);
    let site = site("127.0.0.1", pages).await;
    let b = bench(&local());
    b.works(json!({"action": "open", "targetUrl": site.url("/")})).await;
    let link = b.reference("\"get\"").await;
    b.act(json!({"kind": "click", "ref": link})).await;
    let completed = async {
        loop {
            let status = b.works(json!({"action": "status"})).await;
            if status.contains(" completed ") {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let status = tokio::time::timeout(Duration::from_secs(20), completed).await.unwrap();
    assert!(
        status.contains("EXTERNAL_UNTRUSTED_CONTENT") && status.contains("a page chose its content"),
        "{status}"
    );
    let folder = b.state.join("browser/openclaw/downloads");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().collect();
    assert_eq!(files.len(), 1);
    let name = files[0].file_name().into_string().unwrap();
    assert!(name.len() == 36 && name.chars().all(|c| c.is_ascii_hexdigit() || c == '-'), "{name}");
    assert!(status.contains(&name), "{status}");
    assert_eq!(std::fs::read(files[0].path()).unwrap(), b"evil");
    assert_eq!(
        files[0].metadata().unwrap().permissions().mode() & 0o177,
        0,
        "neither for others nor to be run"
    );
    assert!(!b.home.join(".bashrc").exists() && !b.state.join("browser/.bashrc").exists());
}

#[tokio::test]
async fn sp_238_a_sandboxed_session_does_not_control_the_hosts_browser() {
    let mut config = local();
    config["tools"] = json!({"sandbox": {"tools": {"allow": ["*"], "deny": []}}});
    config["agents"] = json!({"defaults": {"sandbox": {"mode": "all"}}});
    let b = bench(&config);
    for arguments in [
        json!({"action": "start"}),
        json!({"action": "status"}),
        json!({"action": "open", "targetUrl": "http://127.0.0.1/", "target": "host"}),
        json!({"action": "open", "targetUrl": "http://127.0.0.1/", "profile": "chrome", "target": "sandbox"}),
        json!({"action": "tabs", "target": "sandbox", "node": "phone"}),
    ] {
        let refused = b.call(arguments.clone(), GROUP).await;
        let stage = match &refused {
            Err(GateError::Refused(refused)) => refused.stage(),
            other => panic!("{arguments}: {other:?}"),
        };
        assert_eq!(stage, Stage::HostDoor, "{arguments}");
    }
    // A browser of its own it does not have: what claims to stay inside is not carried out on the host instead.
    let inside = b.call(json!({"action": "start", "target": "sandbox"}), GROUP).await;
    assert!(matches!(&inside, Err(GateError::Refused(r)) if r.stage() == Stage::Arguments), "{inside:?}");
    assert_eq!(b.browser.process().await, None);
    assert!(!b.state.join("browser").exists(), "nothing was made");
    // Its key opens it, and nothing else does.
    config["agents"]["defaults"]["sandbox"]["browser"] = json!({"allowHostControl": true});
    b.gate.reload(snapshot(&config, &b.state));
    let status = b.call(json!({"action": "status"}), GROUP).await.unwrap();
    assert_eq!(text(&status), "The browser is not running.");
}

#[tokio::test]
async fn the_tool_is_absent_when_it_is_off_or_there_is_no_browser_or_another_ones_is_named() {
    let state = std::path::PathBuf::from("/nowhere");
    let absent = |config: serde_json::Value, environment: Vec<(String, String)>| {
        let node = oc_types::Node::from_json(&config, &oc_types::Origin::Default);
        crate::handler(&node, state.clone(), environment).err().map(|e| e.to_string())
    };
    assert_eq!(
        absent(json!({"browser": {"enabled": false}}), environment()).unwrap(),
        "browser.enabled is false"
    );
    assert!(
        absent(json!({"browser": {"cdpUrl": "http://10.0.0.1:9222"}}), environment())
            .unwrap()
            .starts_with("browser.cdpUrl names")
    );
    assert!(
        absent(json!({"browser": {"attachOnly": true}}), environment())
            .unwrap()
            .starts_with("browser.attachOnly names")
    );
    assert!(
        absent(json!({"browser": {"executablePath": "/no/such"}}), environment())
            .unwrap()
            .contains("browser.executablePath")
    );
    let nowhere = absent(json!({}), vec![("PATH".to_owned(), "/no/such".to_owned())]);
    assert!(cfg!(target_os = "macos") || nowhere.unwrap().starts_with("no Chromium is installed"));
    // Switched off while it is there: the gate refuses, and names the key.
    let b = bench(&json!({"browser": {"enabled": false}}));
    let refused = b.call(json!({"action": "status"}), MAIN).await;
    assert!(refused.as_ref().is_err_and(|e| e.to_string().contains("browser.enabled")), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_is_switched_off_or_another_ones_does_not_go_on_running() {
    if !chromium() {
        return;
    }
    let b = bench(&local());
    let settings = |config: &serde_json::Value| {
        crate::settings::Settings::of(&oc_types::Node::from_json(config, &oc_types::Origin::Default))
    };
    for off in [json!({"browser": {"enabled": false}}), json!({"browser": {"attachOnly": true}})] {
        b.works(json!({"action": "start"})).await;
        let refused = b.browser.timely(&crate::action::Action::Status, &settings(&off)).await;
        assert!(refused.is_err(), "{off}");
        assert_eq!(b.browser.process().await, None, "{off}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_does_not_go_on_under_another_word_about_its_own_sandbox() {
    if !chromium() {
        return;
    }
    let mut config = local();
    config["browser"]["noSandbox"] = json!(true);
    let b = bench(&config);
    b.works(json!({"action": "start"})).await;
    let first = b.browser.process().await;
    b.works(json!({"action": "start"})).await;
    assert_eq!(b.browser.process().await, first, "the same settings keep it");
    b.gate.reload(snapshot(&local(), &b.state));
    let gone = b.fails(json!({"action": "tabs"})).await;
    assert!(gone.contains("is not running"), "{gone}");
    b.works(json!({"action": "start"})).await;
    let second = b.browser.process().await;
    assert!(second.is_some() && second != first, "{second:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_that_switches_the_browser_off_ends_it_and_what_it_is_doing() {
    if !chromium() {
        return;
    }
    let b = bench(&local());
    let never = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", never.local_addr().unwrap());
    let switching = async {
        let held = never.accept().await.unwrap();
        b.gate.reload(snapshot(&json!({"browser": {"enabled": false}}), &b.state));
        held
    };
    let (answered, _held) =
        tokio::join!(b.call(json!({"action": "open", "targetUrl": url}), MAIN), switching);
    let told = text(&answered.unwrap());
    assert!(told.contains("switched off"), "{told}");
    let gone = async {
        while b.browser.process().await.is_some() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), gone).await.unwrap();
    // Switched on again, it starts anew.
    b.gate.reload(snapshot(&local(), &b.state));
    b.works(json!({"action": "start"})).await;
}
