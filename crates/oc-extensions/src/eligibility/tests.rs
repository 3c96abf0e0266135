use super::*;
use crate::skill::parse;
use oc_types::Origin;
use serde_json::{Value, json};

fn skill(metadata: &Value) -> Skill {
    parse(&format!("---\nname: s\ndescription: d\nmetadata: {}\n---\n", json!({"openclaw": metadata})))
        .unwrap()
}

fn node(platform: &str, bins: &[&str]) -> NodeOffer {
    NodeOffer {
        id: "n".to_owned(),
        name: "studio".to_owned(),
        platform: platform.to_owned(),
        bins: bins.iter().map(|b| (*b).to_owned()).collect(),
    }
}

struct Case {
    config: Value,
    listed: Option<Vec<String>>,
    nodes: Vec<NodeOffer>,
    scan: Scan,
}

impl Default for Case {
    fn default() -> Self {
        Self { config: json!({}), listed: None, nodes: Vec::new(), scan: Scan::Clean }
    }
}

/// A Linux host with `git` and `curl` and the variable `HERE`.
fn judged(metadata: Value, case: Case) -> Standing {
    let config = Node::from_json(&case.config, &Origin::Default);
    let world = World {
        os: "linux",
        program: &|p| ["git", "curl"].contains(&p),
        variable: &|v| v == "HERE",
        config: &config,
        listed: case.listed.as_deref(),
        nodes: &case.nodes,
    };
    judge(&skill(&metadata), &case.scan, &world)
}

#[test]
fn everything_must_be_there() {
    let fits = |m: Value| judged(m, Case::default()).is_eligible();
    assert!(fits(json!({})));
    assert!(fits(
        json!({"requires": {"bins": ["git", "curl"], "anyBins": ["rg", "git"], "env": ["HERE"]}, "os": ["linux"]})
    ));
    assert!(!fits(json!({"requires": {"bins": ["git", "gh"]}})));
    assert!(!fits(json!({"requires": {"anyBins": ["rg"]}})));
    assert!(!fits(json!({"requires": {"env": ["THERE"]}})));
    assert!(!fits(json!({"requires": {"config": ["channels.slack.enabled"]}})));
    assert!(!fits(json!({"os": ["darwin"]})));
    assert!(!fits(json!({"requires": {"bins": ["/usr/bin/git"]}})), "a path is no name");
    assert!(!fits(json!({"requires": {"bins": [""]}})));
    assert!(fits(json!({"always": true, "requires": {"bins": ["gh"]}})));
}

#[test]
fn settings_fill_what_the_environment_lacks() {
    let needs = json!({"primaryEnv": "KEY", "requires": {"env": ["KEY", "URL"], "config": ["channels.slack.enabled"]}});
    let config = json!({
        "channels": {"slack": {"enabled": true}},
        "skills": {"entries": {"s": {"apiKey": "k", "env": {"URL": "u"}}}},
    });
    assert!(judged(needs.clone(), Case { config, ..Case::default() }).is_eligible());
    let config =
        json!({"channels": {"slack": {"enabled": false}}, "skills": {"entries": {"s": {"apiKey": ""}}}});
    let missing = judged(needs, Case { config, ..Case::default() }).missing;
    assert_eq!(missing.env, ["KEY", "URL"]);
    assert_eq!(missing.config, ["channels.slack.enabled"]);
}

#[test]
fn the_operator_has_the_last_word() {
    let off = json!({"skills": {"entries": {"s": {"enabled": false}}}});
    let on = json!({"skills": {"entries": {"s": {"enabled": true}}}});
    assert!(judged(json!({}), Case { config: off, ..Case::default() }).disabled);
    let listed = |names: &[&str]| Some(names.iter().map(|n| (*n).to_owned()).collect());
    assert!(judged(json!({}), Case { listed: listed(&["s"]), ..Case::default() }).is_eligible());
    assert!(!judged(json!({}), Case { listed: listed(&[]), ..Case::default() }).is_eligible());
    let bad = Scan::Blocks("dangerous-exec at x.js:1".to_owned());
    let standing = judged(json!({}), Case { scan: bad.clone(), ..Case::default() });
    assert_eq!((standing.is_eligible(), standing.blocked.is_some()), (false, true));
    assert!(judged(json!({}), Case { scan: bad, config: on, ..Case::default() }).is_eligible());
}

#[test]
fn one_node_must_have_all_of_it() {
    let needs = json!({"os": ["darwin"], "requires": {"bins": ["osascript"]}});
    let at = |nodes: Vec<NodeOffer>| judged(needs.clone(), Case { nodes, ..Case::default() });
    assert!(!at(vec![]).is_eligible());
    assert!(!at(vec![node("darwin", &[])]).is_eligible());
    assert!(!at(vec![node("linux", &["osascript"])]).is_eligible());
    let fits = at(vec![node("linux", &["osascript"]), node("macOS 15.1", &["osascript"])]);
    assert_eq!((fits.is_eligible(), fits.node.as_deref()), (true, Some("studio")));
    assert_eq!(fits.missing.bins, ["osascript"]);
    // A node does not stand in for the gateway's own variables.
    let needs = json!({"requires": {"bins": ["x"], "env": ["THERE"]}});
    assert!(!judged(needs, Case { nodes: vec![node("linux", &["x"])], ..Case::default() }).is_eligible());
    // What is here needs no node.
    let here = judged(
        json!({"requires": {"bins": ["git"]}}),
        Case { nodes: vec![node("linux", &["git"])], ..Case::default() },
    );
    assert_eq!((here.is_eligible(), here.node), (true, None));
}

#[test]
fn systems_have_several_names() {
    assert!(
        same_system("darwin", "macos")
            && same_system("win32", "Windows")
            && same_system("Linux 6.1", "linux")
    );
    assert!(!same_system("", "") && !same_system("darwin", "linux"));
}
