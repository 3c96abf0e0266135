//! The old `agent` and `identity` sections, and `tools.bash` of an agent.

use oc_types::{KeyPath, Node, Object, Value};

use super::{Work, insert, stamped, take};

pub(super) fn run(work: &mut Work) {
    models(work);
    work.relocate(&["agent", "elevated"], &["tools", "elevated"]);
    work.relocate(&["agent", "bash"], &["tools", "exec"]);
    for list in ["allow", "deny"] {
        work.relocate(&["agent", "tools", list], &["tools", list]);
    }
    work.drop_if_empty(&["agent", "tools"]);
    work.relocate(&["agent", "subagents", "tools"], &["tools", "subagents", "tools"]);
    work.drop_if_empty(&["agent", "subagents"]);
    let rest: Vec<String> = work
        .tree
        .get("agent")
        .and_then(Node::as_object)
        .map(|o| o.keys().cloned().collect())
        .unwrap_or_default();
    for key in &rest {
        work.relocate(&["agent", key], &["agents", "defaults", key]);
    }
    identity(work);
    agents_bash(work);
}

/// Models were texts and lists; today they are objects.
fn models(work: &mut Work) {
    for (key, fallbacks) in [("model", "modelFallbacks"), ("imageModel", "imageModelFallbacks")] {
        if work.tree.path(&["agent", key]).and_then(Node::as_str).is_some() {
            work.relocate(&["agent", key], &["agents", "defaults", key, "primary"]);
        }
        work.relocate(&["agent", fallbacks], &["agents", "defaults", key, "fallbacks"]);
    }
    let restricted = work.tree.path(&["agent", "allowedModels"]).is_some();
    work.move_with(&["agent", "allowedModels"], &["agents", "defaults", "models"], |node| {
        let items = node.as_array()?;
        let mut models = Object::new();
        for item in items {
            models.insert(
                item.as_str()?.to_owned(),
                Node::new(Value::Object(Object::new()), item.origin.clone()),
            );
        }
        Some(Node::new(Value::Object(models), node.origin.clone()))
    });
    aliases(work, restricted);
}

/// `{short: model}` became `{model: {alias: short}}`. Where the models were restricted, a name that is not on that list
/// is not added to it.
fn aliases(work: &mut Work, restricted: bool) {
    let from = ["agent", "modelAliases"];
    let Some(node) = work.tree.path(&from) else { return };
    let origin = node.origin.clone();
    let pairs: Option<Vec<(String, Node)>> =
        node.as_object().map(|o| o.iter().map(|(short, model)| (short.clone(), model.clone())).collect());
    let Some(pairs) = pairs.filter(|p| p.iter().all(|(_, m)| m.as_str().is_some())) else {
        return work.refuse(&from, origin, "this older key is no object of texts");
    };
    if !restricted && work.tree.path(&["agents", "defaults", "models"]).is_some() {
        return work.conflict(&from, &KeyPath::dotted("agents.defaults.models"), origin);
    }
    for (short, model) in pairs {
        let Some(name) = model.as_str() else { continue };
        let at = KeyPath::dotted("agent.modelAliases").key(short.as_str());
        let known = work.tree.path(&["agents", "defaults", "models", name]).is_some();
        if restricted && !known {
            work.refuse(&from, origin, "this older key names a model that agent.allowedModels does not");
            return;
        }
        let alias = stamped(Node::new(Value::String(short), model.origin.clone()), &at);
        insert(&mut work.tree, &["agents", "defaults", "models", name, "alias"], alias);
    }
    take(&mut work.tree, &from);
    work.note(KeyPath::dotted("agent.modelAliases"), KeyPath::dotted("agents.defaults.models"), origin);
}

/// The identity was the one agent's; today it is the default agent's.
fn identity(work: &mut Work) {
    let Some(old) = work.tree.get("identity") else { return };
    let (origin, old) = (old.origin.clone(), old.clone());
    let at = KeyPath::dotted("identity");
    let node = stamped(old, &at);
    if work.tree.path(&["agents", "list"]).is_none() {
        let mut main = Object::new();
        main.insert("id".to_owned(), Node::new(Value::String("main".to_owned()), node.origin.clone()));
        main.insert("default".to_owned(), Node::new(Value::Bool(true), node.origin.clone()));
        let by = node.origin.clone();
        main.insert("identity".to_owned(), node);
        let list = vec![Node::new(Value::Object(main), by.clone())];
        if insert(&mut work.tree, &["agents", "list"], Node::new(Value::Array(list), by)) {
            take(&mut work.tree, &["identity"]);
            work.note(at, KeyPath::dotted("agents.list").index(0).key("identity"), origin);
        }
        return;
    }
    let index = default_index(&work.tree);
    let to = KeyPath::dotted("agents.list").index(index).key("identity");
    let Some(members) = list_entry(&mut work.tree, index) else {
        return work.refuse(&["identity"], origin, "this older key has no agent to go to");
    };
    if members.contains_key("identity") {
        return work.conflict(&["identity"], &to, origin);
    }
    members.insert("identity".to_owned(), node);
    take(&mut work.tree, &["identity"]);
    work.note(at, to, origin);
}

/// `agents.list[].tools.bash` became `.exec`.
fn agents_bash(work: &mut Work) {
    let count = work.tree.path(&["agents", "list"]).and_then(Node::as_array).map_or(0, <[Node]>::len);
    for index in 0..count {
        let at = KeyPath::dotted("agents.list").index(index).key("tools");
        let Some(members) = list_entry(&mut work.tree, index) else { continue };
        let Some(Value::Object(tools)) = members.get_mut("tools").map(|t| &mut t.value) else { continue };
        if tools.contains_key("exec") {
            continue; // Both are there: the older one is reported as unknown, with its successor.
        }
        if let Some(bash) = tools.shift_remove("bash") {
            let origin = bash.origin.clone();
            tools.insert("exec".to_owned(), stamped(bash, &at.key("bash")));
            work.note(at.key("bash"), at.key("exec"), origin);
        }
    }
}

fn default_index(tree: &Node) -> usize {
    tree.path(&["agents", "list"])
        .and_then(Node::as_array)
        .and_then(|list| list.iter().position(|a| a.get("default").and_then(Node::as_bool) == Some(true)))
        .unwrap_or(0)
}

fn list_entry(tree: &mut Node, index: usize) -> Option<&mut Object> {
    let Value::Object(root) = &mut tree.value else { return None };
    let Value::Object(agents) = &mut root.get_mut("agents")?.value else { return None };
    let Value::Array(list) = &mut agents.get_mut("list")?.value else { return None };
    match &mut list.get_mut(index)?.value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}
