//! Doctor over made-up facts.

use std::path::{Path, PathBuf};

use oc_config::{Environment, Locations};
use oc_types::{Node, Origin};
use serde_json::json;

use super::{ConfigState, Note, Repair, examine};
use crate::facts::{Entry, Kind, Listing, PathFact, TextFact};
use crate::{AuditContext, Facts, RuleSet};

fn facts() -> Facts {
    let places = Locations {
        home: "/home/u".into(),
        state_dir: "/home/u/.openclaw".into(),
        config: "/home/u/.openclaw/openclaw.json".into(),
        credentials: "/home/u/.openclaw/credentials".into(),
    };
    let mut facts = Facts::new(places, Environment::default());
    facts.now_ms = 1_000_000;
    facts
}

fn put(facts: &mut Facts, path: &str, kind: Kind, mode: u32) {
    facts.add_path(PathFact { kind, mode, ..PathFact::missing(Path::new(path)) });
}

fn notes(config: serde_json::Value, facts: &Facts) -> Vec<Note> {
    let tree = Node::from_json(&config, &Origin::Default);
    let ctx = AuditContext::new(&tree, facts, RuleSet::Latest);
    let report = crate::run(&ctx);
    examine(&ctx, &ConfigState::default(), &report, true)
}

fn ids(notes: &[Note]) -> Vec<&str> {
    notes.iter().map(|n| n.id.as_str()).collect()
}

fn with_token() -> serde_json::Value {
    json!({"gateway": {"mode": "local", "auth": {"mode": "token", "token": "t".repeat(40)}}})
}

#[test]
fn a_missing_state_directory_is_offered_0700() {
    let all = notes(with_token(), &facts());
    let note = all.iter().find(|n| n.id == "state.missing").unwrap();
    assert_eq!(note.repairs, [Repair::CreateDirectory { path: PathBuf::from("/home/u/.openclaw") }]);
}

#[test]
fn any_bit_for_others_is_repaired_but_never_through_a_link() {
    let mut f = facts();
    put(&mut f, "/home/u/.openclaw", Kind::Directory, 0o711);
    put(&mut f, "/home/u/.openclaw/openclaw.json", Kind::File, 0o640);
    let all = notes(with_token(), &f);
    let modes: Vec<_> =
        all.iter().flat_map(|n| &n.repairs).filter(|r| matches!(r, Repair::Chmod { .. })).collect();
    assert_eq!(modes.len(), 2, "{all:?}");

    let target = crate::facts::LinkTarget {
        resolved: Some("/elsewhere".into()),
        mode: Some(0o644),
        file: true,
        directory: false,
    };
    put(&mut f, "/home/u/.openclaw/openclaw.json", Kind::Symlink(target), 0o777);
    let all = notes(with_token(), &f);
    let note = all.iter().find(|n| n.id == "state.config-mode").unwrap();
    assert!(note.repairs.is_empty() && note.text.contains("0644"), "{note:?}");
}

#[test]
fn a_gateway_without_a_secret_gets_one_offered_and_one_with_a_secret_does_not() {
    let none = notes(json!({"gateway": {"mode": "local"}}), &facts());
    assert!(ids(&none).contains(&"gateway.token-missing"));
    let blank = notes(json!({"gateway": {"mode": "local", "auth": {"token": " "}}}), &facts());
    assert!(ids(&blank).contains(&"gateway.token-missing"));
    for config in [
        with_token(),
        json!({"gateway": {"mode": "local", "auth": {"token": {"file": "/run/secrets/token"}}}}),
        json!({"gateway": {"mode": "local", "auth": {"mode": "password", "password": "p".repeat(30)}}}),
        json!({"gateway": {"mode": "remote", "remote": {"url": "wss://example.test"}}}),
    ] {
        assert!(!ids(&notes(config.clone(), &facts())).contains(&"gateway.token-missing"), "{config}");
    }
}

#[test]
fn expired_logins_and_unreadable_profiles_are_named_without_their_content() {
    let mut f = facts();
    let agents = Path::new("/home/u/.openclaw/agents");
    f.add_listing(
        agents,
        Listing {
            entries: ["a", "b"].map(|n| Entry { name: n.into(), kind: Kind::Directory }).to_vec(),
            ..Listing::default()
        },
    );
    let profile = r#"{"profiles":{"x:old":{"type":"oauth","access":"SECRET","expires":5},"x:key":{"type":"api_key","key":"SECRET"}}}"#;
    f.add_text(&agents.join("a/agent/auth-profiles.json"), TextFact::Text(profile.to_owned()));
    f.add_text(&agents.join("b/agent/auth-profiles.json"), TextFact::Text("{".to_owned()));
    let all = notes(with_token(), &f);
    assert!(ids(&all).contains(&"credentials.expired") && ids(&all).contains(&"credentials.unreadable"));
    assert!(!format!("{all:?}").contains("SECRET"));
}

#[test]
fn the_latest_sessions_have_their_transcripts_and_no_id_leaves_the_folder() {
    let mut f = facts();
    put(&mut f, "/home/u/.openclaw", Kind::Directory, 0o700);
    let store = r#"{"agent:main:main":{"sessionId":"abc","updatedAt":2},"x":{"sessionId":"../../etc/passwd","updatedAt":3}}"#;
    f.add_text(
        Path::new("/home/u/.openclaw/agents/main/sessions/sessions.json"),
        TextFact::Text(store.to_owned()),
    );
    let all = notes(with_token(), &f);
    let missing: Vec<_> = all.iter().filter(|n| n.id == "state.transcript-missing").collect();
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert!(missing[0].text.contains("abc.jsonl"));
}

#[test]
fn two_service_units_are_one_too_many() {
    let mut f = facts();
    let folder = Path::new("/home/u/.config/systemd/user");
    let units = |names: &[&str]| Listing {
        entries: names.iter().map(|n| Entry { name: n.into(), kind: Kind::File }).collect(),
        ..Listing::default()
    };
    f.add_listing(folder, units(&["openclaw-gateway.service", "ssh.service"]));
    assert!(!ids(&notes(with_token(), &f)).contains(&"services.several"));
    f.add_listing(folder, units(&["openclaw-gateway.service", "clawdbot-gateway.service"]));
    assert!(ids(&notes(with_token(), &f)).contains(&"services.several"));
}
