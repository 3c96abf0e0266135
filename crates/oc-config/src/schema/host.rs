//! `meta`, `env`, `wizard`, `diagnostics`, `logging`, `update`, `ui`: the process and its traces.

use super::kind::*;

/// Log levels.
pub(super) const LEVEL: Kind = word(&["silent", "fatal", "error", "warn", "info", "debug", "trace"]);

/// `meta`.
pub(super) const META: Kind = object(&[key("lastTouchedVersion", TEXT), key("lastTouchedAt", TEXT)]);

/// `env`.
pub(super) const ENV: Kind = entries(
    &[key("shellEnv", object(&[key("enabled", BOOL), key("timeoutMs", COUNT)])), key("vars", TEXT_MAP)],
    &TEXT,
);

/// `wizard`.
pub(super) const WIZARD: Kind = object(&[
    key("lastRunAt", TEXT),
    key("lastRunVersion", TEXT),
    key("lastRunCommit", TEXT),
    key("lastRunCommand", TEXT),
    key("lastRunMode", word(&["local", "remote"])),
]);

/// `diagnostics`.
pub(super) const DIAGNOSTICS: Kind = object(&[
    key("enabled", BOOL),
    key("flags", TEXTS),
    key(
        "otel",
        object(&[
            key("enabled", BOOL),
            key("endpoint", TEXT),
            key("protocol", word(&["http/protobuf", "grpc"])),
            key("headers", TEXT_MAP),
            key("serviceName", TEXT),
            key("traces", BOOL),
            key("metrics", BOOL),
            key("logs", BOOL),
            key("sampleRate", SHARE),
            key("flushIntervalMs", COUNT),
        ]),
    ),
    key(
        "cacheTrace",
        object(&[
            key("enabled", BOOL),
            key("filePath", TEXT),
            key("includeMessages", BOOL),
            key("includePrompt", BOOL),
            key("includeSystem", BOOL),
        ]),
    ),
]);

/// `logging`.
pub(super) const LOGGING: Kind = object(&[
    key("level", LEVEL),
    key("file", TEXT),
    key("consoleLevel", LEVEL),
    key("consoleStyle", word(&["pretty", "compact", "json"])),
    key("redactSensitive", word(&["off", "tools"])).dangerous(Lowered::Word("off")),
    key("redactPatterns", TEXTS),
    key("maxFileBytes", integer(64.0 * 1024.0, MOST)).product(),
]);

/// `update`.
pub(super) const UPDATE: Kind =
    object(&[key("channel", word(&["stable", "beta", "dev"])), key("checkOnStart", BOOL)]);

/// `ui`.
pub(super) const UI: Kind = object(&[
    key("seamColor", form(Form::HexColor)),
    key("assistant", object(&[key("name", TEXT), key("avatar", TEXT)])),
]);
