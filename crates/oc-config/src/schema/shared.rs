//! Shapes that several sections share.

use super::kind::*;

/// Who may write to the bot directly.
pub(super) const DM_POLICY: Kind = word(&["pairing", "allowlist", "open", "disabled"]);

/// Who may use the bot in rooms.
pub(super) const GROUP_POLICY: Kind = word(&["open", "disabled", "allowlist"]);

/// `true`, `false` or `auto`.
pub(super) const AUTO: Kind = either(&[BOOL, word(&["auto"])]);

/// A tool policy.
pub(super) const TOOL_POLICY: Kind = object(POLICY);

/// The lists of a tool policy.
const POLICY: &[Key] = &[key("allow", TEXTS), key("alsoAllow", TEXTS), key("deny", TEXTS)];

/// The tool policy of a room, with the seeds' spelling of per-sender policies.
pub(super) const ROOM_POLICY: Kind = joined(&[POLICY, &[key("bySender", SENDER_POLICIES).product()]]);

/// Tool policies by sender.
pub(super) const SENDER_POLICIES: Kind = map(&TOOL_POLICY);

/// When a long answer is sent in parts.
pub(super) const COALESCE: Kind =
    object(&[key("minChars", POSITIVE), key("maxChars", POSITIVE), key("idleMs", COUNT)]);

/// How a long answer is cut.
pub(super) const CHUNK: Kind = object(&[
    key("minChars", POSITIVE),
    key("maxChars", POSITIVE),
    key("breakPreference", word(&["paragraph", "newline", "sentence"])),
]);

/// How tables are shown.
pub(super) const MARKDOWN: Kind = object(&[key("tables", word(&["off", "bullets", "code"]))]);

/// Settings by person.
pub(super) const DMS: Kind = map(&object(&[key("historyLimit", COUNT)]));

/// Retries of the service's API.
pub(super) const RETRY: Kind = object(&[
    key("attempts", POSITIVE),
    key("minDelayMs", COUNT),
    key("maxDelayMs", COUNT),
    key("jitter", SHARE),
]);

/// What the regular wake-up shows.
pub(super) const VISIBILITY: Kind =
    object(&[key("showOk", BOOL), key("showAlerts", BOOL), key("useIndicator", BOOL)]);

/// Who may answer requests for approval with a button.
pub(super) const APPROVERS: Kind = object(&[key("approvers", ENTRIES)]);

/// Native commands of a channel.
pub(super) const CHANNEL_COMMANDS: Kind = object(&[key("native", AUTO), key("nativeSkills", AUTO)]);

/// Which messages an answer quotes.
pub(super) const REPLY_TO: Kind = word(&["off", "first", "all"]);

/// How long texts are cut.
pub(super) const CHUNK_MODE: Kind = word(&["length", "newline"]);

/// Where something was installed from.
pub(super) const INSTALL: &[Key] = &[
    key("source", either(&[word(&["npm", "archive", "path"]), product_word(&["git"])])).required(),
    key("spec", TEXT),
    key("sourcePath", TEXT),
    key("installPath", TEXT),
    key("version", TEXT),
    key("installedAt", TEXT),
    key("resolvedName", TEXT).product(),
    key("resolvedVersion", TEXT).product(),
    key("resolvedSpec", TEXT).product(),
    key("resolvedAt", TEXT).product(),
    key("integrity", TEXT).product(),
    key("shasum", TEXT).product(),
];

/// Keys that every channel and account takes.
pub(super) const EVERY: &[Key] =
    &[key("dangerouslyAllowNameMatching", BOOL).product().dangerous(Lowered::On)];
