use serde_json::json;

use super::*;

fn profiles(value: Value) -> Profiles {
    Profiles::parse(value.to_string().as_bytes()).unwrap()
}

fn ids(all: &Profiles, provider: &str, order: Option<&[String]>) -> Vec<String> {
    all.of(provider, order, 1000).0.into_iter().map(|p| p.id).collect()
}

fn three() -> Value {
    json!({"version": 1, "profiles": {
        "p:key": {"type": "api_key", "provider": "p", "key": "k-1"},
        "p:token": {"type": "token", "provider": "P", "token": "t-1"},
        "p:login": {"type": "oauth", "provider": "p", "access": "a-1", "refresh": "r-1", "expires": 2000},
        "q:key": {"type": "api_key", "key": "k-2"},
    }})
}

#[test]
fn logins_go_first_then_tokens_then_keys_unless_there_is_an_order() {
    let mut all = profiles(three());
    assert_eq!(ids(&all, "p", None), ["p:login", "p:token", "p:key"]);
    assert_eq!(ids(&all, "q", None), ["q:key"], "the provider stands in the id too");
    all.set_last_good("p", "p:key");
    assert_eq!(ids(&all, "p", None), ["p:key", "p:login", "p:token"]);
    let configured = ["p:token".to_owned(), "p:gone".to_owned()];
    assert_eq!(ids(&all, "p", Some(&configured)), ["p:token"], "an order names all that are used");
    let mut value = three();
    value["order"] = json!({"p": ["p:key", "p:login"]});
    assert_eq!(
        ids(&profiles(value), "p", Some(&configured)),
        ["p:key", "p:login"],
        "the file's own order first"
    );
}

#[test]
fn a_profile_that_cannot_be_used_is_told_and_not_used() {
    let mut value = three();
    value["profiles"]["p:login"]["expires"] = json!(1000);
    value["profiles"]["p:key"]["key"] = json!(" ");
    value["profiles"]["p:token"]["type"] = json!("magic");
    let (usable, unusable) = profiles(value).of("p", None, 1000);
    assert!(usable.is_empty());
    let told: Vec<_> = unusable.iter().map(|u| (u.id.as_str(), u.why)).collect();
    assert_eq!(
        told,
        [
            ("p:key", "it has no key"),
            ("p:token", "its type is not known"),
            ("p:login", "the login has run out; log in again"),
        ]
    );
}

#[test]
fn sp_011_profiles_show_no_credential() {
    let all = profiles(three());
    let shown = format!("{all:?} {:?}", all.of("p", None, 1));
    for secret in all.secrets() {
        assert!(!shown.contains(secret.expose()), "{shown}");
    }
    assert_eq!(all.secrets().len(), 5);
}

#[test]
fn sp_008_what_is_no_list_of_profiles_is_an_error_that_quotes_nothing() {
    for (text, why) in [
        ("{\"version\": 1, sk-secret}", "not JSON (line 1)"),
        ("[]", "it is no object"),
        ("{}", "it has no version"),
        ("{\"version\": 2}", "its version is not 1"),
        ("{\"version\": 1, \"profiles\": [\"sk-secret\"]}", "`profiles` is no object"),
        ("", "not JSON (line 1)"),
    ] {
        assert_eq!(Profiles::parse(text.as_bytes()).unwrap_err(), why, "{text}");
    }
}

#[test]
fn what_is_not_known_stays() {
    let mut all = profiles(
        json!({"version": 1, "profiles": {}, "extra": [1], "usageStats": {"p:a": {"note": "x", "errorCount": 2}}}),
    );
    let mut rest = all.rest("p:a");
    assert_eq!(rest.errors, 2);
    rest.worked(5);
    all.set_rest("p:a", &rest);
    all.put_key("p:a", "p", &Secret::new("k".to_owned()));
    let text: Value = serde_json::from_str(&all.text()).unwrap();
    assert_eq!(text["extra"], json!([1]));
    assert_eq!(text["usageStats"]["p:a"], json!({"note": "x", "errorCount": 0, "lastUsed": 5}));
    assert_eq!(text["profiles"]["p:a"], json!({"type": "api_key", "provider": "p", "key": "k"}));
}
