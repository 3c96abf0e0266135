use super::*;
use crate::RuleSet;
use crate::facts::{Entry, Facts, Listing, PathFact};
use oc_config::{Environment, Locations};
use serde_json::json;

fn facts() -> Facts {
    let places = Locations {
        home: "/h".into(),
        state_dir: "/h/.openclaw".into(),
        config: "/h/.openclaw/openclaw.json".into(),
        credentials: "/h/.openclaw/credentials".into(),
    };
    let env = [("TELEGRAM_BOT_TOKEN".to_owned(), "canary-env".to_owned())];
    let mut facts = Facts::new(places.clone(), Environment::from_process(env));
    let entry = |name: &str, kind| Entry { name: name.into(), kind };
    let list = |entries| Listing { entries, ..Listing::default() };
    facts.add_listing(&places.credentials, list(vec![entry("telegram-allowFrom.json", Kind::File)]));
    facts.add_listing(&places.credentials.join("whatsapp"), list(vec![entry("work", Kind::Directory)]));
    let path = places.credentials.join("whatsapp/work/creds.json");
    facts.add_path(PathFact { path, kind: Kind::File, mode: 0o644, uid: 7, links: 1, size: 1 });
    facts
}

#[test]
fn every_row_of_the_seeds_map_is_there() {
    let config = Node::from_json(
        &json!({"channels": {"telegram": {"tokenFile": "~/t", "accounts": {"b": {"botToken": "canary-cfg"}}}}}),
        &Origin::Default,
    );
    let facts = facts();
    let rows = rows(&AuditContext::new(&config, &facts, RuleSet::Latest));
    let text = text(&rows, Some(7));
    for place in [
        "/h/.openclaw/openclaw.json",
        "/h/.openclaw/credentials/whatsapp/work/creds.json",
        "/h/t",
        "$TELEGRAM_BOT_TOKEN",
        "channels.telegram.accounts.b.botToken",
        "channels.discord.token",
        "channels.slack.appToken",
        "/h/.openclaw/credentials/telegram-allowFrom.json",
        "/h/.openclaw/agents/main/agent/auth-profiles.json",
        "/h/.openclaw/credentials/oauth.json",
        "/h/.openclaw/agents/main/sessions",
        "/h/.openclaw/extensions",
        "/h/.openclaw/sandboxes",
        "gateway.auth.token",
    ] {
        assert!(text.contains(place), "{place}\n{text}");
    }
    let login = rows.iter().find(|r| r.what == "WhatsApp login of work").unwrap();
    assert_eq!((login.exists, login.mode.as_deref(), login.owner), (true, Some("0644"), Some(7)));
    let json = serde_json::to_value(login).unwrap();
    assert_eq!(json["path"], "/h/.openclaw/credentials/whatsapp/work/creds.json");
    assert_eq!((json["backup"].as_str(), json["kind"].as_str()), (Some("yes"), Some("file")));
}

#[test]
fn sp_280_no_value_is_in_the_map() {
    let config = Node::from_json(
        &json!({"gateway": {"auth": {"token": "canary-tok"}}, "channels": {"discord": {"token": "canary-d"}}}),
        &Origin::Default,
    );
    let facts = facts();
    let rows = rows(&AuditContext::new(&config, &facts, RuleSet::Latest));
    let all = format!("{}{}", text(&rows, None), serde_json::to_string(&rows).unwrap());
    assert!(!all.contains("canary"), "{all}");
    assert!(rows.iter().any(|r| r.place == Place::Key(KeyPath::dotted("gateway.auth.token")) && r.exists));
}
