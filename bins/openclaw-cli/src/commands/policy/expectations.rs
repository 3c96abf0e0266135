//! `openclaw policy test`: what the operator expects of the policy, kept beside the configuration.
//!
//! ```json5
//! {
//!   rules: [{
//!     name: "no shell in groups",
//!     tools: ["exec", "process"],
//!     verdict: "denied",
//!     match: [{ sessionKey: "agent:main:telegram:group:-1" }],
//!     notMatch: [{ sessionKey: "agent:main:main" }],
//!   }],
//! }
//! ```
//!
//! In every context under `match` each tool has the verdict; in every context under `notMatch` none has. A context has the
//! members that `policy eval` takes.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use oc_config::document::{Format, Frame, parse};
use oc_config::load::Reading;
use oc_policy::batch::answer;
use oc_types::Node;
use serde_json::{Value, json};

use crate::app::App;

/// The file's name, beside the configuration.
const FILE: &str = "policy-tests.json5";

/// Arguments of `openclaw policy test`.
#[derive(Debug, clap::Args)]
pub struct TestArgs {
    /// Read the rules from this file.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// What came of one rule.
struct Outcome {
    name: String,
    examples: usize,
    failures: Vec<String>,
}

pub fn run(app: &App, args: &TestArgs) -> anyhow::Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    if let Some(issue) = loaded.issues.first() {
        bail!("the configuration is not valid: {issue}");
    }
    let path = args.file.clone().unwrap_or_else(|| loaded.locations.config.with_file_name(FILE));
    let bytes = std::fs::read(&path)
        .with_context(|| format!("cannot read {}; it holds the rules to check", path.display()))?;
    let frame = Frame::root(path.display().to_string());
    let rules = parse(&frame, &bytes, Format::Json5).map_err(|issue| anyhow::anyhow!("{issue}"))?;
    let outcomes = check(&loaded.tree, &rules.node)?;
    let failed = outcomes.iter().filter(|o| !o.failures.is_empty()).count();
    if args.json {
        let rules: Vec<Value> = outcomes
            .iter()
            .map(|o| json!({"name": o.name, "examples": o.examples, "failures": o.failures}))
            .collect();
        app.print(&format!("{}\n", json!({"rules": rules, "failed": failed})));
    } else {
        app.print(&text(&outcomes, failed));
    }
    Ok(ExitCode::from(u8::from(failed > 0)))
}

fn text(outcomes: &[Outcome], failed: usize) -> String {
    let mut out = String::new();
    for o in outcomes {
        let word = if o.failures.is_empty() { "ok  " } else { "FAIL" };
        out.push_str(&format!("{word}  {} ({} examples)\n", oc_text::visible(&o.name, 200), o.examples));
        for failure in &o.failures {
            out.push_str(&format!("      {}\n", oc_text::visible(failure, 400)));
        }
    }
    out.push_str(&format!("{} of {} rules hold\n", outcomes.len() - failed, outcomes.len()));
    out
}

fn check(config: &Node, file: &Node) -> anyhow::Result<Vec<Outcome>> {
    let Some(rules) = file.get("rules").and_then(Node::as_array) else {
        bail!("{FILE} has no list `rules`");
    };
    if rules.is_empty() {
        bail!("{FILE} holds no rules");
    }
    let config = config.to_json();
    rules.iter().enumerate().map(|(i, rule)| one(&config, rule, i)).collect()
}

fn one(config: &Value, rule: &Node, index: usize) -> anyhow::Result<Outcome> {
    let at = || format!("rules[{index}] ({})", rule.origin);
    let object = rule.as_object().with_context(|| format!("{}: a rule is an object", at()))?;
    let known = ["name", "tools", "verdict", "match", "notMatch"];
    if let Some(key) = object.keys().find(|k| !known.contains(&k.as_str())) {
        bail!("{}: unknown key {key:?}; use {}", at(), known.join(", "));
    }
    let tools = rule.get("tools").and_then(Node::entries).filter(|t| !t.is_empty());
    let tools = tools.with_context(|| format!("{}: `tools` names the tools", at()))?;
    let allowed = match rule.get("verdict").and_then(Node::as_str) {
        Some("allowed") => true,
        Some("denied") => false,
        _ => bail!("{}: `verdict` is \"allowed\" or \"denied\"", at()),
    };
    let name =
        rule.get("name").and_then(Node::as_str).map_or_else(|| format!("rules[{index}]"), str::to_owned);
    let mut outcome = Outcome { name, examples: 0, failures: Vec::new() };
    for (key, wanted) in [("match", allowed), ("notMatch", !allowed)] {
        let Some(list) = rule.get(key) else { continue };
        let examples = list.as_array().with_context(|| format!("{}: `{key}` is a list of contexts", at()))?;
        for (i, example) in examples.iter().enumerate() {
            outcome.examples += 1;
            let row = json!({"name": key, "config": config, "context": example.to_json(), "tools": tools,
                "pluginTools": {"memory_search": "memory-core", "memory_get": "memory-core"}});
            let got = answer(&row);
            if let Some(error) = got.error {
                outcome.failures.push(format!("{key}[{i}] ({}): {error}", example.origin));
                continue;
            }
            for tool in tools.iter().filter(|t| got.allowed.contains(t) != wanted) {
                let by = got.removed_by.get(tool).and_then(Value::as_str);
                let is = by.map_or_else(|| "allowed".to_owned(), |layer| format!("denied by layer {layer}"));
                outcome.failures.push(format!("{key}[{i}] ({}): {tool} is {is}", example.origin));
            }
        }
    }
    if outcome.examples == 0 {
        outcome.failures.push("no example under match or notMatch: the rule checks nothing".to_owned());
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use oc_types::Origin;

    fn run_rules(rules: Value) -> anyhow::Result<Vec<Outcome>> {
        let config = json!({"channels": {"telegram": {"groups": {"*": {"tools": {"deny": ["exec"]}}}}}});
        let node = |v: &Value| Node::from_json(v, &Origin::Default);
        check(&node(&config), &node(&json!({"rules": rules})))
    }

    #[test]
    fn examples_must_and_must_not_match() {
        let rule = json!({"name": "no shell in groups", "tools": ["exec"], "verdict": "denied",
            "match": [{"sessionKey": "agent:main:telegram:group:-1"}], "notMatch": [{"sessionKey": "agent:main:main"}]});
        assert!(run_rules(json!([rule])).unwrap()[0].failures.is_empty());
        let wrong = json!({"tools": ["exec"], "verdict": "denied", "match": [{"sessionKey": "agent:main:main"}],
            "notMatch": [{"sessionKey": "agent:main:telegram:group:-1"}]});
        let got = run_rules(json!([wrong])).unwrap();
        assert_eq!(got[0].failures.len(), 2);
        assert!(got[0].failures[1].contains("denied by layer group"), "{:?}", got[0].failures);
    }

    #[test]
    fn a_rule_that_cannot_be_read_or_checks_nothing_fails() {
        for bad in [
            json!([5]),
            json!([{}]),
            json!([{"tools": ["exec"], "verdict": "maybe"}]),
            json!([{"tolls": []}]),
            json!([]),
        ] {
            assert!(run_rules(bad.clone()).is_err(), "{bad}");
        }
        let empty = run_rules(json!([{"tools": ["exec"], "verdict": "denied"}])).unwrap();
        assert_eq!(empty[0].failures.len(), 1);
        let malformed =
            json!([{"tools": ["exec"], "verdict": "denied", "match": [{"sessionKey": "agent:w"}]}]);
        assert!(run_rules(malformed).unwrap()[0].failures[0].contains("malformed_agent"));
    }
}
