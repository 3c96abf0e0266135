//! What follows the sender rules: routing, command gate, room users, mention gate.

use oc_types::{Effect, KeyPath};

use super::identity::Family;
use super::{AccessPolicy, Admission, By, Case, Outcome, Passed, Reason, Stop};
use crate::command::gate::{CommandGrant, command_grant, uses_access_groups};
use crate::command::{CommandText, text_commands_count};
use crate::inbound::{ConversationKind, Inbound};
use crate::mention::{ExplicitMention, MentionFacts, MentionVerdict, mention_gate};
use crate::routing::{Route, RouteQuery, Router, UnknownAgent};

pub(super) fn decide<'a>(
    policy: &AccessPolicy<'a>,
    case: &mut Case<'a, '_>,
    passed: Passed<'a>,
) -> Result<(Admission, By), Box<Stop>> {
    let route = route(policy, case)?;
    let config = case.config();
    let message = case.message;
    let room = message.kind != ConversationKind::Direct;
    let grant = command_grant(uses_access_groups(config), passed.when_off, &passed.commands);
    let command = CommandText::read(&message.text, message.bot_username.as_deref(), config);
    let text_commands = text_commands_count(config, message.channel.as_str());
    let is_command = command.command.is_some();
    let owner = !room || is_owner(case);
    if room && case.family == Family::WhatsApp && command.command == Some("activation") && !owner {
        let path = case.settings.get("allowFrom").path();
        return Err(Stop::drop(Reason::ActivationNotOwner, "commands", "activation", path));
    }
    let gate = || KeyPath::dotted("commands.useAccessGroups");
    if room && is_command && text_commands && !grant.is_authorized() {
        return Err(Stop::drop(Reason::CommandUnauthorized, "commands", "access-groups", gate()));
    }
    if is_command {
        let (effect, said) = match grant {
            CommandGrant::Authorized => (Effect::Keeps, "the sender may use commands here"),
            CommandGrant::Refused => {
                (Effect::Inert, "the sender may not use commands here; the command is ignored")
            }
        };
        case.steps.add("commands", "access-groups", effect, || (gate(), said));
    }
    if let Some((users, reason)) = &passed.users {
        super::room::only_listed(case, users, *reason)?;
    }
    let by = passed.by.clone();
    let (meant, named) = if room {
        let verdict = mention(policy, case, &passed, &route, (grant, is_command, text_commands, owner))?;
        (Some(verdict.effective), Some(verdict.effective && !verdict.bypass))
    } else {
        (None, None)
    };
    let admission = Admission {
        conversation: message.conversation.clone(),
        kind: message.kind,
        agent: route.agent,
        session_key: route.session_key,
        commands: grant,
        meant,
        named,
    };
    Ok((admission, by))
}

fn route(policy: &AccessPolicy<'_>, case: &mut Case<'_, '_>) -> Result<Route, Box<Stop>> {
    let route = route_of(&policy.router, case.message).map_err(|e| {
        Stop::drop(Reason::UnknownAgent, "routing", "binding", e.path.clone()).with(e.to_string())
    })?;
    case.steps.add("routing", route.matched_by.word(), Effect::Keeps, || {
        let path = route.decided_at.clone().unwrap_or_else(|| KeyPath::dotted("bindings"));
        (path, format!("agent {}, session {}", route.agent, route.session_key))
    });
    Ok(route)
}

/// A topic is a peer of its own below its group; a thread hangs below its channel.
pub(super) fn route_of(router: &Router<'_>, message: &Inbound) -> Result<Route, UnknownAgent> {
    let place = &message.place;
    let conversation = message.conversation.as_str();
    let topic = (message.kind != ConversationKind::Direct).then_some(place.topic.as_deref()).flatten();
    let with_topic = topic.map(|t| format!("{conversation}:topic:{t}"));
    let parent = match (&with_topic, &place.thread_parent) {
        (Some(_), _) => Some((message.kind, conversation)),
        (None, Some(parent)) => Some((ConversationKind::Channel, parent.as_str())),
        (None, None) => None,
    };
    router.route(&RouteQuery {
        channel: message.channel.as_str(),
        account: &message.account,
        kind: message.kind,
        peer: with_topic.as_deref().unwrap_or(conversation),
        parent,
        guild: place.guild.as_deref(),
        team: place.team.as_deref(),
        thread: place.thread.as_deref(),
    })
}

/// On WhatsApp only those on the direct-message list by number, and the account itself, are owners.
fn is_owner(case: &Case<'_, '_>) -> bool {
    let list = case.list(&case.settings.get("allowFrom"));
    let own = case.message.self_phone.as_ref().map(|p| p.as_str());
    list.names_person(&case.sender) || own.is_some_and(|own| case.sender.ids.iter().any(|id| id == own))
}

/// Whether the text holds the bot's own number, however it is grouped.
fn names_own_number(case: &Case<'_, '_>) -> bool {
    let Some(own) = &case.message.self_phone else { return false };
    let digits: String = case.message.text.chars().filter(char::is_ascii_digit).collect();
    digits.contains(own.as_str().trim_start_matches('+'))
}

fn mention(
    policy: &AccessPolicy<'_>,
    case: &mut Case<'_, '_>,
    passed: &Passed<'_>,
    route: &Route,
    (grant, is_command, text_commands, owner): (CommandGrant, bool, bool, bool),
) -> Result<MentionVerdict, Box<Stop>> {
    let message = case.message;
    let patterns = policy.index.patterns(case.config(), &route.agent);
    let native = message.mentions.bot;
    let explicit =
        ExplicitMention { any: message.mentions.others || native == Some(true), bot: native == Some(true) };
    let whatsapp = case.family == Family::WhatsApp;
    // On WhatsApp naming somebody else ends it.
    let elsewhere = whatsapp && message.mentions.others && !explicit.bot;
    let mentioned =
        !elsewhere && (patterns.mentioned(&message.text, explicit) || (whatsapp && names_own_number(case)));
    let replies_count = matches!(
        case.family,
        Family::WhatsApp | Family::Telegram | Family::Slack | Family::Discord | Family::Teams
    );
    let facts = MentionFacts {
        room: true,
        required: passed.mention.as_ref().is_some_and(|m| m.required),
        detectable: native.is_some() || !patterns.is_empty(),
        mentioned,
        implicit: replies_count && message.mentions.reply_to_bot,
        any: explicit.any,
        text_commands,
        command: is_command && (!whatsapp || owner),
        grant,
    };
    let verdict = mention_gate(&facts);
    let Some(rule) = &passed.mention else { return Ok(verdict) };
    let path = &rule.path;
    if patterns.is_empty() {
        case.steps.add("mention", "patterns", Effect::Absent, || {
            (patterns.key_path.clone(), "no mention patterns")
        });
    } else {
        let said =
            if mentioned { "the text or the service names the bot" } else { "no pattern fits the text" };
        case.steps.add("mention", "patterns", Effect::Keeps, || (patterns.key_path.clone(), said));
    }
    if verdict.skip {
        // Matrix and Google Chat keep no pending history.
        let outcome = match case.family {
            Family::Matrix | Family::GoogleChat => Outcome::Drop(Reason::MentionRequired),
            _ => Outcome::ContextOnly(Reason::MentionRequired),
        };
        return Err(Box::new(Stop {
            outcome,
            layer: "mention",
            rule: "requireMention",
            path: path.clone(),
            detail: String::new(),
        }));
    }
    let said = match (facts.required, facts.detectable) {
        (false, _) => "no mention is needed",
        (true, false) => "a mention is required, but none could be noticed here: there are no patterns",
        (true, true) if verdict.bypass => "an authorised command needs no mention",
        (true, true) => "the message is meant for the bot",
    };
    case.steps.add("mention", "requireMention", Effect::Keeps, || (path.clone(), said));
    Ok(verdict)
}
