//! Channel cases: access, pairing, sessions, routing, commands, mentions, untrusted content, addresses.

use oc_channels::pairing::{ApprovedList, Pending, Request, Upserted};
use oc_policy::access::{AccessPolicy, Approved, Outcome, PairingView, PendingRequest};
use oc_policy::command::CommandText;
use oc_policy::command::approve::{ApproveText, approve_text};
use oc_policy::command::exec::exec_directive;
use oc_policy::command::gate::{Authorizer, CommandGrant, WhenOff, command_grant, uses_access_groups};
use oc_policy::command::owner::{CommandSender, command_auth};
use oc_policy::inbound::{ConversationId, ConversationKind, Inbound, MutableNames, Phone, SenderId};
use oc_policy::mention::{ExplicitMention, MentionFacts, MentionPatterns, at_names, mention_gate};
use oc_policy::routing::{RouteQuery, Router};
use oc_policy::session_key::{SessionKey, SessionParts, SessionSettings, Shape, session_key};
use oc_types::{AccountId, AgentId, ChannelId, Node, Origin};
use serde_json::{Value, json};

use super::{Kind, active, any};

pub(super) const KINDS: &[Kind] = &[
    Kind { stem: "access", claims: any, standing: active, run: access },
    Kind { stem: "pairing-store", claims: any, standing: active, run: pairing_store },
    Kind { stem: "session-keys", claims: any, standing: active, run: session_keys },
    Kind { stem: "session-key-shape", claims: any, standing: active, run: session_key_shape },
    Kind { stem: "routing", claims: any, standing: active, run: routing },
    Kind { stem: "command-auth", claims: any, standing: active, run: owner_step },
    Kind { stem: "command-gate", claims: any, standing: active, run: command_gate },
    Kind { stem: "command-text", claims: any, standing: active, run: command_text },
    Kind { stem: "approve-text", claims: any, standing: active, run: approve },
    Kind { stem: "exec-directive", claims: any, standing: active, run: exec },
    Kind { stem: "mentions", claims: any, standing: active, run: mentions },
    Kind { stem: "mention-gate", claims: any, standing: active, run: gate },
    Kind { stem: "elevated", claims: is_channel_row, standing: active, run: elevated },
    Kind { stem: "external-content", claims: any, standing: active, run: external_content },
    Kind { stem: "ssrf", claims: any, standing: active, run: ssrf },
];

fn is_channel_row(row: &Value) -> bool {
    row.get("event").is_some()
}

/// What the product has to give: `product.expected` where it stands, else the recorded value.
fn expected(row: &Value) -> &Value {
    row.get("product").and_then(|p| p.get("expected")).or_else(|| row.get("expected")).unwrap_or(&Value::Null)
}

/// Every recorded member has to agree; members that were not recorded are ours alone.
fn same(row: &Value, got: &Value) -> Result<(), String> {
    let expected = expected(row);
    let members = expected.as_object().ok_or("the case records nothing")?;
    match members.iter().all(|(k, v)| got.get(k).unwrap_or(&Value::Null) == v) {
        true => Ok(()),
        false => Err(format!("expected {expected}\ngot      {got}")),
    }
}

fn config(row: &Value) -> Node {
    Node::from_json(row.get("config").unwrap_or(&json!({})), &Origin::Default)
}

fn event(row: &Value) -> &Value {
    row.get("event").unwrap_or(&Value::Null)
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let one = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    value.and_then(Value::as_array).into_iter().flatten().map(one).collect()
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool) == Some(true)
}

/// A number or a text.
fn id(value: &Value, key: &str) -> Option<String> {
    value.get(key).filter(|v| !v.is_null()).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
}

/// The time of every access case, Unix milliseconds.
const NOW: i64 = 1_770_000_000_000;
/// The bot's own number in the WhatsApp cases that give none.
const OWN_NUMBER: &str = "+15550009999";

fn inbound(e: &Value) -> Result<Inbound, String> {
    let channel = ChannelId::parse(text(e, "channel").unwrap_or_default()).map_err(|e| e.to_string())?;
    let kind = ConversationKind::parse(text(e, "chatType").unwrap_or_default());
    let name = channel.as_str().to_owned();
    let mut message = Inbound::new(channel, kind, ConversationId::new(text(e, "peerId").unwrap_or_default()));
    if let Some(account) = text(e, "accountId") {
        account.clone_into(&mut message.account);
    }
    message.sender.id = id(e, "senderId").and_then(|id| SenderId::new(&id));
    message.sender.phone = text(e, "senderE164").and_then(Phone::parse);
    message.sender.names = MutableNames::new(
        text(e, "senderUsername"),
        text(e, "senderName"),
        text(e, "senderTag"),
        text(e, "senderEmail"),
    );
    message.sender.is_bot = flag(e, "senderIsBot");
    text(e, "text").unwrap_or_default().clone_into(&mut message.text);
    message.from_me = flag(e, "fromMe");
    message.mentions.bot = e.get("wasMentioned").and_then(Value::as_bool);
    message.mentions.others = flag(e, "mentionsOther");
    message.mentions.reply_to_bot = flag(e, "replyToBot");
    if name == "telegram" {
        message.bot_username = Some("bot_name".to_owned());
        let (bot, others): (Vec<&str>, Vec<&str>) = at_names(&message.text).partition(|n| *n == "bot_name");
        let named = !bot.is_empty() || message.mentions.bot == Some(true);
        message.mentions.bot = Some(named);
        message.mentions.others |= !others.is_empty();
    }
    if name == "whatsapp" {
        message.self_phone = Phone::parse(text(e, "selfE164").unwrap_or(OWN_NUMBER));
    }
    message.sent_ms = e.get("messageTimestampMs").and_then(Value::as_i64);
    message.connected_ms = e.get("connectedAtMs").and_then(Value::as_i64);
    let place = &mut message.place;
    place.name = id(e, "channelName");
    place.topic = id(e, "topicId");
    place.thread = id(e, "threadId");
    place.thread_parent = id(e, "threadParentId").map(|id| ConversationId::new(&id));
    place.thread_parent_name = id(e, "threadParentName");
    place.guild = id(e, "guildId");
    place.guild_name = id(e, "guildName");
    place.team = id(e, "teamId");
    place.chat_id = id(e, "chatId");
    place.chat_guid = id(e, "chatGuid");
    place.chat_identifier = id(e, "chatIdentifier");
    Ok(message)
}

fn access(row: &Value) -> Result<(), String> {
    let config = config(row);
    let policy = match AccessPolicy::new(&config) {
        Ok(policy) => policy,
        Err(issues) => {
            let paths: Vec<String> = issues.iter().map(|i| i.path.to_string()).collect();
            return same(row, &json!({"configValid": false, "issuePaths": paths}));
        }
    };
    let e = event(row);
    let pending = texts(e.get("pending")).into_iter().map(|id| PendingRequest {
        id,
        code: None,
        created_ms: Some(NOW),
        last_seen_ms: Some(NOW),
    });
    let pairing = PairingView {
        approved: Approved::Entries(texts(row.get("pairingStore"))),
        pending: pending.collect(),
        now_ms: NOW,
    };
    let decision = policy.decide(&inbound(e)?, &pairing);
    let mut got = serde_json::Map::new();
    let mut put = |key: &str, value: Value| got.insert(key.to_owned(), value);
    put("decision", json!(decision.outcome.word()));
    if let Some(reason) = decision.outcome.reason() {
        put("reason", json!(reason.word()));
    }
    match &decision.outcome {
        Outcome::Allow(admission) => {
            put("commandAuthorized", json!(admission.commands().is_authorized()));
            put("sessionKey", json!(admission.session_key().as_str()));
            put("agentId", json!(admission.agent().as_str()));
            put("effectiveWasMentioned", json!(admission.effective_was_mentioned()));
        }
        Outcome::Pairing(notice) => {
            put("pairingCreated", json!(notice.created()));
            put("pairingId", json!(notice.id()));
            put("pendingCount", json!(notice.pending()));
        }
        Outcome::ContextOnly(_) | Outcome::Drop(_) => {}
    }
    same(row, &Value::Object(got))
}

fn pairing_store(row: &Value) -> Result<(), String> {
    let e = event(row);
    let minutes = |v: &Value, key: &str| v.get(key).and_then(Value::as_i64).map(|m| NOW - m * 60_000);
    let requests = e.get("preexisting").and_then(Value::as_array).into_iter().flatten().map(|r| Request {
        id: text(r, "id").unwrap_or_default().to_owned(),
        code: text(r, "code").unwrap_or_default().to_owned(),
        created_ms: minutes(r, "ageMin"),
        last_seen_ms: minutes(r, "seenMin").or_else(|| minutes(r, "ageMin")),
        meta: Vec::new(),
    });
    let mut pending = Pending::new(requests.collect());
    let channel = ChannelId::parse(text(e, "channel").unwrap_or_default()).map_err(|e| e.to_string())?;
    let mut approved = ApprovedList::new(channel, &[]);
    let mut count = 0u64;
    let mut random = |bytes: &mut [u8; 8]| {
        count += 1;
        *bytes = count.to_be_bytes();
    };
    let mut results = Vec::new();
    for op in e.get("operations").and_then(Value::as_array).into_iter().flatten() {
        let entry = text(op, "entry").unwrap_or_default();
        results.push(match text(op, "op").unwrap_or_default() {
            "upsert" => {
                let id = text(op, "id").unwrap_or_default();
                match pending.upsert(id, &[], NOW, &mut random).map_err(|e| e.to_string())? {
                    Upserted::Created { .. } => json!({"created": true, "code": "<new>"}),
                    Upserted::Known { code } => json!({"created": false, "code": code}),
                    Upserted::Full => json!({"created": false, "code": ""}),
                }
            }
            "approve" => match pending.approve(text(op, "code").unwrap_or_default(), NOW) {
                Some(done) => {
                    approved.add(&done.id);
                    json!({"id": done.id})
                }
                None => Value::Null,
            },
            "list" => {
                pending.prune(NOW);
                json!(pending.requests().iter().map(|r| &r.id).collect::<Vec<_>>())
            }
            "allowAdd" => json!({"changed": approved.add(entry), "allowFrom": approved.entries()}),
            "allowRemove" => json!({"changed": approved.remove(entry), "allowFrom": approved.entries()}),
            "allowRead" => json!({"allowFrom": approved.entries()}),
            other => return Err(format!("no operation is called {other:?}")),
        });
    }
    let ids: Vec<&str> = pending.requests().iter().map(|r| r.id.as_str()).collect();
    same(row, &json!({"results": results, "pendingIds": ids}))
}

fn session_keys(row: &Value) -> Result<(), String> {
    let settings = SessionSettings::from_config(&config(row)).map_err(|e| e.to_string())?;
    let e = event(row);
    let agent = AgentId::normalized(text(e, "agentId").unwrap_or_default());
    let account = AccountId::normalized(text(e, "accountId").unwrap_or_default());
    let (topic, thread) = (id(e, "topicId"), id(e, "threadId"));
    let parts = SessionParts {
        agent: &agent,
        channel: text(e, "channel").unwrap_or_default(),
        account: &account,
        kind: ConversationKind::parse(text(e, "chatType").unwrap_or_default()),
        peer: text(e, "peerId").unwrap_or_default(),
        topic: topic.as_deref(),
        thread: thread.as_deref(),
    };
    let (key, parent) = session_key(&settings, &parts);
    same(
        row,
        &json!({"sessionKey": key.as_str(), "parentSessionKey": parent.as_ref().map(SessionKey::as_str)}),
    )
}

fn session_key_shape(row: &Value) -> Result<(), String> {
    let given = text(event(row), "sessionKey").unwrap_or_default();
    let key = SessionKey::parse(given).ok();
    same(
        row,
        &json!({
            "shape": Shape::of(given).word(),
            "isSubagent": key.as_ref().is_some_and(SessionKey::is_subagent),
            "threadParent": key.as_ref().and_then(SessionKey::thread_parent),
        }),
    )
}

fn routing(row: &Value) -> Result<(), String> {
    let config = config(row);
    let router = Router::new(&config).map_err(|e| e.to_string())?;
    let e = event(row);
    let parent = text(e, "parentPeerId").map(|id| {
        let kind = text(e, "parentKind").or_else(|| text(e, "chatType")).unwrap_or_default();
        (ConversationKind::parse(kind), id)
    });
    let thread = id(e, "threadId");
    let query = RouteQuery {
        channel: text(e, "channel").unwrap_or_default(),
        account: text(e, "accountId").unwrap_or_default(),
        kind: ConversationKind::parse(text(e, "chatType").unwrap_or_default()),
        peer: text(e, "peerId").unwrap_or_default(),
        parent,
        guild: text(e, "guildId"),
        team: text(e, "teamId"),
        thread: thread.as_deref(),
    };
    let account = query.account.trim();
    let got = match router.route(&query) {
        Ok(route) => json!({
            "agentId": route.agent.as_str(),
            "matchedBy": route.matched_by.word(),
            "sessionKey": route.session_key.as_str(),
            "mainSessionKey": route.main_session_key.as_str(),
            "accountId": if account.is_empty() { AccountId::DEFAULT } else { account },
        }),
        Err(_) => json!({"error": "unknown_agent"}),
    };
    same(row, &got)
}

fn owner_step(row: &Value) -> Result<(), String> {
    let e = event(row);
    let direct = ConversationKind::parse(text(e, "chatType").unwrap_or_default()) == ConversationKind::Direct;
    let sender_id = id(e, "senderId");
    let sender = CommandSender {
        channel: text(e, "channel").unwrap_or_default(),
        account: text(e, "accountId").unwrap_or_default(),
        id: sender_id.as_deref(),
        e164: text(e, "senderE164"),
        from: text(e, "from").filter(|_| direct),
    };
    let gate = CommandGrant::when(flag(e, "gateAuthorized"));
    let got = command_auth(&config(row), &sender, gate, &texts(e.get("ownerAllowFrom")));
    same(
        row,
        &json!({
            "isAuthorizedSender": got.grant.is_authorized(),
            "senderIsOwner": got.owner,
            "ownerList": got.owners,
            "senderId": got.sender,
        }),
    )
}

fn command_gate(row: &Value) -> Result<(), String> {
    let e = event(row);
    let off = match text(e, "modeWhenAccessGroupsOff") {
        None | Some("allow") => WhenOff::Allow,
        Some("deny") => WhenOff::Deny,
        Some("configured") => WhenOff::Configured,
        Some(other) => return Err(format!("no mode is called {other:?}")),
    };
    let lists = e.get("authorizers").and_then(Value::as_array).into_iter().flatten();
    let lists: Vec<_> = lists
        .map(|a| Authorizer { configured: flag(a, "configured"), allowed: flag(a, "allowed") })
        .collect();
    let grant = command_grant(uses_access_groups(&config(row)), off, &lists);
    same(row, &json!({"commandAuthorized": grant.is_authorized()}))
}

fn command_text(row: &Value) -> Result<(), String> {
    let e = event(row);
    let got = CommandText::read(text(e, "text").unwrap_or_default(), text(e, "botUsername"), &config(row));
    same(
        row,
        &json!({
            "normalized": got.normalized,
            "hasControlCommand": got.command.is_some(),
            "isControlMessage": got.is_control(),
        }),
    )
}

fn approve(row: &Value) -> Result<(), String> {
    let got = match approve_text(text(event(row), "text").unwrap_or_default()) {
        None => json!({"match": false}),
        Some(ApproveText::Incomplete) => json!({"match": true, "ok": false}),
        Some(ApproveText::Decision { id, decision, .. }) => {
            json!({"match": true, "ok": true, "id": id, "decision": decision.word()})
        }
    };
    same(row, &got)
}

fn exec(row: &Value) -> Result<(), String> {
    let got = exec_directive(text(event(row), "text").unwrap_or_default());
    same(
        row,
        &json!({
            "hasDirective": got.present,
            "cleaned": got.cleaned,
            "host": got.host,
            "security": got.security,
            "ask": got.ask,
            "node": got.node,
            "invalid": got.invalid,
        }),
    )
}

fn mentions(row: &Value) -> Result<(), String> {
    let e = event(row);
    let agent = AgentId::normalized(text(e, "agentId").unwrap_or_default());
    let patterns = MentionPatterns::for_agent(&config(row), &agent);
    let explicit = e.get("explicit").map_or_else(ExplicitMention::default, |x| ExplicitMention {
        any: flag(x, "hasAnyMention"),
        bot: flag(x, "isExplicitlyMentioned"),
    });
    let mentioned = patterns.mentioned(text(e, "text").unwrap_or_default(), explicit);
    same(row, &json!({"mentioned": mentioned, "patternCount": patterns.len()}))
}

fn gate(row: &Value) -> Result<(), String> {
    let e = event(row);
    let verdict = mention_gate(&MentionFacts {
        room: flag(e, "isGroup"),
        required: flag(e, "requireMention"),
        detectable: flag(e, "canDetectMention"),
        mentioned: flag(e, "wasMentioned"),
        implicit: flag(e, "implicitMention"),
        any: flag(e, "hasAnyMention"),
        text_commands: flag(e, "allowTextCommands"),
        command: flag(e, "hasControlCommand"),
        grant: CommandGrant::when(flag(e, "commandAuthorized")),
    });
    same(
        row,
        &json!({
            "effectiveWasMentioned": verdict.effective,
            "shouldSkip": verdict.skip,
            "shouldBypassMention": verdict.bypass,
        }),
    )
}

fn elevated(row: &Value) -> Result<(), String> {
    use oc_policy::elevated::{Sender, Turn, gate};
    let e = event(row);
    let sender_id = id(e, "senderId");
    let sender = Sender {
        id: sender_id.as_deref(),
        e164: text(e, "senderE164"),
        from: text(e, "from"),
        name: text(e, "senderName"),
        username: text(e, "senderUsername"),
        tag: text(e, "senderTag"),
        conversation: ConversationKind::parse(text(e, "chatType").unwrap_or_default()),
    };
    let agent = AgentId::normalized(text(e, "agentId").unwrap_or_default());
    let got = gate(&config(row), &agent, text(e, "channel"), &sender, Turn::Person);
    same(row, &serde_json::to_value(&got).map_err(|e| e.to_string())?)
}

fn external_content(row: &Value) -> Result<(), String> {
    use oc_text::external::{External, ExternalSource, sanitize_markers, wrap};
    const ID: &str = "00112233aabbccdd";
    let e = event(row);
    let body = text(e, "text").unwrap_or_default();
    let Some(source) = text(e, "source") else {
        return same(row, &json!({"sanitized": sanitize_markers(body)}));
    };
    let source = ExternalSource::parse(source);
    let external = External { source, text: body, sender: text(e, "sender"), subject: text(e, "subject") };
    // The recorded envelopes carry no id.
    let wrapped = wrap(&external, ID, false).replace(&format!(" id=\"{ID}\""), "");
    same(row, &json!({"wrapped": wrapped, "warningByDefault": source.warns_by_default()}))
}

fn ssrf(row: &Value) -> Result<(), String> {
    use oc_text::address::{classify, is_blocked_host};
    let e = event(row);
    let got = match (text(e, "address"), text(e, "hostname")) {
        (Some(address), _) => json!({"private": !classify(address).is_public()}),
        (None, host) => json!({"blocked": is_blocked_host(host.unwrap_or_default())}),
    };
    same(row, &got)
}
