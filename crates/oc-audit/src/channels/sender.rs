//! Senders in one spelling, and the pairing store.

use std::path::PathBuf;

use crate::AuditContext;

/// The file of a channel's pairing store.
#[must_use]
pub fn store_path(ctx: &AuditContext<'_>, channel: &str) -> PathBuf {
    ctx.facts.places.credentials.join(format!("{channel}-allowFrom.json"))
}

/// The senders a pairing store admits. Blank entries and `*` are dropped; a store that cannot be read counts as empty, for the
/// question here is whom it names. (The gateway itself refuses everybody when its store is broken.)
#[must_use]
pub fn store(ctx: &AuditContext<'_>, channel: &str) -> Vec<String> {
    let Some(text) = ctx.facts.text(&store_path(ctx, channel)).as_str() else { return Vec::new() };
    let Ok(json) = serde_json::from_str::<serde_json::Value>(text) else { return Vec::new() };
    let list = json.get("allowFrom").and_then(serde_json::Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|v| match v {
            serde_json::Value::String(s) => Some(s.trim().to_owned()),
            serde_json::Value::Number(n) => Some(n.to_string()),
            _ => None,
        })
        .filter(|s| !s.is_empty() && s != "*")
        .collect()
}

/// One spelling per person, as far as the channel's own forms go.
#[must_use]
pub fn normalized(channel: &str, entry: &str) -> String {
    let entry = entry.trim();
    match channel {
        "telegram" => without_prefix(entry, &["telegram:", "tg:"]).trim().to_owned(),
        "discord" => mention(without_prefix(entry, &["discord:", "user:"])).to_owned(),
        "slack" => without_prefix(entry, &["slack:", "user:"]).to_owned(),
        "whatsapp" => phone(without_prefix(entry, &["whatsapp:"])),
        "signal" => phone(without_prefix(entry, &["signal:"])),
        "mattermost" => {
            without_prefix(entry, &["mattermost:", "user:"]).trim_start_matches('@').to_lowercase()
        }
        "nextcloud-talk" => without_prefix(entry, &["nextcloud-talk:", "nc-talk:", "nc:"]).to_lowercase(),
        "googlechat" => without_prefix(entry, &["googlechat:", "google-chat:", "gchat:"]).to_lowercase(),
        "zalo" => without_prefix(entry, &["zalo:", "zl:"]).to_owned(),
        "bluebubbles" => handle(without_prefix(entry, &["bluebubbles:"])),
        _ => entry.to_owned(),
    }
}

fn without_prefix<'a>(text: &'a str, prefixes: &[&str]) -> &'a str {
    prefixes
        .iter()
        .find_map(|p| text.get(..p.len())?.eq_ignore_ascii_case(p).then(|| text.get(p.len()..))?)
        .unwrap_or(text)
}

/// `<@id>` and `<@!id>` without their wrapping.
fn mention(text: &str) -> &str {
    let inner = text.strip_prefix("<@").and_then(|t| t.strip_suffix('>'));
    let inner = inner.map(|t| t.strip_prefix('!').unwrap_or(t));
    inner.filter(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit())).unwrap_or(text)
}

/// A mail address in lower case, or a number without its spacing.
fn handle(text: &str) -> String {
    if text.contains('@') {
        return text.to_lowercase();
    }
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '-' | '.')).collect()
}

/// Digits with one leading `+`.
fn phone(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    format!("+{digits}")
}

#[cfg(test)]
mod tests {
    use super::normalized;

    #[test]
    fn one_person_one_spelling() {
        for (channel, spellings) in [
            ("telegram", ["telegram:7", "TG:7", "7"]),
            ("discord", ["<@!55>", "discord:<@55>", "user:55"]),
            ("slack", ["slack:U1", "user:U1", "U1"]),
            ("whatsapp", ["+1 (555) 000-1111", "whatsapp:+15550001111", "15550001111"]),
            ("signal", ["signal:+1555", "+1555", "1 555"]),
            ("mattermost", ["@Bob", "bob", "mattermost:bob"]),
            ("nextcloud-talk", ["Bob", "bob", "nextcloud-talk:bob"]),
            ("bluebubbles", ["+1 555", "+1555", "bluebubbles:+1-555"]),
        ] {
            let one = normalized(channel, spellings[0]);
            assert!(spellings.iter().all(|s| normalized(channel, s) == one), "{channel}: {one}");
        }
    }
}
