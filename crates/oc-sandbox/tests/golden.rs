//! The recorded sandbox cases, run against this crate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use oc_policy::sandbox::{Place, Plan, Scope, agent_of_scope_key, plan, scope_key};
use oc_sandbox::config_hash::{legacy_hash, normalized};
use oc_sandbox::context::context;
use oc_sandbox::docker_args::{build, setup_command, start_command};
use oc_sandbox::lifecycle::{self, Activity, Engine, Ownership, PruneVerdict, Reported, Wanted};
use oc_sandbox::naming::slug;
use oc_sandbox::registry::Entry;
use oc_types::{Node, Origin};
use serde_json::{Value, json};

fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/../../fixtures/sandbox/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    text.lines().filter(|l| !l.trim().is_empty()).map(|l| serde_json::from_str(l).expect("a case")).collect()
}

#[test]
fn names_are_as_recorded() {
    for case in cases("naming.jsonl") {
        let input = case["input"].as_str().expect("input");
        assert_eq!(slug(input), case["slug"], "{}", case["name"]);
        for scope in [Scope::Session, Scope::Agent, Scope::Shared] {
            assert_eq!(scope_key(scope, input), case["scopeKeys"][scope.word()], "{}", case["name"]);
        }
        assert_eq!(json!(agent_of_scope_key(input)), case["agentIdOfScopeKey"], "{}", case["name"]);
    }
}

#[test]
fn the_compatible_hash_is_as_recorded() {
    for case in cases("config-hash.jsonl") {
        assert_eq!(normalized(&case["input"]), case["normalized"], "{}", case["name"]);
        assert_eq!(legacy_hash(&case["input"]), case["sha1"], "{}", case["name"]);
    }
}

#[test]
fn create_start_and_setup_are_as_recorded() {
    let place = Place { home: "$HOME".to_owned(), state_dir: "$STATE".to_owned() };
    for case in cases("docker-create.jsonl") {
        let config = Node::from_json(&case["config"], &Origin::Default);
        let made = plan(&config, case["sessionKey"].as_str(), &place).expect("a plan");
        let Plan::Sandbox(plan) = made else {
            assert_eq!(case["sandboxed"], false, "{}", case["name"]);
            continue;
        };
        assert_eq!(case["sandboxed"], true, "{}", case["name"]);
        let workspace = case["agentWorkspaceDir"].as_str().expect("a workspace");
        let context = context(&plan, workspace, |_| None).expect("a name");
        assert_eq!(json!(context), case["context"], "{}", case["name"]);
        let docker = &plan.settings.docker;
        let mut calls = vec![build(docker, &context, 1).argv(), start_command(&context)];
        calls.extend(setup_command(docker, &context));
        let placeholders = |arg: &String| {
            let arg = arg.replace("openclaw.createdAtMs=1", "openclaw.createdAtMs=$NOW");
            arg.replace(&context.legacy_hash, "$HASH")
        };
        let calls: Vec<Vec<String>> =
            calls.iter().map(|argv| argv.iter().map(placeholders).collect()).collect();
        assert_eq!(json!(calls), case["docker"], "{}", case["name"]);
    }
}

#[test]
fn sp_235_sp_237_containers_are_reused_or_made_anew_as_recorded() {
    const NOW: u64 = 1_000_000_000_000;
    let wanted = Wanted {
        container_name: "c".to_owned(),
        scope_key: "agent:main".to_owned(),
        image: "openclaw-sandbox:bookworm-slim".to_owned(),
        legacy_hash: "$EXPECTED".to_owned(),
        digest: "$EXPECTED".to_owned(),
    };
    for case in cases("lifecycle.jsonl").iter().filter(|c| c["kind"] == "ensure-container") {
        let state = &case["state"];
        let engine = if state["exists"] == true {
            Engine::Present(Reported {
                activity: if state["running"] == true { Activity::Idle } else { Activity::Stopped },
                ownership: Ownership::Ours,
                scope_key: Some(wanted.scope_key.clone()),
                digest: state["labelHash"].as_str().map(str::to_owned),
            })
        } else {
            Engine::Absent
        };
        let ago = |v: &Value| NOW - v.as_u64().expect("milliseconds");
        let known = state["registry"].as_object().map(|r| Entry {
            container_name: wanted.container_name.clone(),
            session_key: wanted.scope_key.clone(),
            created_at_ms: ago(&r["createdAgoMs"]),
            last_used_at_ms: ago(&r["lastUsedAgoMs"]),
            image: r["image"].as_str().expect("an image").to_owned(),
            config_hash: r["configHash"].as_str().map(str::to_owned),
        });
        let got = lifecycle::ensure(&engine, known.as_ref(), &wanted, NOW).expect("a decision");
        let want = if case["product"].is_null() { case } else { &case["product"] };
        let actions: Vec<&str> = got.actions.iter().map(|a| a.words()).collect();
        assert_eq!(json!(actions), want["actions"], "{}", case["name"]);
        assert_eq!(json!(got.entry.config_hash), want["registryAfter"]["configHash"], "{}", case["name"]);
        if case["quirk"].is_null() {
            let kept = known.is_some_and(|k| k.created_at_ms == got.entry.created_at_ms);
            assert_eq!(json!(kept), want["registryAfter"]["createdAtKept"], "{}", case["name"]);
            assert_eq!(json!(got.entry.image), want["registryAfter"]["image"], "{}", case["name"]);
        }
    }
}

#[test]
fn prune_is_as_recorded() {
    const NOW: u64 = 100_000_000_000_000;
    for case in cases("lifecycle.jsonl").iter().filter(|c| c["kind"] == "prune") {
        let hours = |name: &str| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small positive numbers"
            )]
            let ms = (case["entry"][name].as_f64().expect("hours") * 3_600_000.0) as u64;
            NOW - ms
        };
        let entry = Entry {
            container_name: "c".to_owned(),
            session_key: "agent:main".to_owned(),
            created_at_ms: hours("ageHours"),
            last_used_at_ms: hours("idleHoursAgo"),
            image: "i".to_owned(),
            config_hash: None,
        };
        let limit = |name: &str| case["prune"][name].as_f64().expect("a limit");
        let got =
            lifecycle::prune(limit("idleHours"), limit("maxAgeDays"), &entry, NOW) != PruneVerdict::Keep;
        assert_eq!(json!(got), case["removed"], "{}", case["name"]);
    }
}
