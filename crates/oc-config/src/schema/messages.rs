//! `messages`, `commands`, `broadcast`: how messages are queued, answered and taken as commands.

use super::kind::*;
use super::shared;

/// What a message does to a running turn.
pub(super) const QUEUE_MODE: Kind =
    word(&["steer", "followup", "collect", "steer-backlog", "steer+backlog", "queue", "interrupt"]);

/// The same by channel.
pub(super) const BY_CHANNEL: Kind = object(&[
    key("whatsapp", QUEUE_MODE),
    key("telegram", QUEUE_MODE),
    key("discord", QUEUE_MODE),
    key("slack", QUEUE_MODE),
    key("mattermost", QUEUE_MODE),
    key("signal", QUEUE_MODE),
    key("imessage", QUEUE_MODE),
    key("msteams", QUEUE_MODE),
    key("webchat", QUEUE_MODE),
]);

/// The message queue.
pub(super) const QUEUE: Kind = object(&[
    key("mode", QUEUE_MODE),
    key("byChannel", BY_CHANNEL),
    key("debounceMs", COUNT),
    key("debounceMsByChannel", map(&COUNT)),
    key("cap", POSITIVE),
    key("drop", word(&["old", "new", "summarize"])),
]);

/// Speech.
pub(super) const TTS: Kind = object(&[
    key("auto", word(&["off", "always", "inbound", "tagged"])),
    key("mode", word(&["final", "all"])),
    key("provider", word(&["elevenlabs", "openai", "edge"])),
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
]);

/// `messages`.
pub(super) const MESSAGES: Kind = object(&[
    key("messagePrefix", TEXT),
    key("responsePrefix", TEXT),
    key("groupChat", object(&[key("mentionPatterns", TEXTS), key("historyLimit", POSITIVE)])),
    key("queue", QUEUE),
    key("inbound", object(&[key("debounceMs", COUNT), key("byChannel", map(&COUNT))])),
    key("ackReaction", TEXT),
    key("ackReactionScope", word(&["group-mentions", "group-all", "direct", "all"])),
    key("removeAckAfterReply", BOOL),
    key("tts", TTS),
]);

/// `commands`.
pub(super) const COMMANDS: Kind = object(&[
    key("native", shared::AUTO).default(Literal::Text("auto")),
    key("nativeSkills", shared::AUTO).default(Literal::Text("auto")),
    key("text", BOOL),
    key("bash", BOOL),
    key("bashForegroundMs", integer(0.0, 30000.0)),
    key("config", BOOL),
    key("debug", BOOL),
    key("restart", BOOL),
    key("useAccessGroups", BOOL),
    key("ownerAllowFrom", ENTRIES),
    key("allowFrom", map(&ENTRIES)).product(),
]);

/// `broadcast`.
pub(super) const BROADCAST: Kind = entries(&[key("strategy", word(&["parallel", "sequential"]))], &TEXTS);
