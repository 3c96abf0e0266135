use std::os::unix::fs::PermissionsExt as _;

use oc_types::Origin;
use serde_json::json;

use super::*;

const KEYS: [&str; 2] = ["botToken", "tokenFile"];

fn tree(channel: serde_json::Value) -> Node {
    Node::from_json(&json!({ "channels": { "telegram": channel } }), &Origin::Default)
}

fn list(config: &Node) -> Vec<AccountSettings<'_>> {
    let setup = Setup { config, state_dir: Path::new("/nowhere"), workspaces: &[] };
    AccountSettings::list(setup, &ChannelId::parse("telegram").unwrap(), &KEYS)
}

fn tokens(config: &Node) -> Vec<(String, Option<String>)> {
    list(config)
        .iter()
        .map(|a| {
            let token = a.credential_or_file("botToken", "tokenFile").unwrap();
            (a.id().to_owned(), token.map(|t| t.expose().to_owned()))
        })
        .collect()
}

fn row(id: &str, token: Option<&str>) -> (String, Option<String>) {
    (id.to_owned(), token.map(str::to_owned))
}

#[test]
fn sp_405_a_credential_of_the_channel_belongs_to_one_account() {
    assert_eq!(tokens(&tree(json!({ "botToken": "a" }))), [row("default", Some("a"))]);
    let own = json!({ "botToken": "a", "accounts": { "work": { "botToken": "b" } } });
    assert_eq!(tokens(&tree(own)), [row("default", Some("a")), row("work", Some("b"))]);
    let only = json!({ "botToken": "a", "accounts": { "work": { "name": "x" } } });
    assert_eq!(tokens(&tree(only)), [row("work", Some("a"))]);
    let two = json!({ "botToken": "a", "accounts": { "work": {}, "home": { "botToken": "b" } } });
    assert_eq!(tokens(&tree(two)), [row("work", None), row("home", Some("b"))], "nobody signs in as another");
    let named = json!({ "botToken": "a", "accounts": { "work": {}, "Default": {} } });
    assert_eq!(tokens(&tree(named)), [row("work", None), row("Default", Some("a"))]);
}

#[test]
fn an_account_overrides_key_by_key() {
    let config = tree(json!({ "apiRoot": "x", "groups": { "1": {}, "2": {} },
        "accounts": { "work": { "groups": { "3": {} } } } }));
    let accounts = list(&config);
    let work = &accounts[0];
    assert_eq!(work.text("apiRoot").unwrap(), Some("x"));
    assert_eq!(work.get("groups").0.unwrap().as_object().unwrap().keys().collect::<Vec<_>>(), ["3"]);
    assert_eq!(work.get("groups").1.to_string(), "channels.telegram.accounts.work.groups");
}

#[test]
fn sp_423_anything_but_true_is_off() {
    for (channel, off) in [
        (json!({}), None),
        (json!({ "enabled": true }), None),
        (json!({ "enabled": false }), Some("channels.telegram.enabled")),
        (json!({ "enabled": "yes" }), Some("channels.telegram.enabled")),
        (json!({ "accounts": { "a": { "enabled": false } } }), Some("channels.telegram.accounts.a.enabled")),
        (
            json!({ "enabled": false, "accounts": { "a": { "enabled": true } } }),
            Some("channels.telegram.enabled"),
        ),
    ] {
        let config = tree(channel);
        assert_eq!(list(&config)[0].switched_off().map(|p| p.to_string()).as_deref(), off);
    }
    let none = Node::from_json(&json!({ "channels": {} }), &Origin::Default);
    assert!(list(&none).is_empty());
}

#[test]
fn sp_066_a_token_file_that_others_can_read_disables_the_account_and_nothing_takes_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "from-file\n").unwrap();
    let config = tree(json!({ "botToken": "fallback", "tokenFile": file.to_str().unwrap() }));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let e = list(&config)[0].credential_or_file("botToken", "tokenFile").unwrap_err().to_string();
    assert!(
        e.contains("channels.telegram.tokenFile") && e.contains("0644") && !e.contains("from-file"),
        "{e}"
    );
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(tokens(&config), [row("default", Some("from-file"))]);
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let config = tree(json!({ "tokenFile": link.to_str().unwrap() }));
    assert!(list(&config)[0].credential_or_file("botToken", "tokenFile").is_err());
}

#[test]
fn a_wrong_shape_names_its_key() {
    let config = tree(json!({ "apiRoot": 5, "enabled": true, "port": 1.5, "on": "x" }));
    let account = &list(&config)[0];
    assert!(account.text("apiRoot").unwrap_err().to_string().starts_with("channels.telegram.apiRoot: "));
    assert!(account.whole("port").is_err() && account.flag("on").is_err());
    assert_eq!(account.flag("enabled").unwrap(), Some(true));
    assert!(account.needed("missing", "an address").unwrap_err().to_string().contains("write an address"));
}
