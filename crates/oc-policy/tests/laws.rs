//! What holds for every configuration: the laws of the tool policy, and a second evaluator that has to agree (`laws/naive.rs`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "tests"
)]

#[path = "laws/naive.rs"]
mod naive;
#[path = "laws/world.rs"]
mod world;

use std::collections::BTreeSet;

use oc_policy::batch::{Answer, answer};
use proptest::prelude::*;
use serde_json::{Value, json};
use world::{Dice, TOOLS};

/// Cases of one law.
const CASES: u32 = 10_000;

fn law() -> ProptestConfig {
    ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() }
}

fn ask(config: &Value, context: &Value) -> Answer {
    answer(&world::row(config.clone(), context.clone()))
}

fn set(answer: &Answer) -> BTreeSet<&str> {
    answer.allowed.iter().map(String::as_str).collect()
}

/// A context whose key is not malformed.
fn sound(d: &mut Dice) -> Value {
    let mut context = world::context(d);
    if context.get("sessionKey").is_some() {
        context["sessionKey"] = world::sound_key(d).into();
    }
    if context["spawnedBy"] == "agent:bad" {
        context.as_object_mut().unwrap().remove("spawnedBy");
    }
    context
}

/// A list that binds even beside a profile.
fn binding_list(d: &mut Dice) -> Value {
    let mut list = world::list(d);
    list.as_array_mut().unwrap().push(json!(*d.pick(&["read", "nope", "exec"])));
    list
}

proptest! {
    #![proptest_config(law())]

    /// A deny in any layer that applies removes the tool, whatever every other layer, alias, group or wildcard says.
    #[test]
    fn sp_100_deny_wins(seed: u64) {
        let d = &mut Dice::new(seed);
        let (mut config, mut context) = (world::config(d), sound(d));
        let tool = *d.pick(TOOLS);
        let word = match (tool, d.below(4)) {
            ("exec", 0) => json!("bash"),
            ("cron", 0) => json!("automations"),
            ("apply_patch", 0) => json!("apply-patch"),
            (t, 1) => json!(t.to_uppercase()),
            (t, 2) => json!(format!("{}*", &t[..3])),
            (t, _) => json!(t),
        };
        let deny = |v: &mut Value| match v["deny"].as_array_mut() {
            Some(list) => list.push(word.clone()),
            None => v["deny"] = json!([word]),
        };
        match d.below(5) {
            0 => deny(&mut config["tools"]),
            1 => {
                context["sessionKey"] = "agent:main:subagent:1".into();
                deny(&mut config["tools"]["subagents"]["tools"]);
            }
            2 => {
                context["sessionKey"] = "agent:fresh:main".into();
                let list = config["agents"]["list"].as_array_mut().unwrap();
                list.push(json!({"id": "fresh", "tools": {"deny": [word], "alsoAllow": [tool, "*"]}}));
            }
            3 => {
                context["sessionKey"] = "agent:main:matrix:group:r".into();
                for key in ["channel", "groupId"] {
                    context.as_object_mut().unwrap().remove(key);
                }
                config["channels"]["matrix"] = json!({"groups": {"*": {"tools": {"allow": ["*"], "deny": [word]}}}});
            }
            _ => {
                context["sessionKey"] = "agent:boxed:main".into();
                let list = config["agents"]["list"].as_array_mut().unwrap();
                list.push(json!({"id": "boxed", "sandbox": {"mode": "all", "tools": {"allow": ["*"], "deny": [word]}}}));
            }
        }
        let got = ask(&config, &context);
        prop_assert_eq!(&got.error, &None);
        prop_assert!(!got.allowed.iter().any(|t| t == tool), "{} in {:?}", tool, got.allowed);
    }

    /// A policy where there was none only removes.
    #[test]
    fn sp_101_every_layer_narrows(seed: u64) {
        let d = &mut Dice::new(seed);
        let (mut config, mut context) = (world::config(d), sound(d));
        config.as_object_mut().unwrap().remove("channels");
        for key in ["channel", "groupId"] {
            context.as_object_mut().unwrap().remove(key);
        }
        let at = d.below(6);
        match at {
            0 => { config["tools"].as_object_mut().unwrap().retain(|k, _| !matches!(k.as_str(), "allow" | "deny" | "alsoAllow")); }
            1 => { config["tools"].as_object_mut().unwrap().remove("byProvider"); }
            2 => { config["tools"].as_object_mut().unwrap().retain(|k, _| !k.starts_with("subagent")); }
            _ => {}
        }
        if at == 3 {
            context["sessionKey"] = "agent:fresh:main".into();
        }
        if at == 4 {
            context["sessionKey"] = "agent:main:telegram:group:-1".into();
        }
        let before = ask(&config, &context);
        let (allow, deny) = (binding_list(d), world::list(d));
        let policy = json!({"allow": allow, "deny": deny});
        match at {
            0 => {
                config["tools"]["allow"] = allow;
                config["tools"]["deny"] = deny;
            }
            1 => config["tools"]["byProvider"] = json!({"openai": policy, "anthropic": policy}),
            2 => config["tools"]["subagents"] = json!({"tools": policy}),
            3 => config["agents"]["list"].as_array_mut().unwrap().push(json!({"id": "fresh", "tools": policy})),
            4 => config["channels"] = json!({"telegram": {"groups": {"*": {"tools": policy}}}}),
            _ => {
                // The sandbox layer: nobody is sandboxed before, everybody is after.
                let off = |config: &mut Value, mode: &str| {
                    config["agents"]["defaults"]["sandbox"]["mode"] = mode.into();
                    for agent in config["agents"]["list"].as_array_mut().unwrap() {
                        agent.as_object_mut().unwrap().entry("sandbox").or_insert(json!({}))["mode"] = mode.into();
                    }
                };
                off(&mut config, "off");
                let outside = ask(&config, &context);
                off(&mut config, "all");
                let inside = ask(&config, &context);
                prop_assert!(set(&inside).is_subset(&set(&outside)));
                return Ok(());
            }
        }
        let after = ask(&config, &context);
        prop_assert!(set(&after).is_subset(&set(&before)), "{:?} grew to {:?}", before.allowed, after.allowed);
    }

    /// The layers in another order, and the candidates in another order, leave the same tools.
    #[test]
    fn order_changes_only_reasons(seed: u64) {
        let d = &mut Dice::new(seed);
        let (config, context) = (world::config(d), sound(d));
        let mut row = world::row(config, context);
        let got = answer(&row);
        let mut layers = naive::layers(&row).unwrap();
        for i in (1..layers.len()).rev() {
            layers.swap(i, d.below(i + 1));
        }
        let (shuffled, _) = naive::evaluate(&row, &layers);
        prop_assert_eq!(&got.allowed, &shuffled);
        row["tools"].as_array_mut().unwrap().reverse();
        prop_assert_eq!(got.allowed, answer(&row).allowed);
    }

    /// A sub-agent has nothing that the session which spawned it lacks.
    #[test]
    fn sp_107_a_sub_agent_is_a_subset_of_its_parent(seed: u64) {
        let d = &mut Dice::new(seed);
        let (config, mut context) = (world::config(d), sound(d));
        context.as_object_mut().unwrap().remove("spawnedBy");
        let parent = world::sound_key(d);
        context["sessionKey"] = parent.into();
        let above = ask(&config, &context);
        context["sessionKey"] = (*d.pick(&["agent:main:subagent:1", "agent:w:subagent:1", "agent:other:subagent:1"])).into();
        context["spawnedBy"] = parent.into();
        let below = ask(&config, &context);
        prop_assert!(set(&below).is_subset(&set(&above)), "{:?} beyond {:?}", below.allowed, above.allowed);
    }

    /// The older and the newer spelling of a setting mean the same, and both together are never wider than the first.
    #[test]
    fn a_migration_never_widens(seed: u64) {
        let d = &mut Dice::new(seed);
        let (mut config, mut context) = (world::config(d), sound(d));
        for key in ["sandbox", "subagent", "subagents"] {
            config["tools"].as_object_mut().unwrap().remove(key);
        }
        config["agents"]["defaults"] = json!({"sandbox": {"mode": "all"}});
        for agent in config["agents"]["list"].as_array_mut().unwrap() {
            agent.as_object_mut().unwrap().remove("sandbox");
            if let Some(tools) = agent.get_mut("tools") {
                tools.as_object_mut().unwrap().remove("sandbox");
            }
        }
        config["channels"] = json!({});
        for key in ["channel", "groupId"] {
            context.as_object_mut().unwrap().remove(key);
        }
        let (one, other) = (json!({"allow": binding_list(d), "deny": world::list(d)}), json!({"allow": binding_list(d), "deny": world::list(d)}));
        let kind = d.below(3);
        if kind == 1 {
            context["sessionKey"] = "agent:main:subagent:1".into();
        }
        if kind == 2 {
            context["sessionKey"] = "agent:main:telegram:group:-1".into();
        }
        let with = |seed: Option<&Value>, upstream: Option<&Value>| {
            let mut c = config.clone();
            match kind {
                0 => {
                    if let Some(p) = seed { c["agents"]["defaults"]["sandbox"]["tools"] = p.clone(); }
                    if let Some(p) = upstream { c["tools"]["sandbox"] = json!({"tools": p}); }
                }
                1 => {
                    if let Some(p) = seed { c["tools"]["subagent"] = p.clone(); }
                    if let Some(p) = upstream { c["tools"]["subagents"] = json!({"tools": p}); }
                }
                _ => {
                    let mut room = json!({});
                    if let Some(p) = seed { room["tools"] = json!({"bySender": {"*": p}}); }
                    if let Some(p) = upstream { room["toolsBySender"] = json!({"*": p}); }
                    c["channels"] = json!({"telegram": {"groups": {"*": room}}});
                }
            }
            ask(&c, &context)
        };
        let (old, new, both) = (with(Some(&one), None), with(None, Some(&one)), with(Some(&one), Some(&other)));
        prop_assert_eq!(&old.allowed, &new.allowed);
        // Of two sender maps `toolsBySender` counts; everywhere else the seed's allow list and the union of the denies.
        let reference = if kind == 2 { with(None, Some(&other)) } else { old };
        prop_assert!(set(&both).is_subset(&set(&reference)), "{:?} grew to {:?}", reference.allowed, both.allowed);
    }

    /// A word that means nothing never lets more through, wherever it stands in an allow list that binds.
    #[test]
    fn sp_103_an_unknown_word_never_widens(seed: u64) {
        let d = &mut Dice::new(seed);
        let (mut config, context) = (world::config(d), sound(d));
        config["tools"]["allow"] = binding_list(d);
        config["tools"].as_object_mut().unwrap().remove("alsoAllow");
        let before = ask(&config, &context);
        let words = ["frobnicate", "group:unheard-of", "constructor", "__proto__", "exec ?", "[a-z]"];
        config["tools"]["allow"].as_array_mut().unwrap().push(json!(*d.pick(&words)));
        prop_assert_eq!(before.allowed, ask(&config, &context).allowed);
    }
}

/// 100,000 worlds in eight parts, so that they run side by side.
fn twins(part: u64) {
    const EACH: u64 = 12_500;
    for seed in part * EACH..(part + 1) * EACH {
        let d = &mut Dice::new(seed);
        let row = world::row(world::config(d), world::context(d));
        let got = answer(&row);
        match naive::layers(&row) {
            Err(word) => assert_eq!(got.error, Some(word), "seed {seed}: {row}"),
            Ok(layers) => {
                let (allowed, removed) = naive::evaluate(&row, &layers);
                assert_eq!(got.error, None, "seed {seed}: {row}");
                assert_eq!(got.allowed, allowed, "seed {seed}: {row}");
                assert_eq!(Value::Object(got.removed_by), json!(removed), "seed {seed}: {row}");
            }
        }
    }
}

macro_rules! parts {
    ($($name:ident $part:literal),*) => {$(
        #[test]
        fn $name() {
            twins($part);
        }
    )*};
}
parts!(
    the_naive_evaluator_agrees_0 0, the_naive_evaluator_agrees_1 1, the_naive_evaluator_agrees_2 2,
    the_naive_evaluator_agrees_3 3, the_naive_evaluator_agrees_4 4, the_naive_evaluator_agrees_5 5,
    the_naive_evaluator_agrees_6 6, the_naive_evaluator_agrees_7 7
);
