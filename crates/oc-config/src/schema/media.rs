//! `tools.media` and `tools.links`: what is made of attachments and links; `audio`, `media`, `talk`.

use super::kind::*;

/// Deepgram options.
pub(super) const DEEPGRAM: Kind =
    object(&[key("detectLanguage", BOOL), key("punctuate", BOOL), key("smartFormat", BOOL)]);

/// Which conversations a scope rule means.
pub(super) const MATCH: Kind = object(&[
    key("channel", TEXT),
    key("chatType", word(&["direct", "group", "channel", "dm"])),
    key("keyPrefix", TEXT),
]);

/// Which attachments are looked at.
pub(super) const ATTACHMENTS: Kind = object(&[
    key("mode", word(&["first", "all"])),
    key("maxAttachments", POSITIVE),
    key("prefer", word(&["first", "last", "path", "url"])),
]);

/// One model or command.
pub(super) const UNDERSTANDING_MODEL: Kind = object(&[
    key("provider", TEXT),
    key("model", TEXT),
    key("capabilities", list(&word(&["image", "audio", "video"]))),
    key("type", word(&["provider", "cli"])),
    key("command", TEXT),
    key("args", TEXTS),
    key("prompt", TEXT),
    key("maxChars", POSITIVE),
    key("maxBytes", POSITIVE),
    key("timeoutSeconds", POSITIVE),
    key("language", TEXT),
    key("providerOptions", map(&map(&ANY))),
    key("deepgram", DEEPGRAM),
    key("baseUrl", TEXT),
    key("headers", TEXT_MAP),
    key("profile", TEXT),
    key("preferredProfile", TEXT),
]);

/// Settings of one kind of attachment.
pub(super) const UNDERSTANDING: Kind = object(&[
    key("enabled", BOOL),
    key(
        "scope",
        object(&[
            key("default", word(&["allow", "deny"])),
            key(
                "rules",
                list(&object(&[key("action", word(&["allow", "deny"])).required(), key("match", MATCH)])),
            ),
        ]),
    ),
    key("maxBytes", POSITIVE),
    key("maxChars", POSITIVE),
    key("prompt", TEXT),
    key("timeoutSeconds", POSITIVE),
    key("language", TEXT),
    key("providerOptions", map(&map(&ANY))),
    key("deepgram", DEEPGRAM),
    key("baseUrl", TEXT),
    key("headers", TEXT_MAP),
    key("attachments", ATTACHMENTS),
    key("models", list(&UNDERSTANDING_MODEL)),
]);

/// `tools.media`.
pub(super) const TOOL_MEDIA: Kind = object(&[
    key("models", list(&UNDERSTANDING_MODEL)),
    key("concurrency", POSITIVE),
    key("image", UNDERSTANDING),
    key("audio", UNDERSTANDING),
    key("video", UNDERSTANDING),
]);

/// `tools.links`.
pub(super) const LINKS: Kind = object(&[
    key("enabled", BOOL),
    key(
        "scope",
        object(&[
            key("default", word(&["allow", "deny"])),
            key(
                "rules",
                list(&object(&[key("action", word(&["allow", "deny"])).required(), key("match", MATCH)])),
            ),
        ]),
    ),
    key("maxLinks", POSITIVE),
    key("timeoutSeconds", POSITIVE),
    key(
        "models",
        list(&object(&[
            key("type", word(&["cli"])),
            key("command", FILLED).required(),
            key("args", TEXTS),
            key("timeoutSeconds", POSITIVE),
        ])),
    ),
]);

/// `audio`.
pub(super) const AUDIO: Kind = object(&[key(
    "transcription",
    object(&[key("command", TEXTS).required(), key("timeoutSeconds", POSITIVE)]),
)]);

/// `media`.
pub(super) const MEDIA: Kind = object(&[key("preserveFilenames", BOOL)]);

/// `talk`.
pub(super) const TALK: Kind = object(&[
    key("voiceId", TEXT),
    key("voiceAliases", TEXT_MAP),
    key("modelId", TEXT),
    key("outputFormat", TEXT),
    key("apiKey", SECRET),
    key("interruptOnSpeech", BOOL),
]);
