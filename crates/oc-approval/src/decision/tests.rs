use oc_types::{AgentId, Node};
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

fn requested(exec: &Value) -> Requested {
    let config = Node::from_json(&json!({"tools": {"exec": exec}}), &Origin::Default);
    Requested::read(&config, &AgentId::normalized("main"))
}

fn line(standing: Standing) -> LineFacts {
    let miss = match standing {
        Standing::Hit => None,
        Standing::Miss => Some(Miss::new("not-listed", "npm")),
        Standing::Refused => Some(Miss::new("nul", "")),
    };
    LineFacts { standing, code: Code::Absent, miss }
}

fn file(security: Option<Security>, ask: Option<Ask>) -> File {
    File::Present(Posture { security, ask, ask_fallback: Security::Deny, auto_allow_skills: false })
}

struct World {
    requested: Requested,
    session: SessionOverride,
    call: Call,
    runs: Runs,
    elevated: ExecElevation,
    file: File,
}

fn world(exec: &Value) -> World {
    World {
        requested: requested(exec),
        session: SessionOverride::default(),
        call: Call::default(),
        runs: Runs::OnHost,
        elevated: ExecElevation::Off,
        file: File::Absent,
    }
}

impl World {
    fn decide(&self, line: &LineFacts) -> Decision {
        decide(&Question {
            requested: &self.requested,
            session: &self.session,
            call: &self.call,
            runs: self.runs,
            elevated: self.elevated,
            file: &self.file,
            line,
        })
    }

    fn answers(&self, standing: Standing) -> String {
        let d = self.decide(&line(standing));
        format!("{} {}", d.verdict.word(), d.route.word())
    }
}

/// A row of `fixtures/exec/unification.jsonl`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Row {
    id: String,
    source: String,
    exec: Value,
    #[serde(default)]
    elevated: Vec<String>,
    sandboxed: Option<bool>,
    file: Option<Value>,
    hit: String,
    miss: String,
}

fn elevation(word: &str) -> ExecElevation {
    match word {
        "off" => ExecElevation::Off,
        "ask" => ExecElevation::Ask,
        "full" => ExecElevation::Full,
        other => panic!("{other}"),
    }
}

#[test]
fn the_unification_table_is_a_fixture() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/exec/unification.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let mut rows = 0;
    for text in text.lines() {
        let row: Row = serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert!(!row.source.is_empty());
        rows += 1;
        for level in &row.elevated {
            for sandboxed in row.sandboxed.map_or(vec![true, false], |s| vec![s]) {
                let mut w = world(&row.exec);
                w.elevated = elevation(level);
                w.runs = if sandboxed { Runs::Sandboxed } else { Runs::OnHost };
                if let Some(f) = &row.file {
                    let word = |k: &str| f.get(k).and_then(Value::as_str);
                    w.file =
                        file(word("security").and_then(Security::parse), word("ask").and_then(Ask::parse));
                }
                assert_eq!(
                    w.answers(Standing::Hit),
                    row.hit,
                    "{} elevated {level} sandboxed {sandboxed}: hit",
                    row.id
                );
                assert_eq!(
                    w.answers(Standing::Miss),
                    row.miss,
                    "{} elevated {level} sandboxed {sandboxed}: miss",
                    row.id
                );
                assert!(w.answers(Standing::Refused).starts_with("deny"), "{}", row.id);
            }
        }
    }
    assert!(rows >= 40, "{rows}");
}

const SECURITY: [Security; 3] = [Security::Deny, Security::Allowlist, Security::Full];
const ASK: [Ask; 4] = [Ask::Off, Ask::Elevated, Ask::OnMiss, Ask::Always];

fn order(v: Verdict) -> u8 {
    match v {
        Verdict::Deny => 0,
        Verdict::Ask => 1,
        Verdict::Allow => 2,
    }
}

/// All combinations of configuration, session, call and file: the effective value is the stricter on each axis.
#[test]
fn sp_184_the_stricter_of_two_sources_counts_on_each_axis() {
    let some = |list: &[Security]| -> Vec<Option<Security>> {
        std::iter::once(None).chain(list.iter().copied().map(Some)).collect()
    };
    let some_ask: Vec<Option<Ask>> = std::iter::once(None).chain(ASK.map(Some)).collect();
    for elevated in [ExecElevation::Off, ExecElevation::Ask] {
        for config in SECURITY {
            for config_ask in ASK {
                let exec = json!({"host": "gateway", "security": word(config), "ask": ask_word(config_ask)});
                let mut w = world(&exec);
                w.elevated = elevated;
                for s in some(&SECURITY) {
                    for a in &some_ask {
                        let settled = |a: Ask| match (a, elevated) {
                            (Ask::Elevated, ExecElevation::Off) => Ask::Off,
                            (Ask::Elevated, _) => Ask::OnMiss,
                            (a, _) => a,
                        };
                        let want = (
                            s.map_or(config, |s| s.min(config)),
                            a.map_or(settled(config_ask), |a| settled(a).max(settled(config_ask))),
                        );
                        for source in 0..3 {
                            w.session = SessionOverride::default();
                            w.call = Call::default();
                            w.file = File::Absent;
                            match source {
                                0 => w.file = file(s, *a),
                                1 => {
                                    w.session =
                                        SessionOverride { security: s, ask: *a, ..SessionOverride::default() }
                                }
                                _ => w.call = Call { security: s, ask: *a, ..Call::default() },
                            }
                            let d = w.decide(&line(Standing::Miss));
                            assert_eq!((d.enforce, d.ask), want, "{exec} {s:?} {a:?} source {source}");
                            let alone = world(&exec);
                            let alone = World { elevated, ..alone }.decide(&line(Standing::Miss));
                            // Asking more often may turn a refusal for want of asking into a question, never into a run.
                            if d.verdict == Verdict::Allow {
                                assert_eq!(alone.verdict, Verdict::Allow, "{exec} {s:?} {a:?}");
                            }
                            if a.is_none() {
                                assert!(order(d.verdict) <= order(alone.verdict));
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn seed_baseline_main_group_and_elevated() {
    let mut w = world(&json!({"ask": "elevated", "security": "sandbox"}));
    assert_eq!(w.answers(Standing::Hit), "allow gateway");
    assert_eq!(w.answers(Standing::Miss), "ask gateway");
    assert_eq!(w.decide(&line(Standing::Miss)).fallback, Fallback::SandboxInactive);
    w.runs = Runs::Sandboxed;
    assert_eq!(w.answers(Standing::Hit), "allow sandbox");
    assert_eq!(w.answers(Standing::Miss), "allow sandbox");
    w.elevated = ExecElevation::Ask;
    assert_eq!(w.answers(Standing::Miss), "ask gateway");
}

#[test]
fn elevated_full_leaves_the_host_file_its_effect() {
    let mut w = world(&json!({"host": "sandbox"}));
    (w.runs, w.elevated) = (Runs::Sandboxed, ExecElevation::Full);
    assert_eq!(w.answers(Standing::Miss), "allow gateway");
    for (security, ask, want) in [
        (Some(Security::Deny), None, "deny gateway"),
        (Some(Security::Allowlist), Some(Ask::OnMiss), "ask gateway"),
        (Some(Security::Allowlist), None, "deny gateway"),
        (None, Some(Ask::Always), "ask gateway"),
        (Some(Security::Full), Some(Ask::Off), "allow gateway"),
    ] {
        w.file = file(security, ask);
        assert_eq!(w.answers(Standing::Miss), want, "{security:?} {ask:?}");
    }
}

#[test]
fn an_unreadable_file_denies_the_host_and_not_the_sandbox() {
    let mut w = world(&json!({}));
    w.file = File::Unreadable("line 1: not valid JSON".to_owned());
    assert_eq!(w.answers(Standing::Hit), "deny gateway");
    assert_eq!(w.decide(&line(Standing::Hit)).reason, "approvals-file-unreadable");
    w.runs = Runs::Sandboxed;
    assert_eq!(w.answers(Standing::Miss), "allow sandbox");
    w.elevated = ExecElevation::Full;
    assert_eq!(w.answers(Standing::Hit), "deny gateway");
}

#[test]
fn a_call_only_narrows() {
    let mut w = world(&json!({"host": "gateway", "security": "allowlist", "ask": "on-miss"}));
    w.call = Call { security: Some(Security::Full), ask: Some(Ask::Off), ..Call::default() };
    assert_eq!(w.answers(Standing::Miss), "ask gateway");
    for host in [HostWord::Sandbox, HostWord::Node, HostWord::Unknown] {
        w.call = Call { host: Some(host), ..Call::default() };
        let d = w.decide(&line(Standing::Hit));
        assert_eq!((d.verdict, d.reason.as_str()), (Verdict::Deny, "host-not-allowed"), "{host:?}");
    }
    w.call.host = Some(HostWord::Gateway);
    assert_eq!(w.answers(Standing::Hit), "allow gateway");
    let mut w = world(&json!({"host": "node", "node": "pi"}));
    w.call.node = Some("other".to_owned());
    assert_eq!(w.decide(&line(Standing::Hit)).reason, "node-not-allowed");
}

#[test]
fn sp_119_unknown_words_are_the_strictest() {
    for exec in
        [json!({"security": "yolo"}), json!({"host": "moon"}), json!({"host": "gateway", "security": 3})]
    {
        let w = world(&exec);
        assert!(w.answers(Standing::Hit).starts_with("deny"), "{exec}");
    }
    assert!(world(&json!({"host": "gateway", "ask": "never"})).answers(Standing::Hit).starts_with("ask"));
}

#[test]
fn sp_143_strict_inline_code_is_asked_every_time() {
    let mut w =
        world(&json!({"host": "gateway", "security": "full", "ask": "off", "strictInlineEval": true}));
    let code = LineFacts { code: Code::Inline, ..line(Standing::Miss) };
    let d = w.decide(&code);
    assert_eq!((d.verdict, d.reason.as_str()), (Verdict::Ask, "inline-code"));
    assert_eq!(unanswered(&d, &code).verdict, Verdict::Deny);
    w.elevated = ExecElevation::Full;
    assert_eq!(w.decide(&code).verdict, Verdict::Ask);
    w.requested.strict_inline_eval = None;
    assert_eq!(w.decide(&code).verdict, Verdict::Allow);
}

#[test]
fn sp_174_a_fallback_never_widens() {
    for fallback in SECURITY {
        for (exec, standing) in [
            (json!({"host": "gateway"}), Standing::Miss),
            (json!({"host": "gateway", "ask": "always"}), Standing::Miss),
            (json!({"host": "gateway", "ask": "always"}), Standing::Hit),
            (json!({"host": "gateway", "security": "full", "ask": "always"}), Standing::Miss),
        ] {
            let mut w = world(&exec);
            w.file = File::Present(Posture {
                security: None,
                ask: None,
                ask_fallback: fallback,
                auto_allow_skills: false,
            });
            let facts = line(standing);
            let d = w.decide(&facts);
            assert_eq!(d.verdict, Verdict::Ask);
            let may = match (d.enforce.min(fallback), standing) {
                (Security::Deny, _) => false,
                (Security::Allowlist, standing) => standing == Standing::Hit,
                (Security::Full, _) => true,
            };
            assert_eq!(unanswered(&d, &facts).verdict == Verdict::Allow, may, "{exec} {fallback:?}");
        }
    }
}

#[test]
fn answers_carry_the_key_and_its_place() {
    let d = world(&json!({"ask": "always", "security": "host"})).decide(&line(Standing::Hit));
    let keys: Vec<String> =
        d.trace.iter().filter_map(|s| s.key_path.as_ref().map(ToString::to_string)).collect();
    assert!(keys.contains(&"tools.exec.security".to_owned()) && keys.contains(&"tools.exec.ask".to_owned()));
    assert_eq!(d.trace.last().map(|s| s.layer.as_str()), Some("decision"));
}
