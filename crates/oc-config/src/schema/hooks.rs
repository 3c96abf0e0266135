//! `hooks` and `cron`: what starts a turn without a person.

use super::kind::*;
use super::shared;

/// `hooks`.
pub(super) const HOOKS: Kind = object(&[
    key("enabled", BOOL),
    key("path", TEXT),
    key("token", SECRET),
    key("defaultSessionKey", TEXT).product(),
    key("allowRequestSessionKey", BOOL).product().dangerous(Lowered::On),
    key("allowedSessionKeyPrefixes", TEXTS).product(),
    key("allowedAgentIds", TEXTS).product(),
    key("maxBodyBytes", POSITIVE),
    key("presets", TEXTS),
    key("transformsDir", TEXT),
    key(
        "mappings",
        list(&object(&[
            key("id", TEXT),
            key("match", object(&[key("path", TEXT), key("source", TEXT)])),
            key("action", word(&["wake", "agent"])),
            key("agentId", TEXT).product(),
            key("wakeMode", word(&["now", "next-heartbeat"])),
            key("name", TEXT),
            key("sessionKey", TEXT),
            key("messageTemplate", TEXT),
            key("textTemplate", TEXT),
            key("deliver", BOOL),
            key("allowUnsafeExternalContent", BOOL).dangerous(Lowered::On),
            key(
                "channel",
                either(&[
                    word(&[
                        "last", "whatsapp", "telegram", "discord", "slack", "signal", "imessage", "msteams",
                    ]),
                    product_word(&["googlechat", "mattermost", "matrix", "line", "bluebubbles"]),
                ]),
            ),
            key("to", TEXT),
            key("model", TEXT),
            key("thinking", TEXT),
            key("timeoutSeconds", POSITIVE),
            key("transform", object(&[key("module", TEXT).required(), key("export", TEXT)])),
        ])),
    ),
    key(
        "gmail",
        object(&[
            key("account", TEXT),
            key("label", TEXT),
            key("topic", TEXT),
            key("subscription", TEXT),
            key("pushToken", SECRET),
            key("hookUrl", TEXT),
            key("includeBody", BOOL),
            key("maxBytes", POSITIVE),
            key("renewEveryMinutes", POSITIVE),
            key("allowUnsafeExternalContent", BOOL).dangerous(Lowered::On),
            key("serve", object(&[key("bind", TEXT), key("port", POSITIVE), key("path", TEXT)])),
            key(
                "tailscale",
                object(&[
                    key("mode", word(&["off", "serve", "funnel"])),
                    key("path", TEXT),
                    key("target", TEXT),
                ]),
            ),
            key("model", TEXT),
            key("thinking", word(&["off", "minimal", "low", "medium", "high"])),
        ]),
    ),
    key(
        "internal",
        object(&[
            key("enabled", BOOL),
            key(
                "handlers",
                list(&object(&[
                    key("event", TEXT).required(),
                    key("module", TEXT).required(),
                    key("export", TEXT),
                ])),
            ),
            key("entries", map(&object(&[key("enabled", BOOL), key("env", TEXT_MAP)]))),
            key("load", object(&[key("extraDirs", TEXTS)])),
            key("installs", map(&joined(&[shared::INSTALL, &[key("hooks", TEXTS)]]))),
        ]),
    ),
]);

/// `cron`.
pub(super) const CRON: Kind =
    object(&[key("enabled", BOOL), key("store", TEXT), key("maxConcurrentRuns", POSITIVE)]);
