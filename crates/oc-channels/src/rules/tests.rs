use super::*;
use oc_types::Origin;
use serde_json::json;

fn rules(config: &serde_json::Value) -> Rules {
    Rules::new(Arc::new(Node::from_json(config, &Origin::Default))).unwrap()
}

fn channel(name: &str) -> ChannelId {
    ChannelId::parse(name).unwrap()
}

#[test]
fn queues_take_the_session_then_the_channel_then_all_then_the_defaults() {
    let none = rules(&json!({}));
    let defaults = none.lane(&channel("telegram"), None);
    let want = LaneSettings {
        mode: QueueMode::Collect,
        debounce_ms: 1000,
        inbound_ms: 0,
        cap: 20,
        overflow: DropRule::Summarize,
    };
    assert_eq!(defaults, want);
    assert_eq!(none.max_concurrent(), 4);
    let set = rules(&json!({ "messages": {
        "queue": { "mode": "followup", "byChannel": { "slack": "steer+backlog" }, "debounceMs": 5, "debounceMsByChannel": { "slack": 7 }, "cap": 3, "drop": "old" },
        "inbound": { "debounceMs": 9, "byChannel": { "telegram": 11 } } } }));
    let slack = set.lane(&channel("slack"), None);
    assert_eq!(
        (slack.mode, slack.debounce_ms, slack.inbound_ms, slack.cap),
        (QueueMode::SteerBacklog, 7, 9, 3)
    );
    assert_eq!(slack.overflow, DropRule::Old);
    let telegram = set.lane(&channel("telegram"), Some(QueueMode::Interrupt));
    assert_eq!((telegram.mode, telegram.debounce_ms, telegram.inbound_ms), (QueueMode::Interrupt, 5, 11));
}

#[test]
fn sp_423_a_channel_without_a_section_or_with_a_switch_is_out_of_use() {
    let r = rules(&json!({ "channels": {
        "telegram": { "accounts": { "a": { "enabled": false }, "b": {} } }, "slack": { "enabled": "yes" } } }));
    let out = |name: &str, account: &str| r.out_of_use(&channel(name), account).map(|k| k.to_string());
    assert_eq!(out("telegram", "default"), None);
    assert_eq!(out("telegram", "b"), None);
    assert_eq!(out("telegram", "a").as_deref(), Some("channels.telegram.accounts.a.enabled"));
    assert_eq!(out("slack", "default").as_deref(), Some("channels.slack.enabled"));
    assert_eq!(out("signal", "default").as_deref(), Some("channels.signal"));
}

#[test]
fn limits_follow_the_service_and_the_account() {
    let r = rules(&json!({ "channels": {
        "discord": { "historyLimit": 3, "accounts": { "a": { "textChunkLimit": 500, "mediaMaxMb": 2, "historyLimit": 0 } } },
        "telegram": { "chunkMode": "newline" } } }));
    let discord = r.chunk(&channel("discord"), "default");
    assert_eq!(discord, ChunkLimit { chars: 2000, lines: Some(17), paragraphs: false });
    assert_eq!(r.chunk(&channel("discord"), "a").chars, 500);
    assert!(r.chunk(&channel("telegram"), "default").paragraphs);
    assert_eq!((r.history(&channel("discord"), "default"), r.history(&channel("discord"), "a")), (3, 0));
    assert_eq!(r.history(&channel("telegram"), "default"), 50);
    let mb = 1024 * 1024;
    let media = |c: &str, a: &str, k| r.media_bytes(&channel(c), a, k);
    assert_eq!(media("discord", "a", MediaKind::Document), 2 * mb);
    assert_eq!(media("whatsapp", "default", MediaKind::Document), 50 * mb);
    assert_eq!(media("whatsapp", "default", MediaKind::Image), 6 * mb);
}

#[test]
fn a_refusal_of_the_send_policy_wins_and_the_session_says_otherwise() {
    let r = rules(&json!({ "session": { "sendPolicy": { "default": "deny", "rules": [
        { "action": "allow", "match": { "channel": "telegram" } },
        { "action": "deny", "match": { "chatType": "group", "keyPrefix": "telegram:group:-1" } },
        { "action": "maybe", "match": { "channel": "irc" } } ] } } }));
    let ask = |key: &str, c: &str, kind, own| {
        r.may_deliver(&SessionKey::parse(key).unwrap(), &channel(c), kind, own).map_err(|k| k.to_string())
    };
    use ConversationKind::{Direct, Group};
    assert_eq!(ask("agent:main:main", "telegram", Direct, None), Ok(()));
    assert_eq!(
        ask("agent:main:telegram:group:-1", "telegram", Group, None),
        Err("session.sendPolicy.rules[1]".to_owned())
    );
    assert_eq!(ask("agent:main:main", "signal", Direct, None), Err("session.sendPolicy.default".to_owned()));
    assert_eq!(ask("agent:main:main", "irc", Direct, None), Err("session.sendPolicy.rules[2]".to_owned()));
    assert_eq!(ask("agent:main:main", "signal", Direct, Some(SendOverride::Allow)), Ok(()));
    assert_eq!(
        ask("agent:main:main", "telegram", Direct, Some(SendOverride::Deny)),
        Err("sendPolicy".to_owned())
    );
}
