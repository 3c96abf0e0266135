use super::*;
use oc_types::Value;

fn json5(text: &str) -> Result<Node, Box<Issue>> {
    parse(&Frame::root("/s/openclaw.json"), text.as_bytes(), Format::Json5).map(|d| d.node)
}

fn at(node: &Node, path: &str) -> String {
    node.at(&KeyPath::parse(path).unwrap()).unwrap().origin.to_string()
}

#[test]
fn values_know_the_position_of_their_key() {
    let node =
        json5("// first\n{\n  gateway: { port: 18789, 'auth': { token: \"x\" } },\n  ル: [1, 'b'],\n}")
            .unwrap();
    assert_eq!(node.origin.to_string(), "openclaw.json:1:1");
    assert_eq!(at(&node, "gateway.port"), "openclaw.json:3:14");
    assert_eq!(at(&node, "gateway.auth"), "openclaw.json:3:27");
    assert_eq!(at(&node, "ル[1]"), "openclaw.json:4:10");
}

#[test]
fn a_later_duplicate_wins_with_its_own_position() {
    let node = json5("{ a: 1,\n a: 2 }").unwrap();
    assert_eq!(node.get("a").unwrap().as_number(), Some(2.0));
    assert_eq!(at(&node, "a"), "openclaw.json:2:2");
}

#[test]
fn a_byte_order_mark_is_no_text() {
    let node = json5("\u{feff}{ a: 1 }").unwrap();
    assert_eq!(at(&node, "a"), "openclaw.json:1:3");
}

#[test]
fn positions_are_left_out_when_the_readers_disagree() {
    // An escaped identifier is JSON5, but not what the second reader knows.
    let node = json5("{ \\u0061b: 1, c: 2 }").unwrap();
    assert_eq!(node.get("ab").unwrap().as_number(), Some(1.0));
    assert_eq!(at(&node, "c"), "openclaw.json");
}

#[test]
fn sp_060_absent_null_and_empty_are_three_things() {
    let node = json5("{ a: null, b: [], c: {}, d: '' }").unwrap();
    assert!(node.get("a").unwrap().is_null());
    assert_eq!(node.get("b").unwrap().value, Value::Array(vec![]));
    assert!(node.get("e").is_none());
}

#[test]
fn toml_values_know_their_positions() {
    let text = "title = 'x'\n[gateway]\nport = 1_8789\nauth.mode = \"token\"\n[[agents.list]]\nid = \"main\"\ntools = { allow = [\"read\", 'exec'] }\n";
    let node = parse(&Frame::root("/s/openclaw.toml"), text.as_bytes(), Format::Toml).unwrap().node;
    assert_eq!(node.path(&["gateway", "port"]).unwrap().as_number(), Some(18789.0));
    assert_eq!(at(&node, "gateway.port"), "openclaw.toml:3:1");
    assert_eq!(at(&node, "gateway.auth.mode"), "openclaw.toml:4:6");
    assert_eq!(at(&node, "agents.list[0].id"), "openclaw.toml:6:1");
    assert_eq!(at(&node, "agents.list[0].tools.allow[1]"), "openclaw.toml:7:28");
}

#[test]
fn yaml_is_refused_with_its_json5_form() {
    let text = "# reverse proxy\ngateway:\n  trustedProxies:\n    - \"127.0.0.1\" # the proxy runs here\n  auth:\n    mode: password\n    password: ${OPENCLAW_GATEWAY_PASSWORD}\n  port: 18789\n  bind: 'loopback'\nagents:\n  list:\n  - id: main\n    default: true\n  - id: dev\n";
    for (file, format) in [("/s/openclaw.yaml", Format::Yaml), ("/s/openclaw.json", Format::Json5)] {
        let issue = parse(&Frame::root(file), text.as_bytes(), format).unwrap_err();
        assert_eq!(issue.message, "the text is YAML, which is not read");
        let fix = issue.fix.clone().unwrap();
        let form = fix.split_once('\n').unwrap().1;
        let expected = "{\n  // reverse proxy\n  gateway: {\n    trustedProxies: [\n      \"127.0.0.1\", // the proxy runs here\n    ],\n    auth: {\n      mode: \"password\",\n      password: \"${OPENCLAW_GATEWAY_PASSWORD}\",\n    },\n    port: 18789,\n    bind: \"loopback\",\n  },\n  agents: {\n    list: [\n      {\n        id: \"main\",\n        default: true,\n      },\n      {\n        id: \"dev\",\n      },\n    ],\n  },\n}";
        assert_eq!(form, expected);
        let node = json5(form).unwrap();
        assert_eq!(node.path(&["gateway", "trustedProxies"]).unwrap().entries().unwrap(), ["127.0.0.1"]);
    }
}

#[test]
fn sp_064_the_json5_form_of_yaml_repeats_no_credential() {
    let text = "gateway:\n  auth:\n    token: canary-0123456789\n    mode: token\n";
    let issue = parse(&Frame::root("/s/openclaw.yml"), text.as_bytes(), Format::Yaml).unwrap_err();
    let shown = issue.to_string();
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains("mode: \"token\""), "{shown}");
    let form = issue.fix.clone().unwrap();
    json5(form.split_once('\n').unwrap().1).unwrap();
}

#[test]
fn yaml_of_another_kind_is_refused_without_a_form() {
    for text in [
        "a: &x 1\nb: *x\n",
        "a: |\n  long\n",
        "? a\n: b\n",
        "a:\n\t- b\n",
        "a: b: c\n",
        "a:\n    b: 1\n  c: 2\n",
    ] {
        let issue = parse(&Frame::root("/s/openclaw.yaml"), text.as_bytes(), Format::Yaml).unwrap_err();
        assert!(issue.message.contains("YAML"), "{issue}");
        assert!(!issue.to_string().contains('\n'), "{issue}");
    }
}

#[test]
fn a_slip_in_json5_is_not_called_yaml() {
    for text in [
        "gateway: { port: 1 }",
        "{ gateway: ",
        "\"a\": 1",
        "{ a: 1, ",
        "// x\n{ a }",
        "gateway: {\n port: 1,\n}",
    ] {
        let issue = json5(text).unwrap_err();
        assert!(!issue.message.contains("YAML"), "{text}: {issue}");
    }
}

#[test]
fn slips_are_told_in_one_line_with_place_and_fix() {
    let texts = [
        "{ nope",
        "{ nope:",
        "{ nope: 1",
        "{ nope: 1,",
        "{ nope: tru",
        "{ nope: 'a",
        "{ \"a",
        "[1",
        "[1,",
        "[",
        "{",
        "{ a: 1 /* ",
        "{ a: 1 b: 2 }",
        "{ a 1 }",
        "{ a: }",
        "{ a: , }",
        "{ a: b }",
        "{ a: 01 }",
        "{ a: 1 ]",
        "[1 }",
        "} ",
        "{ a: 1 } x",
        "{ a-b: 1 }",
        "{ 1: 1 }",
        "{ a: '\n' }",
        "{ a: '\\x1' }",
        "{ a: 1e400 }",
        "{ a: Infinity }",
        "{ a: 123456789012345678901234567890123456789012345678901234567890 }",
        "{,}",
        "{ a: 1,, b: 2 }",
        "{ \"a\": \"x\" \"b\": 1}",
        "{ a: tru }",
        "{ a: - 1 }",
        "{ a: 1.2.3 }",
        "{ a: 0xZZ }",
        "hello",
        "/ x",
        "{ a: 1 / 2 }",
        "{ a: '\\ud800' }",
        "null",
        "{a:nul}",
    ];
    let mut told = String::new();
    for text in texts {
        let answer = json5(text).map_or_else(|e| e.to_string(), |n| format!("read as {}", n.to_json()));
        assert!(!answer.contains('\n'), "{answer}");
        told.push_str(&format!("{text:?}\n    {answer}\n"));
    }
    insta::assert_snapshot!(told);
}
