//! Security properties of names, hashes and engine arguments.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use oc_policy::sandbox::{Place, Plan, SandboxPlan, Scope, plan};
use oc_sandbox::config_hash::{collate, digest_of, legacy_hash};
use oc_sandbox::context::{Context, context};
use oc_sandbox::docker_args::{
    Baseline, ExecRequest, PathRules, Runner, SANDBOX_PATH, build, exec_command, harden, validate,
    workspace_refusal,
};
use oc_sandbox::lifecycle::{
    Action, Activity, Engine, EnsureError, Ownership, Reported, Wanted, ended_session_containers, ensure,
    prune_due,
};
use oc_sandbox::naming::{MAX_NAME, NameError, container_name, cut_name, slug};
use oc_sandbox::registry::{Entry, Registry};
use oc_types::{Node, Origin};
use proptest::prelude::*;
use serde_json::{Value, json};

fn sandbox(docker: &Value) -> (SandboxPlan, Context) {
    let config = json!({"agents": {"defaults": {"sandbox": {"mode": "all", "docker": docker}}}});
    let place = Place { home: "/home/u".to_owned(), state_dir: "/home/u/.openclaw".to_owned() };
    let config = Node::from_json(&config, &Origin::Default);
    let Plan::Sandbox(plan) = plan(&config, Some("agent:main:main"), &place).expect("a plan") else {
        panic!("sandboxed")
    };
    let context = context(&plan, "/home/u/.openclaw/workspace", |_| None).expect("a name");
    (*plan, context)
}

fn refusals(docker: &Value, resolve: &dyn Fn(&str) -> String) -> Vec<String> {
    let roots = ["/home/u/.openclaw/workspace".to_owned(), "/srv/work".to_owned()];
    let rules =
        PathRules { permitted_roots: &roots, home: "/home/u", state_dir: "/home/u/.openclaw", resolve };
    validate(&sandbox(docker).0.settings.docker, &rules).iter().map(ToString::to_string).collect()
}

fn is_refused(docker: &Value) -> bool {
    !refusals(docker, &str::to_owned).is_empty()
}

#[test]
fn sp_230_bind_sources_are_judged_as_written_and_where_they_lead() {
    let bind = |source: &str| json!({"binds": [format!("{source}:/data:ro")]});
    for ok in ["/srv/work", "/srv/work/a/b", "/srv/work/x/../y", "/home/u/.openclaw/workspace/sub"] {
        assert!(!is_refused(&bind(ok)), "{ok}");
    }
    for bad in [
        "/",
        "/etc",
        "/etc/ssl",
        "/srv/../etc",
        "/srv/work/../../etc",
        "//proc/1",
        "/sys",
        "/dev",
        "/root",
        "/boot",
        "/run/docker.sock",
        "/var/run/docker.sock",
        "/var",
        "/home",
        "/home/u",
        "/home/u/.ssh",
        "/home/u/.aws/x",
        "/home/u/.openclaw",
        "/home/u/.openclaw/credentials",
        "/home/u/.openclaw/sandboxes",
        "/srv",
        "/srv/workshop",
        "relative",
        "~/x",
        "",
        "name",
    ] {
        assert!(is_refused(&bind(bad)), "{bad:?}");
    }
    // Symlinked parents, also of a leaf that does not exist yet.
    let leads = |to: &'static str| move |p: &str| p.replace("/srv/work/link", to);
    for to in ["/etc", "/home/u/.ssh", "/home/u/.openclaw/credentials", "/var/run", "/opt"] {
        assert!(!refusals(&bind("/srv/work/link/new/leaf"), &leads(to)).is_empty(), "{to}");
    }
    assert!(refusals(&bind("/srv/work/link/new"), &leads("/srv/work/real")).is_empty());
}

#[test]
fn sp_230_break_glass_lifts_only_what_it_names() {
    let outside = |key: &str, bind: &str| json!({"binds": [bind], key: true});
    assert!(!is_refused(&outside("dangerouslyAllowExternalBindSources", "/opt/data:/data")));
    for never in ["/etc:/data", "/home/u/.ssh:/data", "/home/u/.openclaw:/data"] {
        assert!(is_refused(&outside("dangerouslyAllowExternalBindSources", never)), "{never}");
    }
    for target in ["/workspace", "/workspace/sub", "/agent", "/", "relative", "/workspace/../agent"] {
        assert!(is_refused(&json!({"binds": [format!("/srv/work:{target}")]})), "{target}");
    }
    assert!(!is_refused(&outside("dangerouslyAllowReservedContainerTargets", "/srv/work:/agent")));
    assert!(is_refused(&json!({"binds": ["/srv/work:/data:ro,rshared"]})), "mount propagation");
}

/// Why a workspace is refused in a home; links lead where `resolve` says.
fn workspace_refused(home: &str, path: &str, resolve: &dyn Fn(&str) -> String) -> Option<String> {
    let state = format!("{home}/.openclaw");
    let rules = PathRules { permitted_roots: &[], home, state_dir: &state, resolve };
    workspace_refusal(path, &rules)
}

#[test]
fn sp_230_a_workspace_is_held_to_the_rules_of_mounts() {
    let plain = |path: &str| workspace_refused("/home/u", path, &str::to_owned);
    for ok in ["/home/u/work", "/home/u/a/../b", "/srv/work", "/tmp/x", "/var/lib/openclaw/work"] {
        assert_eq!(plain(ok), None, "{ok}");
    }
    for bad in [
        "/",
        "/home",
        "/home/u",
        "/home/u/",
        "/home/u/x/..",
        "/home/u/.ssh",
        "/home/u/.config/x",
        "/etc",
        "/etc/x",
        "/var",
        "/run",
        "/proc/self/root",
        "/root",
        "/root/x",
        "/dev/shm/x",
        "relative",
        "~/x",
        "",
    ] {
        assert!(plain(bad).is_some(), "{bad:?}");
    }
    // Judged where it leads as well, also through a parent.
    let leads = |to: &'static str| move |p: &str| p.replace("/srv/link", to);
    for to in ["/etc", "/home/u", "/home/u/.ssh", "/home/u/.openclaw/credentials"] {
        assert!(workspace_refused("/home/u", "/srv/link", &leads(to)).is_some(), "{to}");
    }
    assert_eq!(workspace_refused("/home/u", "/srv/link/a", &leads("/srv/real")), None);
    // Root's own home is no foreign system directory to root; what lies in it is judged like anybody's.
    let root = |path: &str| workspace_refused("/root", path, &str::to_owned);
    assert_eq!(root("/root/work"), None);
    assert_eq!(root("/root/.openclaw/workspace"), None);
    for bad in ["/root", "/root/.ssh/x", "/root/.openclaw"] {
        assert!(root(bad).is_some(), "{bad}");
    }
}

#[test]
fn sp_251_no_workspace_holds_what_the_host_obeys() {
    let plain = |path: &str| workspace_refused("/home/u", path, &str::to_owned);
    for ok in
        ["workspace", "workspace-work", "sandboxes/agent-main-1234abcd", "agents/main/sandbox-workspace"]
    {
        assert_eq!(plain(&format!("/home/u/.openclaw/{ok}")), None, "{ok}");
    }
    for bad in [
        "",
        "credentials",
        "credentials/telegram",
        "ledger",
        "sandbox",
        "identity",
        "agents",
        "agents/main",
        "agents/main/agent",
        "agents/main/sessions/x",
    ] {
        assert!(plain(&format!("/home/u/.openclaw/{bad}")).is_some(), "{bad:?}");
    }
    // The state directory behind a link.
    let linked = |p: &str| p.replace("/home/u/.openclaw", "/srv/state");
    for bad in ["/srv", "/srv/state", "/srv/state/credentials"] {
        assert!(workspace_refused("/home/u", bad, &linked).is_some(), "{bad}");
    }
    assert_eq!(workspace_refused("/home/u", "/srv/state/workspace", &linked), None);
}

#[test]
fn sp_231_network_host_and_joined_containers_are_refused() {
    for bad in ["host", " HOST ", "container:db", "Container:x"] {
        assert!(is_refused(&json!({"network": bad})), "{bad}");
    }
    for ok in ["none", "bridge", ""] {
        assert!(!is_refused(&json!({"network": ok})), "{ok:?}");
    }
    assert!(is_refused(&json!({"network": "host", "dangerouslyAllowContainerNamespaceJoin": true})));
    assert!(!is_refused(&json!({"network": "container:x", "dangerouslyAllowContainerNamespaceJoin": true})));
    let (plan, context) = sandbox(&json!({}));
    let argv = build(&plan.settings.docker, &context, 0).argv();
    assert!(argv.windows(2).any(|w| w == ["--network", "none"]));
}

#[test]
fn sp_232_unconfined_profiles_are_refused_and_say_where() {
    for key in ["seccompProfile", "apparmorProfile"] {
        let texts = refusals(&json!({key: "Unconfined"}), &str::to_owned);
        assert_eq!(texts.len(), 1);
        assert!(texts[0].contains(&format!("agents.defaults.sandbox.docker.{key}")), "{}", texts[0]);
    }
}

/// There is no key for these; one that is written all the same changes nothing.
#[test]
fn sp_232_what_only_loosens_cannot_be_asked_for() {
    let made = |docker: &Value| {
        let config = json!({"agents": {"defaults": {"sandbox": {"mode": "all", "docker": docker}}}});
        let place = Place { home: "/home/u".to_owned(), state_dir: "/home/u/.openclaw".to_owned() };
        let plan = plan(&Node::from_json(&config, &Origin::Default), Some("agent:main:main"), &place);
        let Ok(Plan::Sandbox(plan)) = plan else { return None };
        let context = context(&plan, "/home/u/.openclaw/workspace", |_| None).expect("a name");
        let docker = &plan.settings.docker;
        let baseline = Baseline { owner: "o", owner_uid: 1, owner_gid: 1, runner: None };
        Some(harden(build(docker, &context, 0), docker, &context, &baseline).argv())
    };
    let usual = made(&json!({}));
    assert!(usual.is_some());
    for (key, value) in [
        ("privileged", json!(true)),
        ("capAdd", json!(["SYS_ADMIN"])),
        ("pid", json!("host")),
        ("pidMode", json!("host")),
        ("ipc", json!("host")),
        ("userns", json!("host")),
        ("uts", json!("host")),
        ("devices", json!(["/dev/mem"])),
        ("securityOpt", json!(["seccomp=unconfined"])),
        ("publish", json!(["80:80"])),
    ] {
        let argv = made(&json!({key: value}));
        assert!(argv.is_none() || argv == usual, "{key} changes the container: {argv:?}");
    }
}

#[test]
fn sp_233_values_stay_one_argument_each() {
    let nasty = "x; rm -rf / $(id) `id` && \"quoted\"";
    let (plan, context) =
        sandbox(&json!({"env": {"A": nasty}, "user": nasty, "tmpfs": [nasty], "dns": [nasty]}));
    let docker = &plan.settings.docker;
    let argv = build(docker, &context, 0).argv();
    assert_eq!(argv.iter().filter(|a| *a == nasty).count(), 3);
    let request =
        ExecRequest { argv: &["ls".to_owned(), nasty.to_owned()], workdir: None, env: &[], tty: false };
    let exec = exec_command(docker, &context, &request);
    assert_eq!(exec.last().map(String::as_str), Some(nasty));
    assert!(exec.contains(&format!("A={nasty}")));
    assert!(exec.contains(&format!("PATH={SANDBOX_PATH}")), "the host's PATH is never passed on");
    for bad in ["--privileged", "", "a b", "a\nb"] {
        assert!(is_refused(&json!({"image": bad})), "{bad:?}");
    }
    for bad in ["A=B", "", "A B", "1A", "é"] {
        assert!(is_refused(&json!({"env": {bad: "x"}})), "{bad:?}");
    }
    assert!(is_refused(&json!({"ulimits": {"nofile=1:2 --privileged": 1}})));
}

#[test]
fn sp_234_what_is_unset_is_filled_and_what_is_written_is_kept() {
    let baseline = |uid| Baseline {
        owner: "here",
        owner_uid: uid,
        owner_gid: uid,
        runner: Some(Runner { source: "/opt/runner", target: "/.runner", program: "/.runner" }),
    };
    let hardened = |docker: &Value, baseline: &Baseline<'_>| {
        let (plan, context) = sandbox(docker);
        let docker = &plan.settings.docker;
        harden(build(docker, &context, 0), docker, &context, baseline).argv()
    };
    let argv = |docker: &Value, uid| hardened(docker, &baseline(uid));
    let has =
        |argv: &[String], flag: &str, value: &str| argv.windows(2).any(|w| w[0] == flag && w[1] == value);
    let plain = argv(&json!({"memory": "1g"}), 1000);
    for (flag, value) in [
        ("--user", "1000:1000"),
        ("--pids-limit", "256"),
        ("--memory-swap", "1g"),
        ("--cap-drop", "ALL"),
        ("--security-opt", "no-new-privileges"),
        ("--tmpfs", "/tmp:size=512m"),
        ("--ulimit", "core=0"),
        ("--log-driver", "none"),
        ("--label", "openclaw.owner=here"),
        ("-v", "/opt/runner:/.runner:ro"),
        ("--entrypoint", "/.runner"),
    ] {
        assert!(has(&plain, flag, value), "{flag} {value}: {plain:?}");
    }
    let is_set = |argv: &[String], flag: &str| argv.iter().any(|a| a == flag);
    assert!(is_set(&plain, "--read-only"));
    assert!(!is_set(&plain, "--init"), "the runner itself is the first process");
    let without = hardened(&json!({"tmpfs": ["/t"]}), &Baseline { runner: None, ..baseline(1) });
    assert!(is_set(&without, "--init"), "somebody has to collect orphans");
    assert!(has(&without, "--tmpfs", "/t"), "what the operator wrote stays");
    assert!(has(&argv(&json!({}), 0), "--user", "65534:65534"), "never root");
    let own = argv(&json!({"user": "5:5", "pidsLimit": 9, "memory": "1g", "memorySwap": "3g"}), 1000);
    assert!(has(&own, "--user", "5:5") && has(&own, "--pids-limit", "9") && has(&own, "--memory-swap", "3g"));
    assert_eq!(
        own.iter().filter(|a| *a == "--user" || *a == "--pids-limit" || *a == "--memory-swap").count(),
        3
    );
}

#[test]
fn sp_235_any_difference_changes_the_digest_order_included() {
    let base =
        json!({"binds": ["/a:/a", "/b:/b"], "dns": ["1.1.1.1", "8.8.8.8"], "env": {"A": "1", "B": "2"}});
    let swapped =
        json!({"dns": ["8.8.8.8", "1.1.1.1"], "env": {"B": "2", "A": "1"}, "binds": ["/a:/a", "/b:/b"]});
    assert_eq!(legacy_hash(&base), legacy_hash(&swapped), "the compatible hash does not see it");
    assert_ne!(digest_of(&base), digest_of(&swapped), "the digest does");
    let keys_only =
        json!({"env": {"B": "2", "A": "1"}, "dns": ["1.1.1.1", "8.8.8.8"], "binds": ["/a:/a", "/b:/b"]});
    assert_eq!(digest_of(&base), digest_of(&keys_only), "the order of keys means nothing");
    let fields = json!({"image": "x", "workdir": "/w", "readOnlyRoot": false, "tmpfs": ["/t"], "network": "bridge",
        "user": "1:1", "capDrop": ["NET_RAW"], "env": {"A": "1"}, "setupCommand": "true", "pidsLimit": 5, "memory": "1g",
        "memorySwap": "2g", "cpus": 1, "ulimits": {"nofile": 5}, "seccompProfile": "/s", "apparmorProfile": "a",
        "dns": ["1.1.1.1"], "extraHosts": ["a:1.2.3.4"], "binds": ["/srv/work:/x"]});
    let unset = sandbox(&json!({})).1.digest;
    for (key, value) in fields.as_object().expect("fields") {
        assert_ne!(sandbox(&json!({key: value})).1.digest, unset, "{key}");
    }
}

fn wanted() -> Wanted {
    Wanted {
        container_name: "c".to_owned(),
        scope_key: "agent:main".to_owned(),
        image: "i".to_owned(),
        legacy_hash: "h".to_owned(),
        digest: "d".to_owned(),
    }
}

#[test]
fn sp_237_reuse_needs_owner_scope_and_digest_as_the_engine_reports_them() {
    let good = Reported {
        activity: Activity::Idle,
        ownership: Ownership::Ours,
        scope_key: Some("agent:main".to_owned()),
        digest: Some("d".to_owned()),
    };
    let decide = |r: Reported| ensure(&Engine::Present(r), None, &wanted(), 9);
    assert!(decide(good.clone()).expect("reuse").actions.is_empty());
    let stopped = Reported { activity: Activity::Stopped, ..good.clone() };
    assert_eq!(decide(stopped).expect("start").actions, [Action::Start]);
    for digest in [None, Some("other".to_owned())] {
        let made = decide(Reported { digest, activity: Activity::Busy, ..good.clone() }).expect("anew");
        assert_eq!(made.actions, [Action::Remove, Action::Create, Action::Start]);
        assert!(made.after_running_command, "a running command is waited for");
    }
    let foreign = decide(Reported { ownership: Ownership::Foreign, ..good.clone() });
    assert!(matches!(foreign, Err(EnsureError::Foreign(_))), "never removed, never used");
    let other = decide(Reported { scope_key: Some("agent:b".to_owned()), ..good });
    assert!(matches!(other, Err(EnsureError::OtherScope { .. })));
}

#[test]
fn sp_237_a_cut_name_that_another_scope_owns_is_refused() {
    let prefix = "a-really-long-container-prefix-for-sandboxes-";
    let (a, b) = ("agent:main:telegram:group:-1", "agent:main:telegram:group:-2");
    let name = cut_name(prefix, Scope::Session, a);
    assert_eq!(name, cut_name(prefix, Scope::Session, b), "the cut lost the hash");
    let entry = Entry {
        container_name: name,
        session_key: a.to_owned(),
        created_at_ms: 0,
        last_used_at_ms: 0,
        image: "i".to_owned(),
        config_hash: None,
    };
    let registry = Registry { entries: vec![entry] };
    let owner = |n: &str| registry.owner(n).map(str::to_owned);
    assert!(container_name(prefix, Scope::Session, a, owner).is_ok());
    let refused = container_name(prefix, Scope::Session, b, owner).expect_err("refused");
    assert!(matches!(refused, NameError::Taken { .. }));
    assert!(refused.to_string().contains("containerPrefix"));
    for bad in ["-x", "a b", "../", "é"] {
        assert!(container_name(bad, Scope::Agent, "agent:main", |_| None).is_err(), "{bad}");
    }
}

#[test]
fn session_containers_end_with_their_session_and_with_the_gateway() {
    let entry = |key: &str| Entry {
        container_name: key.to_owned(),
        session_key: key.to_owned(),
        created_at_ms: 0,
        last_used_at_ms: 0,
        image: "i".to_owned(),
        config_hash: None,
    };
    let all = ["shared", "agent:main", "agent:main:main", "main"].map(entry);
    let names =
        |session| ended_session_containers(&all, session).map(|e| e.session_key.clone()).collect::<Vec<_>>();
    assert_eq!(names(None), ["agent:main:main", "main"]);
    assert_eq!(names(Some("agent:main:main")), ["agent:main:main"]);
    assert!(names(Some("agent:main")).is_empty());
    assert!(prune_due(None, 0) && !prune_due(Some(0), 299_999) && prune_due(Some(0), 300_000));
}

#[test]
fn the_compatible_order_is_that_of_a_locale() {
    let recorded = "\t\n\u{b}\u{c}\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRsStTuUvVwWxXyYzZ";
    let mut sorted: Vec<String> = recorded.chars().rev().map(String::from).collect();
    sorted.sort_by(|a, b| collate(a, b));
    assert_eq!(sorted.concat(), recorded);
    let mut words = ["ab", "Ab", "aB", "AB", "a", "A", "b", "a_b", "a-b", "a b", "aab"];
    words.sort_by(|a, b| collate(a, b));
    assert_eq!(words, ["a", "A", "a b", "a_b", "a-b", "aab", "ab", "aB", "Ab", "AB", "b"]);
}

proptest! {
    #[test]
    fn sp_237_slugs_of_different_keys_differ_and_are_safe_names(a in "\\PC{0,80}", b in "\\PC{0,80}") {
        let (x, y) = (slug(&a), slug(&b));
        prop_assert!(x.len() <= 41 && x.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)));
        let same = |t: &str| if t.trim().is_empty() { "session".to_owned() } else { t.trim().to_owned() };
        // Eight hexadecimal characters: a collision among random pairs would be a mistake, not chance.
        prop_assert_eq!(x == y, same(&a) == same(&b));
        prop_assert!(cut_name("openclaw-sbx-", Scope::Session, &a).chars().count() <= MAX_NAME);
    }

    #[test]
    fn sp_233_any_value_parses_back_out_of_the_vector(value in "\\PC{1,40}", key in "[A-Z_][A-Z0-9_]{0,8}") {
        let (plan, context) = sandbox(&json!({"env": {&key: &value}}));
        let request = ExecRequest { argv: std::slice::from_ref(&value), workdir: None, env: &[], tty: true };
        let argv = exec_command(&plan.settings.docker, &context, &request);
        let pair = format!("{key}={value}");
        prop_assert!(argv.windows(2).any(|w| w[0] == "-e" && w[1] == pair));
        prop_assert_eq!(argv.last(), Some(&value));
        prop_assert_eq!(&argv[argv.len() - 2], &context.container_name);
    }
}
