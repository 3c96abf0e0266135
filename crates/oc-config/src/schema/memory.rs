//! `memory` and `agents.*.memorySearch`: what is remembered and where it is indexed.

use super::kind::*;

/// Index file.
pub(super) const STORE: Kind = object(&[
    key("driver", word(&["sqlite"])),
    key("path", TEXT),
    key("vector", object(&[key("enabled", BOOL), key("extensionPath", TEXT)])),
]);

/// Mixed search.
pub(super) const HYBRID: Kind = object(&[
    key("enabled", BOOL),
    key("vectorWeight", SHARE),
    key("textWeight", SHARE),
    key("candidateMultiplier", POSITIVE),
]);

/// Batch requests.
pub(super) const BATCH: Kind = object(&[
    key("enabled", BOOL),
    key("wait", BOOL),
    key("concurrency", POSITIVE),
    key("pollIntervalMs", COUNT),
    key("timeoutMinutes", POSITIVE),
]);

/// Search limits.
pub(super) const QUERY: Kind =
    object(&[key("maxResults", POSITIVE), key("minScore", SHARE), key("hybrid", HYBRID)]);

/// When the index follows the files.
pub(super) const SYNC: Kind = object(&[
    key("onSessionStart", BOOL),
    key("onSearch", BOOL),
    key("watch", BOOL),
    key("watchDebounceMs", COUNT),
    key("intervalMinutes", COUNT),
    key("sessions", object(&[key("deltaBytes", COUNT), key("deltaMessages", COUNT)])),
]);

/// The service that embeds.
pub(super) const REMOTE: Kind =
    object(&[key("baseUrl", TEXT), key("apiKey", SECRET), key("headers", TEXT_MAP), key("batch", BATCH)]);

/// `memorySearch`.
pub(super) const MEMORY_SEARCH: Kind = object(&[
    key("enabled", BOOL),
    key("sources", list(&word(&["memory", "sessions"]))),
    key("extraPaths", TEXTS),
    key("experimental", object(&[key("sessionMemory", BOOL)])),
    key("provider", word(&["openai", "local", "gemini", "voyage"])),
    key("remote", REMOTE),
    key("fallback", word(&["openai", "gemini", "local", "voyage", "none"])),
    key("model", TEXT),
    key("local", object(&[key("modelPath", TEXT), key("modelCacheDir", TEXT)])),
    key("store", STORE),
    key("chunking", object(&[key("tokens", POSITIVE), key("overlap", COUNT)])),
    key("sync", SYNC),
    key("query", QUERY),
    key("cache", object(&[key("enabled", BOOL), key("maxEntries", POSITIVE)])),
]);

/// `memory`.
pub(super) const MEMORY: Kind = object(&[
    key("backend", word(&["builtin", "qmd"])),
    key("citations", word(&["auto", "on", "off"])),
    key(
        "qmd",
        object(&[
            key("command", TEXT),
            key("includeDefaultMemory", BOOL),
            key(
                "paths",
                list(&object(&[key("path", TEXT).required(), key("name", TEXT), key("pattern", TEXT)])),
            ),
            key(
                "sessions",
                object(&[key("enabled", BOOL), key("exportDir", TEXT), key("retentionDays", COUNT)]),
            ),
            key(
                "update",
                object(&[
                    key("interval", TEXT),
                    key("debounceMs", COUNT),
                    key("onBoot", BOOL),
                    key("waitForBootSync", BOOL),
                    key("embedInterval", TEXT),
                    key("commandTimeoutMs", COUNT),
                    key("updateTimeoutMs", COUNT),
                    key("embedTimeoutMs", COUNT),
                ]),
            ),
            key(
                "limits",
                object(&[
                    key("maxResults", POSITIVE),
                    key("maxSnippetChars", POSITIVE),
                    key("maxInjectedChars", POSITIVE),
                    key("timeoutMs", COUNT),
                ]),
            ),
            key(
                "scope",
                object(&[
                    key("default", word(&["allow", "deny"])),
                    key(
                        "rules",
                        list(&object(&[
                            key("action", word(&["allow", "deny"])).required(),
                            key(
                                "match",
                                object(&[
                                    key("channel", TEXT),
                                    key("chatType", word(&["direct", "group", "channel", "dm"])),
                                    key("keyPrefix", TEXT),
                                ]),
                            ),
                        ])),
                    ),
                ]),
            ),
        ]),
    ),
]);
