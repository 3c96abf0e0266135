//! A page as text: its accessibility tree as an outline, with references for what can be acted upon. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use crate::cdp::method::{AxNode, AxValue};

#[cfg(test)]
mod tests;

/// Roles that are acted upon.
const ACTIVE: [&str; 19] = [
    "button",
    "link",
    "textbox",
    "searchbox",
    "combobox",
    "listbox",
    "option",
    "checkbox",
    "radio",
    "switch",
    "slider",
    "spinbutton",
    "menuitem",
    "menuitemcheckbox",
    "menuitemradio",
    "tab",
    "treeitem",
    "DisclosureTriangle",
    "Date",
];
/// Roles that say nothing by themselves; their children stand in their place.
const TRANSPARENT: [&str; 6] =
    ["none", "generic", "InlineTextBox", "LineBreak", "RootWebArea", "presentation"];
/// Properties that are shown when they say something.
const STATES: [&str; 8] =
    ["checked", "disabled", "expanded", "selected", "pressed", "required", "invalid", "level"];
/// Longest text of one element, in characters.
const TEXT: usize = 500;
/// Deepest indentation.
const DEEPEST: usize = 20;
/// Most elements that are looked at.
const NODES: usize = 20_000;

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Most characters.
    pub characters: usize,
    /// Only what can be acted upon.
    pub active_only: bool,
}

/// The outline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    /// The lines. Untrusted.
    pub text: String,
    /// The elements, by reference.
    pub refs: BTreeMap<String, i64>,
    /// Whether there is more.
    pub cut: bool,
}

/// Draws it.
pub(crate) fn outline(nodes: &[AxNode], wish: Wish) -> Outline {
    let by_id: HashMap<&str, &AxNode> = nodes.iter().take(NODES).map(|n| (n.node_id.as_str(), n)).collect();
    let mut out = Outline { cut: nodes.len() > NODES, ..Outline::default() };
    let mut seen = HashSet::new();
    let (mut left, mut number) = (wish.characters, 0_u32);
    let root = nodes.iter().find(|n| n.parent_id.is_none());
    let mut stack: Vec<(&AxNode, usize, String)> = root.map(|n| (n, 0, String::new())).into_iter().collect();
    while let Some((node, depth, above)) = stack.pop() {
        if !seen.insert(node.node_id.as_str()) {
            continue;
        }
        let role = word(node.role.as_ref());
        let name = oc_text::visible(&words(node.name.as_ref()), TEXT);
        let repeated = role == "StaticText" && above.contains(&name);
        let shown = !(node.ignored || repeated || TRANSPARENT.contains(&role));
        let active = shown && ACTIVE.contains(&role);
        let mut inner = depth;
        if shown && (active || !wish.active_only) {
            let mut line = line(node, role, &name, depth.min(DEEPEST));
            let element = node.backend_node_id.filter(|_| active);
            let reference = element.map(|element| (format!("e{}", number.saturating_add(1)), element));
            if let Some((reference, _)) = &reference {
                line.push_str(&format!(" [ref={reference}]"));
            }
            let length = line.chars().count().saturating_add(1);
            if length > left {
                out.cut = true;
                break;
            }
            left -= length;
            out.text.push_str(&line);
            out.text.push('\n');
            if let Some((reference, element)) = reference {
                number = number.saturating_add(1);
                out.refs.insert(reference, element);
            }
            inner = depth.saturating_add(1);
        }
        let above = if shown { name } else { above };
        for child in node.child_ids.iter().rev() {
            if let Some(child) = by_id.get(child.as_str()) {
                stack.push((child, inner, above.clone()));
            }
        }
    }
    out
}

fn line(node: &AxNode, role: &str, name: &str, depth: usize) -> String {
    let mut line = "  ".repeat(depth);
    line.push_str("- ");
    if role == "StaticText" {
        line.push_str(name);
        return line;
    }
    line.push_str(&oc_text::visible(role, 40));
    if !name.is_empty() {
        line.push_str(&format!(" \"{name}\""));
    }
    let value = words(node.value.as_ref());
    if !value.is_empty() {
        line.push_str(&format!(" = \"{}\"", oc_text::visible(&value, TEXT)));
    }
    for property in &node.properties {
        let value = words(Some(&property.value));
        if STATES.contains(&property.name.as_str()) && !value.is_empty() && value != "false" {
            line.push_str(&format!(" [{}={}]", property.name, oc_text::visible(&value, 40)));
        } else if property.name == "url" && role == "link" {
            line.push_str(&format!(" -> {}", oc_text::visible(&value, 200)));
        }
    }
    line
}

fn word(value: Option<&AxValue>) -> &str {
    value.and_then(|v| v.value.as_str()).unwrap_or_default()
}

fn words(value: Option<&AxValue>) -> String {
    match value.map(|v| &v.value) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Bool(yes)) => yes.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => String::new(),
    }
}
