//! Stock servers behind `openclaw mcp proxy`.

use serde_json::{Value, json};

use super::{is_error, text};
use crate::house::House;
use crate::peer::{Client, Peers, Sdk, peers};

fn everything(peers: &Peers, sdk: Sdk, house: &House, more: &[&str]) -> Client {
    let (node, server) = (peers.node(), peers.server("server-everything"));
    let args = [&["mcp", "proxy", "--name", "every"], more, &["--", &node, &server, "stdio"]].concat();
    let secrets = [
        ("OPENAI_API_KEY", "canary-openai"),
        ("OPENCLAW_GATEWAY_TOKEN", "canary-gateway"),
        ("SOME_SECRET", "canary-secret"),
        ("FOR_THE_SERVER", "handed-on"),
    ];
    peers.client(sdk, house.server_with(&args, &secrets))
}

#[test]
fn a_stock_server_is_used_through_the_guard_by_both_sdks() {
    let Some(peers) = peers("a stock server behind the proxy") else { return };
    for sdk in [Sdk::Python, Sdk::TypeScript] {
        let house = House::new(&json!({"tools": {"deny": ["mcp__every__get-sum", "mcp__every__t*"]}}));
        let mut client = everything(&peers, sdk, &house, &["--env", "FOR_THE_SERVER"]);
        assert_eq!(client.hello["serverInfo"]["name"], "openclaw");
        let names = client.names();
        assert!(names.contains(&"echo".to_owned()) && names.contains(&"get-env".to_owned()), "{names:?}");
        assert!(!names.iter().any(|n| n == "get-sum" || n.starts_with('t')), "denied is absent: {names:?}");

        let echoed = client
            .call("echo", json!({"message": "token: sk-ant-api03-0123456789abcdefghijklmnopqrstuvwxyz"}));
        assert!(text(&echoed).starts_with("Echo: token: "), "{echoed}");
        assert!(!echoed.to_string().contains("abcdefghijklmnop"), "masked: {echoed}");
        assert_eq!(echoed["_meta"]["openclaw/untrusted"], json!(true), "{echoed}");

        let environment = client.call("get-env", json!({}));
        let environment = text(&environment);
        assert!(environment.contains("handed-on") && environment.contains("PATH"), "{environment}");
        assert!(!environment.contains("canary"), "no credential reaches the server: {environment}");

        let structured = client.call("get-structured-content", json!({"location": "New York"}));
        assert!(structured["structuredContent"].is_object(), "{structured}");
        let picture = client.call("get-tiny-image", json!({}));
        assert!(picture["content"].as_array().unwrap().iter().any(|p| p["type"] == "image"), "{picture}");

        let denied = client.ask(&json!({"do": "call", "name": "get-sum", "arguments": {"a": 1, "b": 2}}));
        let unknown = client.ask(&json!({"do": "call", "name": "nosuch", "arguments": {}}));
        assert_eq!(denied.to_string().replace("get-sum", "X"), unknown.to_string().replace("nosuch", "X"));

        let resources = client.ok(&json!({"do": "resources"}));
        let uri = resources[0]["uri"].as_str().unwrap().to_owned();
        let read = client.ok(&json!({"do": "read", "uri": uri}));
        assert!(read.to_string().contains("EXTERNAL_UNTRUSTED_CONTENT"), "{read}");
        let prompts = client.ok(&json!({"do": "prompts"}));
        assert!(prompts.as_array().unwrap().iter().any(|p| p["name"] == "simple-prompt"), "{prompts}");
        let prompt = client.ok(&json!({"do": "prompt", "name": "simple-prompt"}));
        assert!(prompt.to_string().contains("EXTERNAL_UNTRUSTED_CONTENT"), "{prompt}");
        drop(client);

        let records = house.ledger();
        let of = |tool: &str| -> Vec<&Value> {
            records.iter().filter(|r| r["subject"] == json!(format!("tool:mcp__every__{tool}"))).collect()
        };
        let verdicts: Vec<&Value> = of("echo").iter().map(|r| &r["verdict"]).collect();
        assert_eq!(verdicts, [&json!("allowed"), &json!("done")]);
        assert_eq!(
            (&of("get-sum")[0]["verdict"], &of("get-sum")[0]["keyPath"]),
            (&json!("denied"), &json!("tools.deny"))
        );
        assert_eq!(of("@resources")[0]["verdict"], json!("allowed"));
        assert!(
            !serde_json::to_string(&records).unwrap().contains("Echo:"),
            "no text of a result in the ledger"
        );
    }
}

#[test]
fn a_whole_server_is_denied_by_its_name_and_by_group_plugins() {
    let Some(peers) = peers("a server denied by name") else { return };
    for entry in ["every", "group:plugins", "mcp__every__*"] {
        let house = House::new(&json!({"tools": {"deny": [entry]}}));
        let mut client = everything(&peers, Sdk::TypeScript, &house, &[]);
        assert_eq!(client.names(), Vec::<String>::new(), "{entry}");
        let refused = client.ask(&json!({"do": "call", "name": "echo", "arguments": {"message": "x"}}));
        assert_eq!(refused["error"]["code"], -32602, "{entry}: {refused}");
        assert!(client.hello["capabilities"].get("resources").is_none(), "{entry}: {}", client.hello);
    }
}

#[test]
fn a_person_is_asked_where_the_operator_wants_it() {
    let Some(peers) = peers("approvals behind the proxy") else { return };
    let house = House::new(&json!({}));
    let mut client = everything(&peers, Sdk::TypeScript, &house, &["--ask", "always"]);
    let begin = json!({"do": "begin", "name": "echo", "arguments": {"message": "asked"}});
    client.ok(&begin);
    let code = house.waiting();
    let shown = house.ok(&["approvals", "list"]);
    assert!(shown.contains("asked") && shown.contains("echo"), "{shown}");
    house.ok(&["approvals", "approve", &code]);
    assert_eq!(text(&client.ok(&json!({"do": "finish"}))), "Echo: asked");

    client.ok(&begin);
    house.ok(&["approvals", "deny", &house.waiting()]);
    let denied = client.ok(&json!({"do": "finish"}));
    assert!(is_error(&denied) && text(&denied).contains("a person refused this call"), "{denied}");

    client.ok(&begin);
    house.waiting();
    client.ok(&json!({"do": "cancel"}));
    house.nobody_waits();
    let verdicts: Vec<Value> = house.ledger().into_iter().map(|r| r["verdict"].clone()).collect();
    assert_eq!(verdicts, ["asked", "allowed", "done", "asked", "denied", "asked", "aborted"]);
}

#[test]
fn a_server_from_the_configuration_reaches_only_its_own_folder() {
    let Some(peers) = peers("the file server behind the proxy") else { return };
    let house = House::new(&json!({}));
    let inside = house.path().canonicalize().unwrap().join("inside");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(inside.join("note.txt"), "plain words").unwrap();
    let server = peers.server("server-filesystem");
    house.configure(&json!({
        "mcp": {"servers": {"files": {"command": peers.node(), "args": [server, inside]}}},
        "tools": {"deny": ["mcp__files__write_file"]},
    }));
    let mut client = peers.client(Sdk::Python, house.server(&["mcp", "proxy", "--name", "files"]));
    let names = client.names();
    assert!(
        names.contains(&"read_text_file".to_owned()) && !names.contains(&"write_file".to_owned()),
        "{names:?}"
    );
    let read = client.call("read_text_file", json!({"path": inside.join("note.txt")}));
    assert_eq!(text(&read), "plain words");
    // What is judged can be asked about, and recorded decisions can be made again.
    let explained = house.command(&["explain", "tool", "mcp__files__write_file"]).output().unwrap();
    let explained = String::from_utf8_lossy(&explained.stdout).into_owned();
    assert!(explained.contains("denied") && explained.contains("tools.deny"), "{explained}");
    let replayed: Value = serde_json::from_str(&house.ok(&["policy", "replay", "--json"])).unwrap();
    assert_eq!(replayed["changed"], json!([]), "{replayed}");
    let outside = client.call("read_text_file", json!({"path": "/etc/hostname"}));
    assert!(is_error(&outside), "{outside}");
}
