//! `plugins` and `skills`, and the options of the bundled plugins.

use super::kind::*;
use super::shared;

/// A plugin that is part of the release.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    /// Its id.
    pub id: &'static str,
    /// Its options under `plugins.entries.<id>.config`.
    pub config: Kind,
}

/// No options.
const NONE: Kind = object(&[]);

/// Options of `device-pair`.
const DEVICE_PAIR: Kind = object(&[key("publicUrl", TEXT)]);

/// Options of `llm-task`.
const LLM_TASK: Kind = object(&[
    key("defaultProvider", TEXT),
    key("defaultModel", TEXT),
    key("defaultAuthProfileId", TEXT),
    key("allowedModels", TEXTS),
    key("maxTokens", NUMBER),
    key("timeoutMs", NUMBER),
]);

/// Options of `memory-lancedb`.
const MEMORY_LANCEDB: Kind = object(&[
    key(
        "embedding",
        object(&[
            key("apiKey", SECRET).required(),
            key("model", word(&["text-embedding-3-small", "text-embedding-3-large"])),
        ]),
    )
    .required(),
    key("dbPath", TEXT),
    key("autoCapture", BOOL),
    key("autoRecall", BOOL),
]);

/// Options of `voice-call`.
const VOICE_CALL: Kind = object(&[
    key("enabled", BOOL),
    key("provider", word(&["telnyx", "twilio", "plivo", "mock"])),
    key("telnyx", object(&[key("apiKey", SECRET), key("connectionId", TEXT), key("publicKey", TEXT)])),
    key("twilio", object(&[key("accountSid", TEXT), key("authToken", SECRET)])),
    key("plivo", object(&[key("authId", TEXT), key("authToken", SECRET)])),
    key("fromNumber", form(Form::E164)),
    key("toNumber", form(Form::E164)),
    key("inboundPolicy", word(&["disabled", "allowlist", "pairing", "open"])),
    key("allowFrom", list(&form(Form::E164))),
    key("inboundGreeting", TEXT),
    key(
        "outbound",
        object(&[key("defaultMode", word(&["notify", "conversation"])), key("notifyHangupDelaySec", COUNT)]),
    ),
    key("maxDurationSeconds", POSITIVE),
    key("silenceTimeoutMs", POSITIVE),
    key("transcriptTimeoutMs", POSITIVE),
    key("ringTimeoutMs", POSITIVE),
    key("maxConcurrentCalls", POSITIVE),
    key("serve", object(&[key("port", POSITIVE), key("bind", TEXT), key("path", TEXT)])),
    key("tailscale", object(&[key("mode", word(&["off", "serve", "funnel"])), key("path", TEXT)])),
    key(
        "tunnel",
        object(&[
            key("provider", word(&["none", "ngrok", "tailscale-serve", "tailscale-funnel"])),
            key("ngrokAuthToken", SECRET),
            key("ngrokDomain", TEXT),
            key("allowNgrokFreeTierLoopbackBypass", BOOL).dangerous(Lowered::On),
        ]),
    ),
    key(
        "streaming",
        object(&[
            key("enabled", BOOL),
            key("sttProvider", word(&["openai-realtime"])),
            key("openaiApiKey", SECRET),
            key("sttModel", TEXT),
            key("silenceDurationMs", POSITIVE),
            key("vadThreshold", SHARE),
            key("streamPath", TEXT),
        ]),
    ),
    key("publicUrl", TEXT),
    key("skipSignatureVerification", BOOL).dangerous(Lowered::On),
    key("stt", object(&[key("provider", word(&["openai"])), key("model", TEXT)])),
    key(
        "tts",
        object(&[
            key("auto", word(&["off", "always", "inbound", "tagged"])),
            key("enabled", BOOL),
            key("mode", word(&["final", "all"])),
            key("provider", word(&["openai", "elevenlabs", "edge"])),
            key("summaryModel", TEXT),
            key(
                "modelOverrides",
                object(&[
                    key("enabled", BOOL),
                    key("allowText", BOOL),
                    key("allowProvider", BOOL),
                    key("allowVoice", BOOL),
                    key("allowModelId", BOOL),
                    key("allowVoiceSettings", BOOL),
                    key("allowNormalization", BOOL),
                    key("allowSeed", BOOL),
                ]),
            ),
            key(
                "elevenlabs",
                object(&[
                    key("apiKey", SECRET),
                    key("baseUrl", TEXT),
                    key("voiceId", TEXT),
                    key("modelId", TEXT),
                    key("seed", integer(0.0, 4294967295.0)),
                    key("applyTextNormalization", word(&["auto", "on", "off"])),
                    key("languageCode", TEXT),
                    key(
                        "voiceSettings",
                        object(&[
                            key("stability", SHARE),
                            key("similarityBoost", SHARE),
                            key("style", SHARE),
                            key("useSpeakerBoost", BOOL),
                            key("speed", number(0.5, 2.0)),
                        ]),
                    ),
                ]),
            ),
            key("openai", object(&[key("apiKey", SECRET), key("model", TEXT), key("voice", TEXT)])),
            key(
                "edge",
                object(&[
                    key("enabled", BOOL),
                    key("voice", TEXT),
                    key("lang", TEXT),
                    key("outputFormat", TEXT),
                    key("pitch", TEXT),
                    key("rate", TEXT),
                    key("volume", TEXT),
                    key("saveSubtitles", BOOL),
                    key("proxy", TEXT),
                    key("timeoutMs", integer(1000.0, 120000.0)),
                ]),
            ),
            key("prefsPath", TEXT),
            key("maxTextLength", POSITIVE),
            key("timeoutMs", integer(1000.0, 120000.0)),
        ]),
    ),
    key("store", TEXT),
    key("responseModel", TEXT),
    key("responseSystemPrompt", TEXT),
    key("responseTimeoutMs", POSITIVE),
]);

/// The bundled plugins (2026.2.9), in the order of their ids.
pub const BUNDLED: &[Bundled] = &[
    Bundled { id: "bluebubbles", config: NONE },
    Bundled { id: "copilot-proxy", config: NONE },
    Bundled { id: "device-pair", config: DEVICE_PAIR },
    Bundled { id: "diagnostics-otel", config: NONE },
    Bundled { id: "discord", config: NONE },
    Bundled { id: "feishu", config: NONE },
    Bundled { id: "google-antigravity-auth", config: NONE },
    Bundled { id: "google-gemini-cli-auth", config: NONE },
    Bundled { id: "googlechat", config: NONE },
    Bundled { id: "imessage", config: NONE },
    Bundled { id: "line", config: NONE },
    Bundled { id: "llm-task", config: LLM_TASK },
    Bundled { id: "lobster", config: NONE },
    Bundled { id: "matrix", config: NONE },
    Bundled { id: "mattermost", config: NONE },
    Bundled { id: "memory-core", config: NONE },
    Bundled { id: "memory-lancedb", config: MEMORY_LANCEDB },
    Bundled { id: "minimax-portal-auth", config: NONE },
    Bundled { id: "msteams", config: NONE },
    Bundled { id: "nextcloud-talk", config: NONE },
    Bundled { id: "nostr", config: NONE },
    Bundled { id: "open-prose", config: NONE },
    Bundled { id: "phone-control", config: NONE },
    Bundled { id: "qwen-portal-auth", config: NONE },
    Bundled { id: "signal", config: NONE },
    Bundled { id: "slack", config: NONE },
    Bundled { id: "talk-voice", config: NONE },
    Bundled { id: "telegram", config: NONE },
    Bundled { id: "tlon", config: NONE },
    Bundled { id: "twitch", config: NONE },
    Bundled { id: "voice-call", config: VOICE_CALL },
    Bundled { id: "whatsapp", config: NONE },
    Bundled { id: "zalo", config: NONE },
    Bundled { id: "zalouser", config: NONE },
];

/// One plugin's switch and options; the options are checked against [`BUNDLED`] or left to the plugin.
const ENTRY_OF_PLUGIN: Kind = object(&[key("enabled", BOOL), key("config", OPEN)]);

/// `plugins`.
pub(super) const PLUGINS: Kind = object(&[
    key("enabled", BOOL),
    key("allow", TEXTS),
    key("deny", TEXTS),
    key("load", object(&[key("paths", TEXTS)])),
    key("slots", object(&[key("memory", TEXT)])),
    key("entries", map(&ENTRY_OF_PLUGIN)),
    key("installs", map(&joined(&[shared::INSTALL]))),
]);

/// `skills`.
pub(super) const SKILLS: Kind = object(&[
    key("allowBundled", TEXTS),
    key("load", object(&[key("extraDirs", TEXTS), key("watch", BOOL), key("watchDebounceMs", COUNT)])),
    key(
        "install",
        object(&[key("preferBrew", BOOL), key("nodeManager", word(&["npm", "pnpm", "yarn", "bun"]))]),
    ),
    key(
        "entries",
        map(&object(&[
            key("enabled", BOOL),
            key("apiKey", SECRET),
            key("env", TEXT_MAP),
            key("config", OPEN),
        ])),
    ),
]);
