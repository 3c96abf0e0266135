use oc_types::{KeyPath, Node, Origin};

use super::*;

fn path(text: &str) -> KeyPath {
    KeyPath::parse(text).unwrap()
}

#[test]
fn sp_065_every_leaf_named_like_a_credential_is_sensitive() {
    let missed: Vec<String> = places()
        .into_iter()
        .filter(|p| looks_like_credential(p.key.name) && !p.key.secret)
        .filter(|p| !matches!(p.key.kind, Kind::Bool | Kind::Integer(..) | Kind::Number(..)))
        .map(|p| p.pattern)
        .collect();
    assert_eq!(missed, Vec::<String>::new());
}

#[test]
fn sp_065_the_known_credentials_are_sensitive() {
    for text in [
        "gateway.auth.token",
        "gateway.auth.password",
        "gateway.remote.token",
        "hooks.token",
        "hooks.gmail.pushToken",
        "channels.telegram.botToken",
        "channels.telegram.accounts.work.botToken",
        "channels.slack.signingSecret",
        "channels.googlechat.serviceAccount.private_key",
        "channels.feishu.encryptKey",
        "channels.nextcloud-talk.apiPassword",
        "models.providers.openai.apiKey",
        "agents.list[0].memorySearch.remote.apiKey",
        "plugins.entries.voice-call.config.twilio.authToken",
        "plugins.entries.other.config.deep.secret",
        "env.OPENAI_API_KEY",
        "env.vars.OPENAI_API_KEY",
        "skills.entries.x.env.SERVICE_TOKEN",
        "mcp.servers.x.headers.Authorization",
        "nonsense.password",
    ] {
        assert!(is_sensitive(&path(text)), "{text}");
    }
    for text in [
        "gateway.auth.mode",
        "gateway.auth",
        "channels.telegram.tokenFile",
        "agents.defaults.memorySearch.chunking.tokens",
        "agents.defaults.contextTokens",
        "models.providers.openai.models[0].maxTokens",
        "plugins.entries.telegram.enabled",
        "env.LANG",
    ] {
        assert!(!is_sensitive(&path(text)), "{text}");
    }
}

#[test]
fn keys_are_found_and_others_are_not() {
    assert!(matches!(lookup(&path("gateway.port")).unwrap().kind, Kind::Port));
    assert!(lookup(&path("channels.telegram.groups[\"-100\"].topics[\"4\"].allowFrom[0]")).is_some());
    assert!(lookup(&path("agents.list[0].tools.byProvider[\"openai/gpt\"].allow")).is_some());
    assert!(lookup(&path("tools.media.models[0].providerOptions.a.b")).is_some());
    for text in ["gateway.token", "nonsense", "agents.list.x.tools", "gateway.port.x", "gateway[0]"] {
        assert!(lookup(&path(text)).is_none(), "{text}");
    }
}

#[test]
fn no_object_names_a_key_twice() {
    let mut seen = std::collections::BTreeSet::new();
    // An alternative may repeat the path of another one, so only exact repetition of the same key counts.
    for p in places() {
        assert!(seen.insert(p.pattern.clone()), "{} is named twice", p.pattern);
    }
}

#[test]
fn sp_062_security_keys_are_never_writable_from_a_chat() {
    for p in places() {
        let at: KeyPath = p.pattern.replace("[]", "[0]").split('.').fold(KeyPath::root(), |at, part| {
            let (name, index) = part.split_once('[').map_or((part, false), |(n, _)| (n, true));
            let at = at.key(name);
            if index { at.index(0) } else { at }
        });
        assert!(lookup(&at).is_some(), "{at}");
        assert!(!(is_security_key(&at) && is_chat_writable(&at)), "{at}");
        if p.key.secret || p.key.dangerous.is_some() {
            assert!(!is_chat_writable(&at), "{at}");
        }
    }
    for text in [
        "gateway.auth.token",
        "gateway",
        "channels.telegram.accounts.x.dmPolicy",
        "agents",
        "agents.list[2].sandbox.mode",
        "agents.list",
        "agents.list[2]",
        "logging.redactSensitive",
        "security.audit.suppressions",
        "plugins.allow",
        "tools.exec.safeBins[3]",
        "session.dmScope",
        "session",
        "unheard.of",
        "",
    ] {
        let at = KeyPath::parse(text).unwrap_or_else(|_| KeyPath::root());
        assert!(is_security_key(&at), "{text}");
        assert!(!is_chat_writable(&at), "{text}");
    }
    for text in ["ui.seamColor", "messages.responsePrefix", "agents.list[0].name", "session.reset.atHour"] {
        assert!(is_chat_writable(&path(text)), "{text}");
    }
}

#[test]
fn sp_287_dangerous_keys_are_listed() {
    let listed = dangerous_keys();
    // Every key whose very name says so.
    for p in places().iter().filter(|p| {
        let name = p.key.name.to_lowercase();
        name.contains("dangerous")
            || name.contains("insecure")
            || name.contains("unsafe")
            || name.contains("skip")
    }) {
        if p.key.name == "skipBootstrap" {
            continue; // A convenience: no guard depends on the template files.
        }
        assert!(listed.iter().any(|d| d.pattern == p.pattern), "{} is not marked", p.pattern);
    }
    let mut shown: Vec<String> = listed.iter().map(|d| format!("{} = {:?}", d.pattern, d.when)).collect();
    shown.sort();
    insta::assert_snapshot!(shown.join("\n"));
    let on = Node::from_json(&serde_json::json!(true), &Origin::Default);
    let d = listed.iter().find(|d| d.pattern == "hooks.mappings[].allowUnsafeExternalContent").unwrap();
    assert!(d.is_at(&path("hooks.mappings[3].allowUnsafeExternalContent")) && d.lowered_by(&on));
    assert!(!d.is_at(&path("hooks.mappings.allowUnsafeExternalContent")));
}
