//! Random configurations and contexts, from a seed.

use serde_json::{Map, Value, json};

/// A small deterministic generator (splitmix64): the same seed makes the same world everywhere.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

pub const TOOLS: &[&str] = &[
    "read",
    "edit",
    "write",
    "apply_patch",
    "exec",
    "process",
    "browser",
    "canvas",
    "nodes",
    "cron",
    "message",
    "tts",
    "gateway",
    "agents_list",
    "sessions_list",
    "sessions_history",
    "sessions_send",
    "sessions_spawn",
    "session_status",
    "web_search",
    "web_fetch",
    "image",
    "memory_search",
    "memory_get",
    "whatsapp_login",
    "lobster",
    "voice_call_start",
    "voice_call_end",
];

pub const PLUGINS: &[(&str, &str)] = &[
    ("memory_search", "memory-core"),
    ("memory_get", "memory-core"),
    ("lobster", "lobster"),
    ("voice_call_start", "voice-call"),
    ("voice_call_end", "voice-call"),
];

const ENTRIES: &[&str] = &[
    "read",
    "edit",
    "Write",
    " exec ",
    "bash",
    "apply-patch",
    "apply_patch",
    "process",
    "browser",
    "cron",
    "automations",
    "message",
    "image",
    "session_status",
    "sessions_list",
    "memory_search",
    "web_fetch",
    "group:fs",
    "group:runtime",
    "GROUP:WEB",
    "group:memory",
    "group:sessions",
    "group:openclaw",
    "group:plugins",
    "group:media",
    "group:nope",
    "group:*",
    "*",
    "**",
    "sess*",
    "*_list",
    "web_*",
    "*e*",
    "s*s*t",
    "nope",
    "(read)",
    "re.d",
    "",
    "   ",
    "lobster",
    "Voice-Call",
    "voice_call_end",
    "memory-core",
    "slack",
    "telegram",
    "whatsapp_login",
];

const PROFILES: &[&str] = &["minimal", "coding", "messaging", "full", "full"];

pub fn list(d: &mut Dice) -> Value {
    let n = d.below(5);
    (0..n).map(|_| Value::from(*d.pick(ENTRIES))).collect()
}

/// A policy object: `allow` and `alsoAllow` seldom together.
pub fn policy(d: &mut Dice) -> Map<String, Value> {
    let mut p = Map::new();
    if d.one_in(3) {
        p.insert("allow".into(), list(d));
    }
    if d.one_in(4) && (!p.contains_key("allow") || d.one_in(5)) {
        p.insert("alsoAllow".into(), list(d));
    }
    if d.one_in(2) {
        p.insert("deny".into(), list(d));
    }
    p
}

fn scope(d: &mut Dice) -> Map<String, Value> {
    let mut p = policy(d);
    if d.one_in(3) {
        p.insert("profile".into(), (*d.pick(PROFILES)).into());
    }
    p
}

fn providers(d: &mut Dice) -> Value {
    let mut map = Map::new();
    for key in ["openai", "OpenAI/GPT-5.2", "anthropic", "anthropic/claude"] {
        if d.one_in(3) {
            map.insert(key.into(), scope(d).into());
        }
    }
    map.into()
}

fn sandbox_tools(d: &mut Dice) -> Value {
    let mut p = Map::new();
    if d.one_in(2) {
        p.insert("allow".into(), list(d));
    }
    if d.one_in(2) {
        p.insert("deny".into(), list(d));
    }
    p.into()
}

const SENDER_KEYS: &[&str] = &[
    "9",
    "@bob",
    "bob",
    "+1555",
    "John Doe",
    "*",
    "id:9",
    "username:bob",
    "name:bob",
    "e164:+1555",
    "channel:telegram:9",
];

fn room(d: &mut Dice) -> Value {
    let mut room = Map::new();
    if d.one_in(4) {
        room.insert("requireMention".into(), true.into());
    }
    let senders = |d: &mut Dice| {
        let mut map = Map::new();
        for key in SENDER_KEYS {
            if d.one_in(6) {
                map.insert((*key).into(), policy(d).into());
            }
        }
        Value::from(map)
    };
    if d.one_in(2) {
        let mut tools = if d.one_in(3) { Map::new() } else { policy(d) };
        if d.one_in(3) {
            tools.insert("bySender".into(), senders(d));
        }
        room.insert("tools".into(), tools.into());
    }
    if d.one_in(3) {
        room.insert("toolsBySender".into(), senders(d));
    }
    room.into()
}

pub fn config(d: &mut Dice) -> Value {
    let mut tools = scope(d);
    if d.one_in(2) {
        tools.insert("byProvider".into(), providers(d));
    }
    if d.one_in(4) {
        tools.insert("sandbox".into(), json!({"tools": sandbox_tools(d)}));
    }
    if d.one_in(4) {
        tools.insert("subagents".into(), json!({"tools": sandbox_tools(d)}));
    }
    if d.one_in(5) {
        let inner = sandbox_tools(d);
        tools.insert("subagent".into(), if d.one_in(2) { json!({"tools": inner}) } else { inner });
    }
    let mut agents = Vec::new();
    for id in ["w", "My Work", "main", "w"] {
        if d.one_in(2) {
            let mut agent = Map::new();
            agent.insert("id".into(), id.into());
            if d.one_in(4) {
                agent.insert("default".into(), true.into());
            }
            if d.one_in(2) {
                let mut own = scope(d);
                if d.one_in(3) {
                    own.insert("byProvider".into(), providers(d));
                }
                if d.one_in(5) {
                    own.insert("sandbox".into(), json!({"tools": sandbox_tools(d)}));
                }
                agent.insert("tools".into(), own.into());
            }
            if d.one_in(3) {
                let mut sandbox = json!({"mode": *d.pick(&["off", "non-main", "all"])});
                if d.one_in(3) {
                    sandbox["tools"] = sandbox_tools(d);
                }
                agent.insert("sandbox".into(), sandbox);
            }
            agents.push(Value::from(agent));
        }
    }
    let mut defaults = json!({});
    if d.one_in(2) {
        defaults["sandbox"] = json!({"mode": *d.pick(&["off", "non-main", "all"])});
        if d.one_in(4) {
            defaults["sandbox"]["tools"] = sandbox_tools(d);
        }
    }
    let mut config = json!({"tools": tools, "agents": {"defaults": defaults, "list": agents}});
    if d.one_in(2) {
        let mut telegram = Map::new();
        let groups = |d: &mut Dice| {
            let mut map = Map::new();
            for id in ["-1", "*", "-2"] {
                if d.one_in(2) {
                    map.insert(id.into(), room(d));
                }
            }
            Value::from(map)
        };
        if d.one_in(2) {
            telegram.insert("groups".into(), groups(d));
        }
        if d.one_in(3) {
            telegram.insert("accounts".into(), json!({"Biz": {"groups": groups(d)}, "bare": {}}));
        }
        config["channels"] = json!({"telegram": telegram});
    }
    if d.one_in(6) {
        config["session"] = json!({"scope": "global"});
    }
    config
}

const KEYS: &[&str] = &[
    "agent:main:main",
    "agent:w:main",
    "agent:my-work:main",
    "main",
    "global",
    "agent:w:telegram:group:-1",
    "agent:main:telegram:group:-1:topic:7",
    "agent:w:telegram:channel:-2",
    "telegram:group:-1",
    "agent:w:direct:5",
    "agent:w:subagent:q",
    "agent:main:SUBAGENT:telegram:group:-1",
    "subagent:x",
    "agent:w:cron:job",
    "agent:other:main",
    "agent:main:slack:channel:c1",
    "agent:w",
    "agent::x",
];

/// Keys that are not malformed.
pub fn sound_key(d: &mut Dice) -> &'static str {
    KEYS[d.below(KEYS.len() - 2)]
}

pub fn context(d: &mut Dice) -> Value {
    let mut c = Map::new();
    if !d.one_in(12) {
        let key = if d.one_in(20) { *d.pick(KEYS) } else { sound_key(d) };
        c.insert("sessionKey".into(), key.into());
    }
    if d.one_in(2) {
        c.insert("provider".into(), (*d.pick(&["openai", " OpenAI ", "anthropic", "google"])).into());
        if !d.one_in(4) {
            c.insert("model".into(), (*d.pick(&["gpt-5.2", "GPT-5.2", "claude", "anthropic/claude"])).into());
        }
    }
    let mut maybe = |key: &str, values: &[&str], n: usize| {
        if d.one_in(n) {
            let value = *d.pick(values);
            c.insert(key.into(), value.into());
        }
    };
    maybe("senderId", &["9", "1", "bob", "+1555"], 2);
    maybe("senderE164", &["+1555", "+2"], 4);
    maybe("senderUsername", &["bob", "@Bob", "9"], 3);
    maybe("senderName", &["John Doe", "bob", "9"], 3);
    maybe("accountId", &["biz", "Biz", "bare", "none"], 4);
    maybe("groupId", &["-1", "-2", "-1:topic:3"], 8);
    maybe("channel", &["telegram", "TELEGRAM", "slack"], 8);
    maybe(
        "spawnedBy",
        &["agent:w:telegram:group:-1", "agent:main:main", "agent:my-work:main", "agent:bad"],
        5,
    );
    if d.one_in(4) {
        c.insert("senderIsOwner".into(), true.into());
    }
    c.into()
}

pub fn row(config: Value, context: Value) -> Value {
    let plugins: Map<String, Value> = PLUGINS.iter().map(|(t, p)| ((*t).into(), (*p).into())).collect();
    json!({"name": "random", "config": config, "context": context, "tools": TOOLS, "pluginTools": plugins})
}
