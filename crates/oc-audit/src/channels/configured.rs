//! Whether an account has what it needs to connect. An account that has not is not audited.

use std::path::{Path, PathBuf};

use oc_types::{AccountId, Node, Value};

use super::account::Account;
use crate::facts::TextFact;
use crate::{AuditContext, Wanted};

/// Most bytes of a token file.
const TOKEN_FILE: u64 = 64 * 1024;

/// Token files and WhatsApp's link credentials.
pub fn wants(ctx: &AuditContext<'_>, account: &Account<'_>, wanted: &mut Wanted) {
    match account.channel {
        "telegram" => {
            for node in [account.own_value("tokenFile"), account.channel_value("tokenFile")] {
                if let Some(path) = node.and_then(Node::as_str).and_then(file) {
                    wanted.text(path, TOKEN_FILE);
                }
            }
        }
        "whatsapp" => {
            for path in whatsapp_credentials(ctx, account) {
                wanted.text(path, Wanted::SMALL_FILE);
            }
        }
        _ => {}
    }
}

fn file(text: &str) -> Option<PathBuf> {
    Some(text.trim()).filter(|t| !t.is_empty()).map(PathBuf::from)
}

/// Where the link credentials of a WhatsApp account may lie.
fn whatsapp_credentials(ctx: &AuditContext<'_>, account: &Account<'_>) -> Vec<PathBuf> {
    const NAME: &str = "creds.json";
    if let Some(dir) = account.own_value("authDir").and_then(Node::as_str).and_then(file) {
        return vec![dir.join(NAME)];
    }
    let credentials = &ctx.facts.places.credentials;
    let mut paths = vec![credentials.join("whatsapp").join(Path::new(&account.id)).join(NAME)];
    if account.id == AccountId::DEFAULT {
        paths.push(credentials.join(NAME));
    }
    paths
}

/// Whether it can connect, as far as can be told without connecting.
#[must_use]
pub fn is_configured(ctx: &AuditContext<'_>, account: &Account<'_>) -> bool {
    let has = |key: &str| account.get(key).is_some_and(is_written);
    let variable = |name: &str| account.is_default() && ctx.facts.environment.text(name).is_some();
    match account.channel {
        "telegram" => telegram(ctx, account),
        "whatsapp" => {
            let off = account.own.and_then(|o| o.get("enabled")).and_then(Node::as_bool) == Some(false)
                || ctx.flag(&["web", "enabled"]) == Some(false);
            !off && whatsapp_credentials(ctx, account).iter().any(|p| is_json(ctx.facts.text(p)))
        }
        "discord" => {
            account.own_value("token").is_some_and(is_written)
                || (account.is_default() && account.channel_value("token").is_some_and(is_written))
                || variable("DISCORD_BOT_TOKEN")
        }
        "slack" => {
            (has("botToken") || variable("SLACK_BOT_TOKEN"))
                && (has("appToken") || variable("SLACK_APP_TOKEN"))
        }
        "signal" => {
            ["account", "httpUrl", "cliPath", "httpHost", "httpPort", "autoStart"].iter().any(|key| has(key))
        }
        "msteams" => has("appId") && has("appPassword") && has("tenantId"),
        "googlechat" => {
            has("serviceAccount")
                || has("serviceAccountFile")
                || variable("GOOGLE_CHAT_SERVICE_ACCOUNT")
                || variable("GOOGLE_CHAT_SERVICE_ACCOUNT_FILE")
        }
        "bluebubbles" => has("serverUrl") && has("password"),
        "mattermost" => {
            (has("botToken") || variable("MATTERMOST_BOT_TOKEN"))
                && (has("baseUrl") || variable("MATTERMOST_URL"))
        }
        "nextcloud-talk" => {
            (has("botSecret") || has("botSecretFile") || variable("NEXTCLOUD_TALK_BOT_SECRET"))
                && has("baseUrl")
        }
        "line" => has("channelAccessToken") || has("tokenFile") || variable("LINE_CHANNEL_ACCESS_TOKEN"),
        // The recorded release reported nothing at all for these.
        "matrix" | "zalouser" | "nostr" | "tlon" | "irc" | "twitch" if !ctx.latest() => false,
        "matrix" => has("homeserver") && (has("accessToken") || has("userId")),
        "feishu" => has("appId") && has("appSecret"),
        "zalo" => has("botToken") || has("tokenFile") || variable("ZALO_BOT_TOKEN"),
        "nostr" => has("privateKey"),
        _ => account.section.is_some(),
    }
}

fn is_written(node: &Node) -> bool {
    match &node.value {
        Value::String(s) => !s.trim().is_empty(),
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
    }
}

fn is_json(text: &TextFact) -> bool {
    text.as_str().is_some_and(|t| serde_json::from_str::<serde::de::IgnoredAny>(t).is_ok())
}

/// Account token file, account token; then, for `default` only, the channel's and the variable. A token file that is missing ends the
/// search; an empty one does at an account and does not at the channel.
fn telegram(ctx: &AuditContext<'_>, account: &Account<'_>) -> bool {
    let of_channel = account.section.filter(|_| account.is_default());
    for (section, own) in [(account.own, true), (of_channel, false)] {
        let Some(section) = section else { continue };
        if let Some(path) = section.get("tokenFile").and_then(Node::as_str).and_then(file) {
            match ctx.facts.text(&path).as_str() {
                Some(text) if !text.trim().is_empty() => return true,
                Some(_) if !own => {}
                Some(_) | None => return false,
            }
        }
        if section.get("botToken").is_some_and(is_written) {
            return true;
        }
    }
    account.is_default() && ctx.facts.environment.text("TELEGRAM_BOT_TOKEN").is_some()
}
