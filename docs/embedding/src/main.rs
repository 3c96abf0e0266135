//! Embeds the tool policy: reads a configuration as JSON, filters the tools of a session, and says why one is missing.
//!
//! Run it here with `cargo run`.

use std::error::Error;

use oc_policy::explain_tool::{Question, explain};
use oc_policy::inventory::{Inventory, Tool};
use oc_policy::sender::Sender;
use oc_policy::tool_policy::{CompiledPolicy, Context, FilteredTools, IdsFrom};
use oc_types::{Node, Origin};
use serde_json::json;

/// Only tools that the policy let through can be offered: the type has no other constructor.
fn offer(tools: &FilteredTools) -> Vec<&str> {
    tools.tools().iter().map(Tool::name).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let config = json!({
        "tools": { "profile": "coding", "deny": ["group:runtime"] },
        "channels": { "telegram": { "groups": { "*": {
            "tools": { "bySender": { "@untrusted_user": { "deny": ["write", "edit", "apply_patch"] } } }
        } } } }
    });
    let config = Node::from_json(&config, &Origin::Default);
    let inventory = Inventory::with_plugins([Tool::plugin("lobster", "lobster")]);

    let (policy, warnings) = CompiledPolicy::compile_with(&config, inventory.clone());
    for warning in &warnings {
        println!("warning: {warning}");
    }

    let context = Context {
        sender: Sender { username: Some("untrusted_user"), ..Sender::default() },
        ids_from: IdsFrom::Adapter,
        ..Context::session("agent:main:telegram:group:-100123")
    };
    let filtered = policy.filter(&context, inventory.tools())?;
    println!("offered: {}", offer(&filtered).join(", "));
    // Ask again when a tool is called, whoever calls it.
    assert!(filtered.permits("read"));
    assert!(!filtered.permits("bash"));
    assert!(!filtered.permits("write"));

    let question = Question { config: &config, inventory: &inventory, context, tool: "write", model_sees_images: None };
    let answer = explain(&question)?;
    println!("write: {} ({})", answer.verdict, answer.reason);
    for flip in &answer.flip {
        println!("  {} -> {}", flip.change, flip.verdict);
    }
    Ok(())
}
