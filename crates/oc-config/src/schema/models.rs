//! `models` and `auth`: which providers there are and with which account.

use super::kind::*;

/// Wire formats.
pub(super) const API: Kind = word(&[
    "openai-completions",
    "openai-responses",
    "anthropic-messages",
    "google-generative-ai",
    "github-copilot",
    "bedrock-converse-stream",
]);

/// `models`.
pub(super) const MODELS: Kind = object(&[
    key("mode", word(&["merge", "replace"])),
    key(
        "providers",
        map(&object(&[
            key("baseUrl", FILLED).required(),
            key("apiKey", SECRET),
            key("auth", word(&["api-key", "aws-sdk", "oauth", "token"])),
            key("api", API),
            key("headers", TEXT_MAP),
            key("authHeader", BOOL),
            key(
                "models",
                list(&object(&[
                    key("id", FILLED).required(),
                    key("name", FILLED).required(),
                    key("api", API),
                    key("reasoning", BOOL),
                    key("input", list(&word(&["text", "image"]))),
                    key(
                        "cost",
                        object(&[
                            key("input", NUMBER),
                            key("output", NUMBER),
                            key("cacheRead", NUMBER),
                            key("cacheWrite", NUMBER),
                        ]),
                    ),
                    key("contextWindow", ABOVE_ZERO),
                    key("maxTokens", ABOVE_ZERO),
                    key("headers", TEXT_MAP),
                    key(
                        "compat",
                        object(&[
                            key("supportsStore", BOOL),
                            key("supportsDeveloperRole", BOOL),
                            key("supportsReasoningEffort", BOOL),
                            key("maxTokensField", word(&["max_completion_tokens", "max_tokens"])),
                        ]),
                    ),
                ])),
            )
            .required(),
        ])),
    ),
    key(
        "bedrockDiscovery",
        object(&[
            key("enabled", BOOL),
            key("region", TEXT),
            key("providerFilter", TEXTS),
            key("refreshInterval", COUNT),
            key("defaultContextWindow", POSITIVE),
            key("defaultMaxTokens", POSITIVE),
        ]),
    ),
]);

/// `auth`.
pub(super) const AUTH: Kind = object(&[
    key(
        "profiles",
        map(&object(&[
            key("provider", TEXT).required(),
            key("mode", word(&["api_key", "oauth", "token"])).required(),
            key("email", TEXT),
        ])),
    ),
    key("order", map(&TEXTS)),
    key(
        "cooldowns",
        object(&[
            key("billingBackoffHours", ABOVE_ZERO),
            key("billingBackoffHoursByProvider", map(&ABOVE_ZERO)),
            key("billingMaxHours", ABOVE_ZERO),
            key("failureWindowHours", ABOVE_ZERO),
        ]),
    ),
]);
