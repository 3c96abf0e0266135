//! Which credential is used, what rests, what another model takes over; and that none of them is where it must not be.

use std::fs;
use std::time::Duration;

use oc_agent::message::{Block, Message};
use oc_agent::model::{FailureClass, Model as _};
use oc_types::AgentId;
use serde_json::{Value, json};

use crate::scripted_provider::{Recorded, Reply, ScriptedProvider};
use crate::setting::{Setting, ask, fake, hello, saying};

fn bearer(request: &Recorded) -> &str {
    request.header("authorization").unwrap_or("none")
}

fn keys(names: &[&str]) -> Value {
    let profiles = names.iter().map(|n| {
        (
            format!("fake:{n}"),
            json!({"type": "api_key", "provider": "fake", "key": format!("sk-profile-{n}")}),
        )
    });
    Value::Object(profiles.collect())
}

#[tokio::test]
async fn profiles_then_the_environment_then_the_configuration() {
    let provider = ScriptedProvider::answering(|_| Reply::text("ok"));
    let base = || Setting::with_fake(&provider, "openai-completions", Some("sk-configured"));
    base().variable("FAKE_API_KEY", "sk-variable").profiles(keys(&["a"])).ask().await.unwrap();
    base().variable("FAKE_API_KEY", "sk-variable").ask().await.unwrap();
    base().ask().await.unwrap();
    Setting::with_fake(&provider, "openai-completions", None).ask().await.unwrap();
    let seen: Vec<_> = provider.requests().iter().map(|r| bearer(r).to_owned()).collect();
    assert_eq!(seen, ["Bearer sk-profile-a", "Bearer sk-variable", "Bearer sk-configured", "none"]);
}

#[tokio::test]
async fn each_format_shows_a_key_in_its_own_way() {
    let provider = ScriptedProvider::answering(|_| Reply::text("ok"));
    Setting::with_fake(&provider, "anthropic-messages", Some("sk-configured")).ask().await.unwrap();
    let login = json!({"fake:x": {"type": "oauth", "provider": "fake", "access": "login-token"}});
    Setting::with_fake(&provider, "anthropic-messages", None).profiles(login).ask().await.unwrap();
    let requests = provider.requests();
    assert_eq!(requests[0].header("x-api-key"), Some("sk-configured"));
    assert_eq!(requests[0].header("anthropic-version"), Some("2023-06-01"));
    assert_eq!((requests[1].header("x-api-key"), bearer(&requests[1])), (None, "Bearer login-token"));
}

#[tokio::test]
async fn a_refused_or_limited_profile_rests_and_the_next_one_is_pinned() {
    for (status, code) in [
        (401, "authentication_error"),
        (429, "rate_limit_error"),
        (408, "timeout_error"),
        (402, "billing_error"),
    ] {
        let provider = ScriptedProvider::answering(move |r| {
            if bearer(r) == "Bearer sk-profile-a" {
                Reply::error(status, code, "")
            } else {
                Reply::text("ok")
            }
        });
        let setting = Setting::with_fake(&provider, "openai-completions", None).profiles(keys(&["a", "b"]));
        let session = setting.session();
        ask(&session, &hello()).await.0.unwrap();
        assert_eq!(session.pinned().as_deref(), Some("fake:b"), "{status}");
        ask(&session, &hello()).await.0.unwrap();
        let stored = setting.stored();
        assert_eq!(stored["lastGood"], json!({"fake": "fake:b"}));
        let name = if status == 402 { "disabledUntil" } else { "cooldownUntil" };
        assert!(stored["usageStats"]["fake:a"][name].as_u64() > Some(1_800_000_000_000), "{stored}");
        let asked = provider.requests().iter().filter(|r| bearer(r) == "Bearer sk-profile-a").count();
        let attempts = if status == 408 { 3 } else { 1 };
        assert_eq!(asked, attempts, "{status}: it rests in the second turn");
        // When its rest is over it may be asked again, but this session stays with what worked.
        setting.clock.pass(Duration::from_secs(3600 * 6));
        ask(&session, &hello()).await.0.unwrap();
        assert_eq!(bearer(provider.requests().last().unwrap()), "Bearer sk-profile-b");
        // The pin is kept across a restart by whoever keeps the session.
        let models = setting.models();
        let main = AgentId::normalized("main");
        let again = models.for_session(&main, models.settings().choice(&main), Some("fake:a".to_owned()));
        let _ = ask(&again, &hello()).await;
        assert_eq!(bearer(&provider.requests()[asked + 3]), "Bearer sk-profile-a", "{status}");
    }
}

#[tokio::test]
async fn when_every_credential_rests_nobody_is_asked() {
    let provider = ScriptedProvider::answering(|_| Reply::error(401, "authentication_error", ""));
    let setting = Setting::with_fake(&provider, "openai-completions", None).profiles(keys(&["a", "b"]));
    assert_eq!(setting.ask().await.unwrap_err().class, FailureClass::Auth);
    assert_eq!(provider.requests().len(), 2);
    let failure = setting.ask().await.unwrap_err();
    assert_eq!(
        (failure.class, failure.retry_after),
        (FailureClass::RateLimit, Some(Duration::from_secs(60)))
    );
    assert_eq!(provider.requests().len(), 2);
    setting.clock.pass(Duration::from_secs(60));
    assert_eq!(setting.ask().await.unwrap_err().class, FailureClass::Auth);
    // Five minutes the second time; a key outside of files rests as well, for this process.
    assert_eq!(setting.ask().await.unwrap_err().retry_after, Some(Duration::from_secs(300)));
    let setting = Setting::with_fake(&provider, "openai-completions", Some("sk-configured"));
    let session = setting.session();
    ask(&session, &hello()).await.0.unwrap_err();
    let before = provider.requests().len();
    assert_eq!(ask(&session, &hello()).await.0.unwrap_err().class, FailureClass::RateLimit);
    assert_eq!(provider.requests().len(), before);
}

fn two(first: &ScriptedProvider, second: &ScriptedProvider) -> Value {
    json!({
        "models": {"providers": {
            "first": fake(first, "anthropic-messages", Some("sk-first-key")),
            "second": fake(second, "openai-completions", Some("sk-second-key")),
        }},
        "agents": {"defaults": {"model": {"primary": "first/m", "fallbacks": ["nobody/m", "second/m"]}}},
    })
}

#[tokio::test]
async fn another_model_takes_over_whatever_the_first_ones_failure() {
    for reply in [
        Reply::error(401, "authentication_error", ""),
        Reply::error(402, "billing_error", ""),
        Reply::error(429, "rate_limit_error", ""),
        Reply::error(500, "api_error", ""),
        Reply::error(529, "overloaded_error", ""),
        Reply::error(400, "invalid_request_error", ""),
        Reply::text("half of it").broken_after(5),
    ] {
        let first = ScriptedProvider::answering(move |_| reply.clone());
        let second = ScriptedProvider::replies([Reply::text("from the second")]);
        let setting = Setting::new(two(&first, &second));
        let (answer, said) = ask(&setting.session(), &hello()).await;
        let answer = answer.unwrap();
        assert_eq!((answer.provider.as_str(), answer.text().as_str()), ("second", "from the second"));
        assert_eq!(said.rsplit('!').next(), Some("from the second"), "{said}");
    }
}

#[tokio::test]
async fn too_long_a_conversation_is_the_turns_to_shorten() {
    let first = ScriptedProvider::answering(|_| Reply::error(400, "context_length_exceeded", ""));
    let second = ScriptedProvider::answering(|_| Reply::text("never"));
    let failure = Setting::new(two(&first, &second)).ask().await.unwrap_err();
    assert_eq!((failure.class, failure.provider.as_str()), (FailureClass::ContextOverflow, "first"));
    assert!(second.requests().is_empty());
}

#[tokio::test]
async fn the_first_models_failure_is_the_one_that_is_told() {
    let first = ScriptedProvider::answering(|_| Reply::error(429, "rate_limit_error", ""));
    let second = ScriptedProvider::answering(|_| Reply::error(500, "api_error", ""));
    let failure = Setting::new(two(&first, &second)).ask().await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "first/m: the provider answered with status 429 (rate_limit_error); no fallback answered either"
    );
    let nothing = Setting::new(json!({})).ask().await.unwrap_err();
    assert_eq!(nothing.class, FailureClass::NotConfigured);
    assert!(nothing.message.contains("agents.defaults.model.primary"), "{nothing}");
}

#[tokio::test]
async fn sp_066_a_broken_source_is_a_failure_and_no_other_takes_its_place() {
    let provider = ScriptedProvider::answering(|_| Reply::text("never"));
    // A file of profiles that cannot be read, although a variable and a key are there.
    let setting = Setting::with_fake(&provider, "openai-completions", Some("sk-configured"))
        .variable("FAKE_API_KEY", "sk-variable")
        .profiles(keys(&["a"]));
    fs::write(setting.profiles_file(), "{\"version\":1, sk-profile-a").unwrap();
    let failure = setting.ask().await.unwrap_err();
    assert_eq!(failure.class, FailureClass::NotConfigured);
    assert!(failure.message.contains("auth-profiles.json") && !failure.message.contains("sk-"), "{failure}");
    // Profiles of which none can be used.
    let gone =
        json!({"fake:a": {"type": "oauth", "provider": "fake", "access": "old-login", "expires": 1000}});
    let setting = Setting::with_fake(&provider, "openai-completions", Some("sk-configured")).profiles(gone);
    assert_eq!(setting.ask().await.unwrap_err().class, FailureClass::Auth);
    // A key in a file that is not there.
    let file = json!({"models": {"providers": {"fake": {
        "baseUrl": provider.openai_base(), "api": "openai-completions", "models": [],
        "apiKey": {"file": "/nonexistent/key"},
    }}}, "agents": {"defaults": {"model": {"primary": "fake/m"}}}});
    let failure = Setting::new(file).ask().await.unwrap_err();
    assert!(failure.message.starts_with("models.providers.fake.apiKey: /nonexistent/key"), "{failure}");
    assert!(provider.requests().is_empty());
    // A known provider without any credential is not asked at all.
    let none = Setting::new(json!({"agents": {"defaults": {"model": {"primary": "openai/gpt-5"}}}}))
        .ask()
        .await
        .unwrap_err();
    assert!(none.message.contains("`OPENAI_API_KEY`"), "{none}");
}

#[tokio::test]
async fn sp_014_no_known_credential_is_in_a_body() {
    let provider = ScriptedProvider::answering(|_| Reply::text("ok"));
    let setting = Setting::with_fake(&provider, "anthropic-messages", Some("sk-configured-key"))
        .variable("OPENAI_API_KEY", "sk-of-another-provider")
        .profiles(keys(&["a", "b"]));
    // As if a tool had read a file with keys, and nothing before had masked them.
    let leaked = "sk-profile-a sk-profile-b sk-configured-key sk-of-another-provider";
    let request = saying(vec![Message::User(vec![Block::Text(leaked.to_owned())])]);
    ask(&setting.session(), &request).await.0.unwrap();
    for secret in leaked.split(' ') {
        provider.assert_no_body_holds(secret);
    }
    let requests = provider.requests();
    assert_eq!(requests[0].header("x-api-key"), Some("sk-profile-a"), "in the header it is");
    assert!(requests[0].text.contains("[credential removed]"));
    let session = setting.session();
    assert!(!format!("{session:?} {:?}", session.about()).contains("sk-"));
}
