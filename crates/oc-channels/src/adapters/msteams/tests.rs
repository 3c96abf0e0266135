use data_encoding::BASE64URL_NOPAD;
use oc_policy::inbound::{ConversationKind, EventKind};
use oc_types::{Node, Origin};
use serde_json::{Value, json};

use super::*;
use crate::account::Setup;
use crate::adapter::{Event, WebhookRefusal, WebhookRequest};
use crate::adapters::conformance::suite::{self, Wanted};

const NOW: i64 = 1_700_000_100_000;
const MADE_UP: &str = "app-word-1";
const PLACE: &str = "https://smba.trafficmanager.net/emea/";

/// Made once with a key that nobody has any more: a public key, claims, and signatures over them.
fn signed() -> Value {
    serde_json::from_str(include_str!("../../../../../fixtures/msteams/signed.json")).unwrap()
}

fn token(head: &str, claims: &str, signature: &str) -> String {
    let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    format!("Bearer {}.{}.{signature}", part(head), part(claims))
}

fn named(name: &str) -> String {
    let all = signed();
    let one = &all["tokens"][name];
    token(all["head"].as_str().unwrap(), one["claims"].as_str().unwrap(), one["signature"].as_str().unwrap())
}

fn make(extra: &Value) -> Result<Teams, AdapterFailure> {
    let mut section = json!({ "appId": "app-1", "appPassword": MADE_UP });
    section.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let config = Node::from_json(&json!({ "channels": { "msteams": section } }), &Origin::Default);
    let setup = Setup { config: &config, state_dir: std::path::Path::new("/nowhere"), workspaces: &[] };
    let accounts = AccountSettings::list(setup, &ChannelId::parse("msteams").unwrap(), IDENTITY);
    Teams::from_settings(&accounts[0])
}

fn bot() -> Teams {
    let teams = make(&json!({})).unwrap();
    teams.keys.set(&signed()["jwks"]);
    teams
}

fn activity(extra: Value) -> Value {
    let mut a = json!({ "type": "message", "id": "A1", "timestamp": "2023-11-14T22:13:20.000Z", "channelId": "msteams",
        "serviceUrl": PLACE, "text": "hello", "from": { "id": "29:alice", "aadObjectId": "11111111-aaaa", "name": "Alice" },
        "recipient": { "id": "28:app-1" }, "conversation": { "id": "a:chat", "conversationType": "personal", "tenantId": "t-1" } });
    a.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    a
}

fn in_channel(extra: Value) -> Value {
    let mut a = activity(json!({
        "conversation": { "id": "19:room@thread.tacv2;messageid=1700", "conversationType": "channel" },
        "channelData": { "team": { "id": "19:team@thread.tacv2" }, "channel": { "id": "19:room@thread.tacv2" } } }));
    a.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    a
}

fn read(a: &Value) -> Event {
    event::read(a, &bot()).unwrap()
}

fn ask(
    teams: &Teams,
    authorization: Option<&str>,
    body: &Value,
    now_ms: i64,
) -> Result<usize, WebhookRefusal> {
    let headers: Vec<(String, String)> =
        authorization.into_iter().map(|a| ("authorization".to_owned(), a.to_owned())).collect();
    let body = body.to_string();
    let request =
        WebhookRequest { method: "POST", query: "", headers: &headers, body: body.as_bytes(), now_ms };
    teams.verify(&request).map(|v| v.events.len())
}

#[test]
fn sp_414_a_call_needs_a_token_of_the_service_for_this_app_and_this_address() {
    let teams = bot();
    let a = activity(json!({}));
    assert_eq!(ask(&teams, Some(&named("good")), &a, NOW), Ok(1));
    for (what, authorization) in [
        ("none", None),
        ("no scheme", named("good").strip_prefix("Bearer ").map(str::to_owned)),
        ("another app", Some(named("other_app"))),
        ("another issuer", Some(named("other_issuer"))),
        ("another address", Some(named("other_place"))),
        ("empty", Some("Bearer ".to_owned())),
        ("no parts", Some("Bearer abc".to_owned())),
    ] {
        assert_eq!(ask(&teams, authorization.as_deref(), &a, NOW), Err(WebhookRefusal::Signature), "{what}");
    }
    let other_place = activity(json!({ "serviceUrl": "https://evil.example/" }));
    assert_eq!(ask(&teams, Some(&named("good")), &other_place, NOW), Err(WebhookRefusal::Signature));
    assert_eq!(
        ask(&teams, Some(&named("other_place")), &other_place, NOW),
        Err(WebhookRefusal::Signature),
        "no host of the service"
    );
    let other_service = activity(json!({ "channelId": "webchat" }));
    assert_eq!(ask(&teams, Some(&named("good")), &other_service, NOW), Err(WebhookRefusal::Signature));
    let get = WebhookRequest { method: "GET", query: "", headers: &[], body: b"", now_ms: NOW };
    assert_eq!(teams.verify(&get).unwrap_err(), WebhookRefusal::Method);
}

#[test]
fn sp_414_a_token_has_its_time() {
    let (teams, a) = (bot(), activity(json!({})));
    // From 1700000000 to 1700003600, five minutes more at either end.
    for (at, expected) in [
        (1_699_999_699, Err(WebhookRefusal::Stale)),
        (1_699_999_701, Ok(1)),
        (1_700_003_899, Ok(1)),
        (1_700_003_901, Err(WebhookRefusal::Stale)),
    ] {
        assert_eq!(ask(&teams, Some(&named("good")), &a, at * 1000), expected, "{at}");
    }
}

#[test]
fn sp_414_the_algorithm_is_ours_and_the_claims_are_signed() {
    let (teams, a) = (bot(), activity(json!({})));
    let all = signed();
    let good = &all["tokens"]["good"];
    let (claims, signature) = (good["claims"].as_str().unwrap(), good["signature"].as_str().unwrap());
    let mut other: Value = serde_json::from_str(claims).unwrap();
    other["exp"] = json!(9_999_999_999_i64);
    for (what, head, claims, signature) in [
        ("changed claims", all["head"].as_str().unwrap().to_owned(), other.to_string(), signature),
        ("no algorithm", json!({ "alg": "none", "kid": "key-1" }).to_string(), claims.to_owned(), ""),
        ("a shared key", json!({ "alg": "HS256", "kid": "key-1" }).to_string(), claims.to_owned(), signature),
        (
            "an unknown key",
            json!({ "alg": "RS256", "kid": "key-2" }).to_string(),
            claims.to_owned(),
            signature,
        ),
        ("no key", json!({ "alg": "RS256" }).to_string(), claims.to_owned(), signature),
        (
            "an extension",
            json!({ "alg": "RS256", "kid": "key-1", "crit": ["x"] }).to_string(),
            claims.to_owned(),
            signature,
        ),
    ] {
        let made = token(&head, &claims, signature);
        assert_eq!(ask(&teams, Some(&made), &a, NOW), Err(WebhookRefusal::Signature), "{what}");
    }
    // A key for another service signs nothing here; without keys nothing is believed.
    let mut jwks = all["jwks"].clone();
    jwks["keys"][0]["endorsements"] = json!(["webchat"]);
    teams.keys.set(&jwks);
    assert_eq!(ask(&teams, Some(&named("good")), &a, NOW), Err(WebhookRefusal::Signature));
    // Nor does one that is endorsed for nothing.
    for endorsements in [json!([]), Value::Null, json!("msteams"), json!({}), json!([1])] {
        jwks["keys"][0]["endorsements"] = endorsements.clone();
        teams.keys.set(&jwks);
        let asked = ask(&teams, Some(&named("good")), &a, NOW);
        assert_eq!(asked, Err(WebhookRefusal::Signature), "{endorsements}");
    }
    jwks["keys"][0].as_object_mut().unwrap().remove("endorsements");
    teams.keys.set(&jwks);
    assert_eq!(ask(&teams, Some(&named("good")), &a, NOW), Err(WebhookRefusal::Signature));
    // Without any it is not known yet who signs: the service comes again. What is no token is none then, too.
    teams.keys.set(&json!({ "keys": [] }));
    assert_eq!(ask(&teams, Some(&named("good")), &a, NOW), Err(WebhookRefusal::Unready));
    assert_eq!(ask(&teams, Some("Bearer a.b.c"), &a, NOW), Err(WebhookRefusal::Signature));
}

#[test]
fn a_tenant_that_is_named_is_the_only_one() {
    let teams = make(&json!({ "tenantId": "t-1" })).unwrap();
    teams.keys.set(&signed()["jwks"]);
    assert_eq!(ask(&teams, Some(&named("good")), &activity(json!({})), NOW), Ok(1));
    let guest = activity(json!({ "channelData": { "tenant": { "id": "t-2" } } }));
    assert_eq!(ask(&teams, Some(&named("good")), &guest, NOW), Err(WebhookRefusal::Signature));
    let silent = activity(json!({ "conversation": { "id": "a:chat", "conversationType": "personal" } }));
    assert_eq!(ask(&teams, Some(&named("good")), &silent, NOW), Err(WebhookRefusal::Signature));
}

#[test]
fn a_direct_message_is_of_its_sender_and_answered_in_its_conversation() {
    let e = read(&activity(json!({})));
    assert_eq!((e.message.kind, e.message.event), (ConversationKind::Direct, EventKind::Message));
    assert_eq!((e.message.conversation.as_str(), e.reply.conversation.as_str()), ("11111111-aaaa", "a:chat"));
    assert_eq!((e.id.as_str(), e.message.text.as_str()), ("A1", "hello"));
    assert_eq!(e.message.sent_ms, Some(1_700_000_000_000));
    let own = read(&activity(json!({ "from": { "id": "28:app-1" } })));
    assert!(own.message.from_me && own.message.sender.is_bot);
    // Also when it was said to somebody else.
    let own = read(&activity(json!({ "from": { "id": "28:app-1" }, "recipient": { "id": "29:alice" } })));
    assert!(own.message.from_me);
    let other = read(&activity(json!({ "from": { "id": "28:app-2" } })));
    assert!(!other.message.from_me && other.message.sender.is_bot);
}

#[test]
fn a_channel_has_its_team_and_its_thread() {
    let e = read(&in_channel(json!({ "text": "<at>Bot</at> &amp; <at>Bob</at> hi", "entities": [
        { "type": "mention", "text": "<at>Bot</at>", "mentioned": { "id": "28:app-1", "name": "Bot" } },
        { "type": "mention", "text": "<at>Bob</at>", "mentioned": { "id": "29:bob", "name": "Bob" } }] })));
    assert_eq!(e.message.kind, ConversationKind::Channel);
    assert_eq!(
        (e.message.conversation.as_str(), e.reply.conversation.as_str()),
        ("19:room@thread.tacv2", "19:room@thread.tacv2")
    );
    assert_eq!(
        (e.reply.thread.as_deref(), e.message.place.team.as_deref()),
        (Some("1700"), Some("19:team@thread.tacv2"))
    );
    assert_eq!((e.message.mentions.bot, e.message.mentions.others), (Some(true), true));
    assert_eq!(e.message.text, "& @Bob hi");
    let top = make(&json!({ "replyStyle": "top-level" })).unwrap();
    assert_eq!(event::read(&in_channel(json!({})), &top).unwrap().reply.thread, None);
}

#[test]
fn mentions_are_put_in_once_and_never_into_each_other() {
    let said = |text: &str, entities: &[(&str, &str)]| {
        let entities: Vec<Value> = entities
            .iter()
            .map(|(tag, name)| json!({ "type": "mention", "text": tag, "mentioned": { "id": "29:x", "name": name } }))
            .collect();
        read(&activity(json!({ "text": text, "entities": entities }))).message.text
    };
    assert_eq!(said("banana", &[("a", "aaaa")]), "banana", "no tag");
    assert_eq!(said("<at>a</at>!", &[("<at>a</at>", "<at>b</at>"), ("<at>b</at>", "never")]), "@<at>b</at>!");
    // What would double with each of them stays what it is.
    let twice = "<at>x</at><at>x</at>";
    assert!(said("<at>x</at>", &[("<at>x</at>", twice); 16]).len() < 100);
    let long = "n".repeat(100_000);
    let many = said(&"<at>x</at>".repeat(1000), &[("<at>x</at>", &long)]);
    assert!(many.len() > crate::ingress::LONGEST_TEXT && many.len() < 400_000, "{}", many.len());
}

#[test]
fn sp_415_a_conversation_that_does_not_say_what_it_is_has_no_known_kind() {
    for (word, expected) in [
        (json!("groupChat"), ConversationKind::Group),
        (json!("meeting"), ConversationKind::Unknown),
        (json!(null), ConversationKind::Unknown),
    ] {
        let a = activity(json!({ "conversation": { "id": "a:chat", "conversationType": word } }));
        assert_eq!(read(&a).message.kind, expected, "{word}");
    }
}

#[test]
fn sp_401_every_kind_of_activity_has_its_name() {
    for (extra, expected) in [
        (json!({ "type": "messageUpdate" }), EventKind::Edit),
        (json!({ "type": "messageDelete" }), EventKind::Delete),
        (
            json!({ "type": "messageReaction", "replyToId": "A0", "reactionsAdded": [{ "type": "like" }] }),
            EventKind::Reaction,
        ),
        (json!({ "type": "conversationUpdate" }), EventKind::Membership),
        (json!({ "value": { "openclaw": "oc1-x" } }), EventKind::Button),
        (json!({ "value": { "other": "x" } }), EventKind::Card),
        (
            json!({ "type": "invoke", "name": "adaptiveCard/action", "value": { "action": { "data": { "openclaw": "oc1-x" } } } }),
            EventKind::Button,
        ),
        (json!({ "type": "invoke", "name": "fileConsent/invoke" }), EventKind::Card),
        (json!({ "type": "endOfConversation" }), EventKind::Unknown),
    ] {
        let e = read(&activity(extra.clone()));
        assert_eq!(e.message.event, expected, "{extra}");
        assert_eq!(e.payload.as_deref(), (expected == EventKind::Button).then_some("oc1-x"));
    }
    assert!(event::read(&activity(json!({ "type": "typing" })), &bot()).is_none());
}

#[test]
fn settings_name_their_key() {
    let said = |extra: Value| make(&extra).unwrap_err().to_string();
    assert!(said(json!({ "appPassword": "" })).starts_with("channels.msteams.appPassword: "));
    assert!(said(json!({ "appId": "a/b" })).starts_with("channels.msteams.appId: "));
    assert!(said(json!({ "tenantId": "../x" })).starts_with("channels.msteams.tenantId: "));
    assert!(said(json!({ "webhook": { "path": "x" } })).starts_with("channels.msteams.webhook.path: "));
    assert!(
        said(json!({ "openIdRoot": "http://example.org/x" })).starts_with("channels.msteams.openIdRoot: ")
    );
    assert!(!format!("{:?}", bot()).contains(MADE_UP));
}

/// Reads what the service would send.
struct Subject(Teams);

impl suite::Subject for Subject {
    fn channel(&self) -> &'static str {
        "msteams"
    }

    fn id(&self, plain: &str) -> String {
        format!("29:{plain}")
    }

    fn event(&self, w: &Wanted<'_>) -> Option<Event> {
        let word = match w.kind {
            ConversationKind::Direct => json!("personal"),
            ConversationKind::Group => json!("groupChat"),
            ConversationKind::Channel => json!("channel"),
            ConversationKind::Unknown => Value::Null,
        };
        let (kind, value) = match w.event {
            EventKind::Message => ("message", Value::Null),
            EventKind::Edit => ("messageUpdate", Value::Null),
            EventKind::Delete => ("messageDelete", Value::Null),
            EventKind::Reaction => ("messageReaction", Value::Null),
            EventKind::Membership => ("conversationUpdate", Value::Null),
            EventKind::Button => ("message", json!({ "openclaw": "oc1-x" })),
            EventKind::Card => ("invoke", Value::Null),
            EventKind::Unknown => ("somethingNew", Value::Null),
            EventKind::Pin
            | EventKind::SlashCommand
            | EventKind::Poll
            | EventKind::Voice
            | EventKind::Verification => {
                return None;
            }
        };
        let a = activity(json!({ "type": kind, "value": value, "id": w.id, "text": w.text,
            "from": { "id": suite::Subject::id(self, w.sender) },
            "conversation": { "id": suite::Subject::id(self, w.place), "conversationType": word } }));
        event::read(&a, &self.0)
    }
}

#[tokio::test]
async fn it_passes_the_conformance_suite() {
    assert_eq!(suite::check(&Subject(bot())).await, Vec::<String>::new());
}
