//! Providers that need no configuration beyond a credential.

use super::wire::Api;

/// A provider that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub id: &'static str,
    /// Where it is, and how it speaks; or the word of a format that is not built.
    pub reached: Result<(&'static str, Api), &'static str>,
    /// Variables that may hold its credential, the first one wins.
    pub variables: &'static [&'static str],
    /// Tokens that its usual models can read and write in one request.
    pub context_window: u64,
    /// Most tokens of one answer.
    pub max_tokens: u32,
    /// Whether its usual models can be shown pictures.
    pub images: bool,
}

const fn known(
    id: &'static str,
    base: &'static str,
    api: Api,
    variables: &'static [&'static str],
    context_window: u64,
) -> Known {
    Known { id, reached: Ok((base, api)), variables, context_window, max_tokens: 8192, images: false }
}

const fn refused(id: &'static str, api: &'static str, variables: &'static [&'static str]) -> Known {
    Known { id, reached: Err(api), variables, context_window: 128_000, max_tokens: 8192, images: false }
}

use Api::{AnthropicMessages, OpenAiCompletions, OpenAiResponses};

/// All of them.
pub const KNOWN: [Known; 14] = [
    Known {
        max_tokens: 32_000,
        images: true,
        ..known(
            "anthropic",
            "https://api.anthropic.com",
            AnthropicMessages,
            &["ANTHROPIC_OAUTH_TOKEN", "ANTHROPIC_API_KEY"],
            200_000,
        )
    },
    Known {
        max_tokens: 32_000,
        images: true,
        ..known("openai", "https://api.openai.com/v1", OpenAiResponses, &["OPENAI_API_KEY"], 200_000)
    },
    known("openrouter", "https://openrouter.ai/api/v1", OpenAiCompletions, &["OPENROUTER_API_KEY"], 128_000),
    known("groq", "https://api.groq.com/openai/v1", OpenAiCompletions, &["GROQ_API_KEY"], 128_000),
    known("xai", "https://api.x.ai/v1", OpenAiCompletions, &["XAI_API_KEY"], 128_000),
    known("mistral", "https://api.mistral.ai/v1", OpenAiCompletions, &["MISTRAL_API_KEY"], 128_000),
    known("cerebras", "https://api.cerebras.ai/v1", OpenAiCompletions, &["CEREBRAS_API_KEY"], 128_000),
    known("moonshot", "https://api.moonshot.ai/v1", OpenAiCompletions, &["MOONSHOT_API_KEY"], 256_000),
    known(
        "zai",
        "https://api.z.ai/api/paas/v4",
        OpenAiCompletions,
        &["ZAI_API_KEY", "Z_AI_API_KEY"],
        128_000,
    ),
    known("minimax", "https://api.minimax.io/anthropic", AnthropicMessages, &["MINIMAX_API_KEY"], 200_000),
    known("ollama", "http://127.0.0.1:11434/v1", OpenAiCompletions, &["OLLAMA_API_KEY"], 32_768),
    refused("google", "google-generative-ai", &["GEMINI_API_KEY"]),
    refused("github-copilot", "github-copilot", &["COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"]),
    refused("amazon-bedrock", "bedrock-converse-stream", &[]),
];

/// Other names of providers (SP-106).
const ALIASES: [(&str, &str); 6] = [
    ("z.ai", "zai"),
    ("z-ai", "zai"),
    ("opencode-zen", "opencode"),
    ("qwen", "qwen-portal"),
    ("kimi-code", "kimi-coding"),
    ("bedrock", "amazon-bedrock"),
];

/// A provider's id in its one form: trimmed, lower case, aliases resolved (SP-106).
#[must_use]
pub fn canonical(id: &str) -> String {
    let id = id.trim().to_lowercase();
    ALIASES.iter().find(|(alias, _)| *alias == id).map_or(id, |(_, name)| (*name).to_owned())
}

/// The provider of this id, when it is known.
#[must_use]
pub fn find(id: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|k| k.id == id)
}

/// The variables that may hold the credential of a provider; of an unknown one `<ID>_API_KEY`.
#[must_use]
pub fn variables(id: &str) -> Vec<String> {
    match find(id) {
        Some(known) => known.variables.iter().map(|v| (*v).to_owned()).collect(),
        None => {
            let name: String = id
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
                .collect();
            vec![format!("{name}_API_KEY")]
        }
    }
}

/// Whether a model that nobody describes can think, by the names that providers give.
#[must_use]
pub fn thinks(provider: &str, model: &str) -> bool {
    match provider {
        "anthropic" => !["claude-3-haiku", "claude-3-opus", "claude-3-5", "claude-2"]
            .iter()
            .any(|m| model.starts_with(m)),
        "openai" => ["o1", "o3", "o4", "gpt-5"].iter().any(|m| model.starts_with(m)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::Endpoint;

    #[test]
    fn every_known_provider_is_reached_over_tls_or_refused() {
        for known in KNOWN {
            assert_eq!(canonical(known.id), known.id);
            match known.reached {
                Ok((base, api)) => {
                    assert!(Endpoint::parse(base, api).unwrap().keeps_secrets(), "{}", known.id)
                }
                Err(word) => assert!(Api::parse(word).is_err(), "{word}"),
            }
        }
    }

    #[test]
    fn sp_106_a_provider_has_one_name() {
        assert_eq!(canonical(" Z.AI "), "zai");
        assert_eq!(canonical("Bedrock"), "amazon-bedrock");
        assert_eq!(variables("my.lab"), ["MY_LAB_API_KEY"]);
        assert_eq!(variables("anthropic"), ["ANTHROPIC_OAUTH_TOKEN", "ANTHROPIC_API_KEY"]);
    }
}
