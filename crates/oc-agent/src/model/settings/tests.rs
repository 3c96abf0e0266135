use oc_types::Origin;
use serde_json::json;

use super::*;
use crate::model::client::KeyHeader;
use crate::model::wire::{MaxTokensField, Understood};

fn settings(json: serde_json::Value) -> ModelSettings {
    ModelSettings::read(&Node::from_json(&json, &Origin::Default))
}

fn lab() -> serde_json::Value {
    json!({
        "models": {"providers": {"Lab": {
            "baseUrl": "http://127.0.0.1:9/v1", "api": "openai-completions", "apiKey": "k", "authHeader": true,
            "headers": {"x-team": "one"},
            "models": [
                {"id": "big", "name": "Big", "contextWindow": 64000, "maxTokens": 4000, "reasoning": true,
                 "input": ["text", "image"], "headers": {"x-model": "big"},
                 "compat": {"maxTokensField": "max_completion_tokens", "supportsReasoningEffort": false}},
                {"id": "small/er", "name": "Small", "contextWindow": 20000},
                {"id": "tiny", "name": "Tiny", "contextWindow": 8000},
                {"id": "odd", "name": "Odd", "api": "google-generative-ai"},
            ],
        }}},
        "agents": {
            "defaults": {
                "model": {"primary": "lab/big", "fallbacks": ["lab/small/er"]},
                "models": {"lab/big": {"alias": "Best", "params": {"temperature": 0.2, "maxTokens": 1000}}},
                "contextTokens": 50000,
            },
            "list": [
                {"id": "main"},
                {"id": "own", "model": "anthropic/claude-x"},
                {"id": "alone", "model": {"primary": "lab/big", "fallbacks": []}, "subagents": {"model": "lab/small/er"}},
            ],
        },
    })
}

#[test]
fn a_model_is_what_its_entry_says() {
    let settings = settings(lab());
    let model = settings.resolve(" best ").unwrap();
    assert_eq!(model.reference.to_string(), "lab/big");
    assert_eq!(model.context_window, 50_000, "capped by contextTokens");
    assert_eq!(model.target.max_tokens, 1000);
    assert_eq!(model.target.temperature, Some(0.2));
    assert_eq!((model.target.images, model.target.reasoning), (true, true));
    assert_eq!(model.target.quirks.max_tokens_field, MaxTokensField::MaxCompletionTokens);
    assert_eq!(model.target.quirks.reasoning_effort, Understood::No);
    assert_eq!(model.key_header, KeyHeader::Bearer);
    assert_eq!(model.headers.len(), 2);
    let small = settings.resolve("LAB/small/er").unwrap();
    assert_eq!((small.target.model.as_str(), small.context_window), ("small/er", 20_000));
    assert_eq!(settings.warnings.len(), 2, "{:?}", settings.warnings);
}

#[test]
fn what_cannot_be_asked_says_why() {
    let settings = settings(lab());
    for (text, why) in [
        (
            "lab/tiny",
            "the context window of 8000 tokens is too small, 16000 is the least; see `contextWindow` and `agents.defaults.contextTokens`",
        ),
        ("lab/none", "`models.providers.Lab.models` does not list `none`"),
        (
            "lab/odd",
            "models.providers.Lab.models[odd].api: the wire format `google-generative-ai` is not built; use a provider with `anthropic-messages`, `openai-completions` or `openai-responses`",
        ),
        (
            "google/gemini",
            "provider `google`: the wire format `google-generative-ai` is not built; use a provider with `anthropic-messages`, `openai-completions` or `openai-responses`",
        ),
        (
            "bedrock/x",
            "provider `amazon-bedrock`: the wire format `bedrock-converse-stream` is not built; use a provider with `anthropic-messages`, `openai-completions` or `openai-responses`",
        ),
        ("nobody/x", "there is no provider `nobody`; add it to `models.providers`"),
        (
            "big",
            "`big` names no model; write `provider/model`, or give it as an alias in `agents.defaults.models`",
        ),
        ("", "`` names no model; write `provider/model`, or give it as an alias in `agents.defaults.models`"),
    ] {
        assert_eq!(settings.resolve(text).unwrap_err().to_string(), why, "{text}");
    }
}

#[test]
fn an_agents_own_word_counts_before_the_defaults() {
    let settings = settings(lab());
    let choice = |agent: &str| {
        let c = settings.choice(&AgentId::normalized(agent));
        (c.primary.unwrap_or_default(), c.fallbacks.join(","))
    };
    assert_eq!(choice("main"), ("lab/big".to_owned(), "lab/small/er".to_owned()));
    assert_eq!(choice("own"), ("anthropic/claude-x".to_owned(), "lab/small/er".to_owned()));
    assert_eq!(choice("alone"), ("lab/big".to_owned(), String::new()), "an empty list is a word too");
    let sub = |agent: &str| settings.subagent_choice(&AgentId::normalized(agent)).primary.unwrap_or_default();
    assert_eq!((sub("alone").as_str(), sub("main").as_str()), ("lab/small/er", "lab/big"));
}

#[test]
fn replace_leaves_only_what_is_configured() {
    let mut json = lab();
    assert!(settings(json.clone()).resolve("openai/gpt-5").unwrap().target.reasoning);
    json["models"]["mode"] = "replace".into();
    let settings = settings(json);
    assert!(matches!(settings.resolve("openai/gpt-5"), Err(ModelIssue::NoProvider(_))));
    assert_eq!(settings.providers().map(|(id, _)| id.to_owned()).collect::<Vec<_>>(), ["lab"]);
}

#[test]
fn a_provider_that_is_set_up_wrongly_names_its_key_and_no_other_takes_its_place() {
    let issue = |provider: serde_json::Value| {
        settings(json!({"models": {"providers": {"openai": provider}}}))
            .resolve("openai/x")
            .unwrap_err()
            .to_string()
    };
    let base = json!("https://a.test");
    for (provider, why) in [
        (json!({"models": []}), "models.providers.openai.baseUrl: it is missing"),
        (
            json!({"baseUrl": "https://sk-key@a.test"}),
            "models.providers.openai.baseUrl: it holds a user or password; put the credential into `apiKey`",
        ),
        (
            json!({"baseUrl": base, "auth": "aws-sdk"}),
            "models.providers.openai.auth: `aws-sdk` is not built; use a provider with a key",
        ),
        (
            json!({"baseUrl": base, "headers": {"Host": "x"}}),
            "models.providers.openai.headers: `Host` cannot be set",
        ),
        (
            json!({"baseUrl": base, "headers": {"x": "sk-1\n2"}}),
            "models.providers.openai.headers: `x` holds characters that no header can carry",
        ),
        (
            json!({"baseUrl": base, "api": "telepathy"}),
            "models.providers.openai.api: there is no wire format of this name; use `anthropic-messages`, `openai-completions` or `openai-responses`",
        ),
    ] {
        assert_eq!(issue(provider), why);
    }
    let settings = settings(
        json!({"models": {"providers": {"openai": {"baseUrl": "https://a.test", "apiKey": "${UNSET}"}}}}),
    );
    assert!(
        matches!(settings.provider("openai").unwrap().key(), Key::Broken(_)),
        "sp_066: it does not fall through"
    );
}

#[test]
fn cooldowns_and_order_are_read() {
    let settings = settings(json!({"auth": {
        "order": {"Z.AI": ["zai:b", "zai:a"]},
        "cooldowns": {"billingBackoffHours": 1, "billingMaxHours": 2, "failureWindowHours": 0.5, "billingBackoffHoursByProvider": {"openai": 3}},
    }}));
    assert_eq!(settings.profile_order("zai").unwrap(), ["zai:b", "zai:a"]);
    let hours = |d: Duration| d.as_secs_f64() / 3600.0;
    let rules = settings.cooldowns();
    assert_eq!((hours(rules.billing), hours(rules.billing_longest), hours(rules.window)), (1.0, 2.0, 0.5));
    assert_eq!(rules.billing_by_provider.get("openai").copied().map(hours), Some(3.0));
}
