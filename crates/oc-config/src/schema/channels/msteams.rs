//! `channels.msteams`.

use super::super::kind::*;
use super::super::shared;

/// Keys of the channel and of each account.
const KEYS: &[Key] = &[
    key("enabled", BOOL),
    key("capabilities", TEXTS),
    key("markdown", shared::MARKDOWN),
    key("configWrites", BOOL),
    key("appId", TEXT),
    key("appPassword", SECRET),
    key("tenantId", TEXT),
    key("webhook", object(&[key("port", POSITIVE), key("path", TEXT)])),
    key("dmPolicy", shared::DM_POLICY).default(Literal::Text("pairing")),
    key("allowFrom", TEXTS),
    key("groupAllowFrom", TEXTS),
    key("groupPolicy", shared::GROUP_POLICY).default(Literal::Text("allowlist")),
    key("textChunkLimit", POSITIVE),
    key("chunkMode", shared::CHUNK_MODE),
    key("blockStreamingCoalesce", shared::COALESCE),
    key("mediaAllowHosts", TEXTS),
    key("mediaAuthAllowHosts", TEXTS),
    key("requireMention", BOOL),
    key("historyLimit", COUNT),
    key("dmHistoryLimit", COUNT),
    key("dms", shared::DMS),
    key("replyStyle", word(&["thread", "top-level"])),
    key(
        "teams",
        map(&object(&[
            key("requireMention", BOOL),
            key("tools", shared::ROOM_POLICY),
            key("toolsBySender", shared::SENDER_POLICIES),
            key("replyStyle", word(&["thread", "top-level"])),
            key(
                "channels",
                map(&object(&[
                    key("requireMention", BOOL),
                    key("tools", shared::ROOM_POLICY),
                    key("toolsBySender", shared::SENDER_POLICIES),
                    key("replyStyle", word(&["thread", "top-level"])),
                ])),
            ),
        ])),
    ),
    key("mediaMaxMb", ABOVE_ZERO),
    key("sharePointSiteId", TEXT),
    key("heartbeat", shared::VISIBILITY),
    key("responsePrefix", TEXT),
    key("execApprovals", shared::APPROVERS).product(),
    key("apiRoot", form(Form::HttpUrl)).product(),
    key("loginRoot", form(Form::HttpUrl)).product(),
    key("openIdRoot", form(Form::HttpUrl)).product(),
    key("serviceHosts", TEXTS).product(),
];

/// One account.
const ACCOUNT: Kind = joined(&[KEYS, shared::EVERY, &[]]);

/// `channels.msteams`.
pub(super) const CHANNEL: Kind = Kind::Joined(&[
    KEYS,
    shared::EVERY,
    &[key("accounts", map(&ACCOUNT)).product(), key("defaultAccount", TEXT).product()],
]);
