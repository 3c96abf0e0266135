//! Changes that lead to another verdict, smallest first. Each is tried before it is offered.

use oc_types::{Flip, KeyPath};
use serde_json::{Value, json};

use super::super::direct::dm_keys;
use super::super::identity::{Family, pairing_id};
use super::super::settings::Settings;
use super::super::{AccessIssue, AccessPolicy, Approved, Decision, Outcome, PairingView, Reason};
use super::Question;
use crate::explain_tool::what_if::Edit;
use crate::inbound::Inbound;
use crate::mention::MentionPatterns;

/// Tries changes and keeps those that change the verdict.
struct Tries<'q> {
    question: Question<'q>,
    now: &'static str,
    found: Vec<Flip>,
}

fn verdict(question: &Question<'_>) -> Option<&'static str> {
    let policy = AccessPolicy::new(question.config).ok()?;
    Some(policy.decide(question.message, question.pairing).outcome.word())
}

impl Tries<'_> {
    fn keep(&mut self, change: String, verdict: Option<&'static str>, opens: impl Into<String>) {
        let Some(verdict) = verdict.filter(|v| *v != self.now) else { return };
        if self.found.iter().all(|f| f.change != change) {
            self.found.push(Flip { change, verdict: verdict.to_owned(), opens: opens.into() });
        }
    }

    fn set(&mut self, key: &KeyPath, value: Value, opens: &str) {
        let edit = Edit { key: key.clone(), value };
        let config = edit.apply(self.question.config);
        let got = verdict(&Question { config: &config, ..self.question });
        let next = match got {
            Some("context_only") => {
                "the mention rule is the next gate: by default only messages that name the bot are answered"
            }
            _ => "",
        };
        let both = [opens, next].iter().filter(|t| !t.is_empty()).copied().collect::<Vec<_>>().join("; ");
        self.keep(edit.flag(), got, both);
    }

    fn message(&mut self, change: String, message: &Inbound, opens: &str) {
        let got = verdict(&Question { message, ..self.question });
        self.keep(change, got, opens);
    }

    /// The list at `key` with one more entry.
    fn append(&mut self, key: &KeyPath, entry: &str, opens: &str) {
        let mut list = match self.question.config.at(key).map(oc_types::Node::to_json) {
            Some(Value::Array(list)) => list,
            _ => Vec::new(),
        };
        list.push(json!(entry));
        self.set(key, Value::Array(list), opens);
    }
}

pub(super) fn flips(question: &Question<'_>, decision: &Decision) -> Vec<Flip> {
    let mut tries = Tries { question: *question, now: decision.outcome.word(), found: Vec::new() };
    let key = decision.decided_by.key_path.clone().unwrap_or_default();
    match &decision.outcome {
        Outcome::Allow(_) => close(&mut tries, decision),
        Outcome::Pairing(_) => pairing(&mut tries),
        Outcome::ContextOnly(reason) | Outcome::Drop(reason) => refused(&mut tries, *reason, &key),
    }
    tries.found
}

/// How an admitted message would be kept out.
fn close(tries: &mut Tries<'_>, decision: &Decision) {
    let key = decision.decided_by.key_path.clone().unwrap_or_default();
    let config = tries.question.config;
    if let (Some(list), Some(oc_types::Segment::Index(at))) = (key.parent(), key.segments().last())
        && let Some(Value::Array(mut entries)) = config.at(&list).map(oc_types::Node::to_json)
        && *at < entries.len()
    {
        entries.remove(*at);
        tries.set(&list, Value::Array(entries), "");
    }
    let settings = settings(tries);
    let direct = tries.question.message.kind == crate::inbound::ConversationKind::Direct;
    let policy = if direct {
        dm_keys(&settings, family(tries)).policy.path()
    } else {
        settings.get("groupPolicy").path()
    };
    let opens = if direct { "closes direct messages altogether" } else { "closes all rooms of this account" };
    tries.set(&policy, json!("disabled"), opens);
}

fn family(tries: &Tries<'_>) -> Family {
    Family::of(&tries.question.message.channel)
}

fn settings<'q>(tries: &Tries<'q>) -> Settings<'q> {
    let message = tries.question.message;
    Settings::of(tries.question.config, &message.channel, &message.account)
}

fn sender(tries: &Tries<'_>) -> Option<String> {
    pairing_id(family(tries), tries.question.message)
}

fn pairing(tries: &mut Tries<'_>) {
    let Some(id) = sender(tries) else { return };
    let channel = tries.question.message.channel.clone();
    let code = tries.question.pairing.live().iter().find(|r| r.id == id).and_then(|r| r.code.clone());
    if let (Some(code), Approved::Entries(entries)) = (code, &tries.question.pairing.approved) {
        let mut approved = entries.clone();
        approved.push(id.clone());
        let view = PairingView { approved: Approved::Entries(approved), ..tries.question.pairing.clone() };
        let got = verdict(&Question { pairing: &view, ..tries.question });
        tries.keep(format!("openclaw pairing approve {channel} {code}"), got, "");
    }
    let list = dm_keys(&settings(tries), family(tries)).list.path();
    tries.append(&list, &id, "");
}

fn refused(tries: &mut Tries<'_>, reason: Reason, key: &KeyPath) {
    let message = tries.question.message;
    let room = message.conversation.as_str().to_owned();
    match reason {
        Reason::ChannelDisabled | Reason::GroupDisabled | Reason::TopicDisabled | Reason::BotMessage => {
            tries.set(key, json!(true), "");
        }
        Reason::DmDisabled => {
            let enabled = key.segments().last() == Some(&oc_types::Segment::Key("enabled".to_owned()));
            tries.set(key, if enabled { json!(true) } else { json!("pairing") }, "");
        }
        Reason::DmNotAllowlisted => {
            if let Some(id) = sender(tries) {
                tries.append(key, &id, "");
            }
            let policy = dm_keys(&settings(tries), family(tries)).policy.path();
            tries.set(
                &policy,
                json!("pairing"),
                "everybody who was approved may write again, and strangers may ask",
            );
        }
        Reason::DmPairingRequired | Reason::DmHistorySuppressed => {
            if let Some(id) = sender(tries) {
                tries.append(&dm_keys(&settings(tries), family(tries)).list.path(), &id, "");
            }
        }
        Reason::GroupPolicyDisabled => tries.set(key, json!("allowlist"), "only listed senders and rooms"),
        Reason::GroupAllowlistEmpty
        | Reason::GroupSenderNotAllowed
        | Reason::GroupSenderOverrideBlocked
        | Reason::ChannelSenderNotAllowed => {
            if let Some(id) = sender(tries) {
                tries.append(key, &id, "");
            }
        }
        Reason::GroupNotListed => room_entry(tries, &key.key(room), &json!({}), ""),
        Reason::GuildNotListed => {
            if let Some(guild) = message.place.guild.clone() {
                room_entry(tries, &key.key(guild), &json!({}), "admits all channels of this server");
            }
        }
        Reason::ChannelNotListed => match key.segments().last() {
            Some(oc_types::Segment::Key(last)) if last == "allow" || last == "enabled" => {
                tries.set(key, json!(true), "")
            }
            _ => room_entry(tries, &key.key(room), &json!({"allow": true}), ""),
        },
        Reason::ChannelAllowlistEmpty => {
            let guild = message.place.guild.clone().filter(|_| family(tries) == Family::Discord);
            let opens = if guild.is_some() { "admits all channels of this server" } else { "" };
            room_entry(tries, &key.key(guild.unwrap_or(room)), &json!({}), opens);
        }
        Reason::GroupDmDisabled => tries.set(key, json!(true), "admits every group direct message"),
        Reason::GroupDmNotListed => tries.append(key, &room, ""),
        Reason::MentionRequired => mention(tries, key),
        Reason::CommandUnauthorized => {
            let Some(id) = sender(tries) else { return };
            let settings = settings(tries);
            let direct = dm_keys(&settings, family(tries)).list.path();
            for list in [settings.get("groupAllowFrom").path(), direct] {
                if tries.found.is_empty() {
                    tries.append(&list, &id, "");
                }
            }
        }
        Reason::UnknownAgent => {
            tries.set(key, json!("main"), "the messages of this binding go to that agent")
        }
        Reason::EventUnknown | Reason::FromMe | Reason::GroupSenderUnknown | Reason::ActivationNotOwner => {}
    }
}

/// A room or server added to its map; when the mention rule then holds the message back, also without that rule.
fn room_entry(tries: &mut Tries<'_>, key: &KeyPath, value: &Value, opens: &str) {
    let before = tries.found.len();
    tries.set(key, value.clone(), opens);
    let held = tries.found.get(before).is_some_and(|f| f.verdict == "context_only" || f.verdict == "drop");
    if held || tries.found.len() == before {
        let mut open = value.as_object().cloned().unwrap_or_default();
        open.insert("requireMention".to_owned(), json!(false));
        let more = if opens.is_empty() {
            "every message of this room is answered".to_owned()
        } else {
            format!("{opens}; no mention is needed")
        };
        tries.set(key, Value::Object(open), &more);
    }
}

fn mention(tries: &mut Tries<'_>, key: &KeyPath) {
    let question = tries.question;
    let mut message = question.message.clone();
    if let Some(word) = spoken(&question) {
        message.text = format!("{word} {}", question.message.text).trim().to_owned();
        tries.message(format!("--text {}", quoted(&message.text)), &message, "");
    }
    let mut message = question.message.clone();
    message.mentions.bot = Some(true);
    tries.message("--mentioned".to_owned(), &message, "");
    if !key.is_root() {
        tries.set(key, json!(false), "every message of this room is answered");
    }
}

/// Words that the agent's patterns recognise, if a pattern is a plain word.
fn spoken(question: &Question<'_>) -> Option<String> {
    let policy = AccessPolicy::new(question.config).ok()?;
    let agent = policy.agent_of(question.message)?;
    let patterns = MentionPatterns::for_agent(question.config, &agent);
    let node = question.config.at(&patterns.key_path)?;
    let texts = match node.as_array() {
        Some(list) => list.iter().filter_map(oc_types::Node::as_str).map(str::to_owned).collect(),
        None => node
            .get("name")
            .and_then(oc_types::Node::as_str)
            .map(|n| vec![format!("@{n}")])
            .unwrap_or_default(),
    };
    // A pattern with meaning is tried without its anchors and boundaries; only what then matches is offered.
    let plain = |t: String| t.replace("\\b", "").replace(['^', '$', '?', '\\'], "");
    texts.into_iter().map(plain).find(|t| !t.trim().is_empty() && patterns.matches(t))
}

/// For a shell, in double quotes.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// What makes the configuration usable again: the closed change first.
pub(super) fn repairs(question: &Question<'_>, issue: &AccessIssue) -> Vec<Flip> {
    let mut tries = Tries { question: *question, now: "config-invalid", found: Vec::new() };
    match &issue.because {
        Some(policy) => {
            tries.set(policy, json!("pairing"), "");
            tries.set(&issue.path, json!(["*"]), "opens the bot to everybody who finds it");
        }
        None => {
            let rooms =
                issue.path.segments().last() == Some(&oc_types::Segment::Key("groupPolicy".to_owned()));
            tries.set(&issue.path, if rooms { json!("allowlist") } else { json!("pairing") }, "");
        }
    }
    tries.found
}
