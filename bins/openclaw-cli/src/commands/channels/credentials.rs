//! Which credentials each channel's adapter takes, and where they are taken back.

use anyhow::{Result, bail};
use oc_channels::adapters::built;
use oc_text::visible;
use oc_types::ChannelId;

/// When a credential is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// In any case.
    Always,
    /// When a setting has this value.
    Is(&'static str, &'static str),
    /// When a setting has another value than this, or none.
    IsNot(&'static str, &'static str),
    /// When a setting is there.
    Set(&'static str),
    /// When `--key` names it.
    Named,
}

/// A credential.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// Its key below the account.
    pub key: &'static [&'static str],
    /// The key that takes the path of its file, where there is one of its own; elsewhere the key takes `{ file: "/path" }`.
    pub file_key: Option<&'static str>,
    /// What it is.
    pub what: &'static str,
    /// When it is asked for.
    pub when: When,
}

impl Slot {
    /// The key as people write it.
    pub fn name(&self) -> String {
        self.key.join(".")
    }
}

/// What a channel needs.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// The channel.
    pub id: &'static str,
    /// Its credentials.
    pub slots: &'static [Slot],
    /// Settings without which the adapter does not start, and what they are. No secrets.
    pub settings: &'static [(&'static [&'static str], &'static str)],
    /// Where a credential is taken back.
    pub revoke: &'static str,
}

const fn slot(key: &'static [&'static str], what: &'static str, when: When) -> Slot {
    Slot { key, file_key: None, what, when }
}

const fn filed(key: &'static [&'static str], file_key: &'static str, what: &'static str, when: When) -> Slot {
    Slot { key, file_key: Some(file_key), what, when }
}

const SERVICES: &[Service] = &[
    Service {
        id: "telegram",
        slots: &[
            filed(&["botToken"], "tokenFile", "the bot's token from @BotFather", When::Always),
            slot(&["webhookSecret"], "the secret of the webhook", When::Set("webhookUrl")),
        ],
        settings: &[],
        revoke: "write /revoke to @BotFather",
    },
    Service {
        id: "discord",
        slots: &[slot(&["token"], "the bot's token", When::Always)],
        settings: &[],
        revoke: "Developer Portal, the application, Bot, Reset Token",
    },
    Service {
        id: "slack",
        slots: &[
            slot(&["botToken"], "the bot's token, xoxb-...", When::Always),
            slot(&["appToken"], "the app's token for Socket Mode, xapp-...", When::IsNot("mode", "http")),
            slot(&["signingSecret"], "the app's signing secret", When::Is("mode", "http")),
        ],
        settings: &[],
        revoke: "api.slack.com/apps, the app: revoke its tokens, regenerate the signing secret",
    },
    Service {
        id: "matrix",
        slots: &[
            slot(&["accessToken"], "an access token of the bot's account", When::Always),
            slot(&["password"], "the password of the bot's account", When::Named),
        ],
        settings: &[(&["homeserver"], "the address of the homeserver")],
        revoke: "sign the session out in a client of the bot's account, or change its password",
    },
    Service {
        id: "irc",
        slots: &[
            filed(
                &["saslPassword"],
                "saslPasswordFile",
                "the password of the nick (SASL, NickServ)",
                When::Always,
            ),
            filed(&["password"], "passwordFile", "the password of the server", When::Named),
        ],
        settings: &[(&["host"], "the name of the server"), (&["nick"], "the bot's nick")],
        revoke: "change the password with NickServ (or at the server)",
    },
    Service {
        id: "mattermost",
        slots: &[slot(&["botToken"], "the bot's token", When::Always)],
        settings: &[(&["baseUrl"], "the address of the server")],
        revoke: "Integrations, Bot Accounts, the bot: delete the token",
    },
    Service {
        id: "whatsapp",
        slots: &[
            slot(&["cloud", "accessToken"], "the access token of the system user", When::Always),
            slot(&["cloud", "appSecret"], "the app's secret", When::Always),
            slot(&["cloud", "verifyToken"], "the word that the webhook is verified with", When::Always),
        ],
        settings: &[(&["cloud", "phoneNumberId"], "the number's id in Meta's app dashboard")],
        revoke: "Meta: revoke the system user's tokens, reset the app's secret",
    },
    Service {
        id: "msteams",
        slots: &[slot(&["appPassword"], "the application's client secret", When::Always)],
        settings: &[(&["appId"], "the bot's application id")],
        revoke: "Azure, App registrations, the application, Certificates & secrets: delete it",
    },
    Service {
        id: "bluebubbles",
        slots: &[slot(&["password"], "the password of the server", When::Always)],
        settings: &[(&["serverUrl"], "the address of the server")],
        revoke: "change the password in the BlueBubbles server",
    },
    Service { id: "signal", slots: &[], settings: &[], revoke: "unlink the device in Signal" },
    Service { id: "imessage", slots: &[], settings: &[], revoke: "sign out in Messages on the Mac" },
];

/// The channel that was named.
///
/// # Errors
/// It is no name of a channel.
pub fn channel(text: &str) -> Result<ChannelId> {
    Ok(ChannelId::parse(text)?)
}

/// What a channel needs.
///
/// # Errors
/// It has no adapter here.
pub fn service(channel: &ChannelId) -> Result<&'static Service> {
    match SERVICES.iter().find(|s| s.id == channel.as_str()) {
        Some(found) => Ok(found),
        None => {
            let known: Vec<&str> = built().collect();
            bail!(
                "{}: this channel has no adapter here; there are {}",
                visible(channel.as_str(), 80),
                known.join(", ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_adapter_has_a_row() {
        let mut have: Vec<&str> = SERVICES.iter().map(|s| s.id).collect();
        let mut want: Vec<&str> = built().collect();
        have.sort_unstable();
        want.sort_unstable();
        assert_eq!(have, want);
    }

    #[test]
    fn every_key_is_one_of_the_configuration() {
        for s in SERVICES {
            let keys = s.slots.iter().map(|slot| slot.name());
            let files = s.slots.iter().filter_map(|slot| slot.file_key).map(str::to_owned);
            let settings = s.settings.iter().map(|(key, _)| key.join("."));
            for key in keys.chain(files).chain(settings) {
                let path = oc_types::KeyPath::parse(&format!("channels.{}.{key}", s.id)).unwrap();
                assert!(oc_config::schema::lookup(&path).is_some(), "{path}");
            }
        }
    }
}
