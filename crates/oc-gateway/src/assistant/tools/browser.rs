//! The browser of this gateway's host, when it is switched on and there is a Chromium, and those that paired nodes lend.
//!
//! Where a call goes follows from its arguments: `target: "node"` or a `node` is a node, anything else is this host. A host without a Chromium
//! whose configuration names a node (`gateway.nodes.browser.node`) means that node when nothing is said.
//!
//! Invariant: a sandboxed session reaches no node, whichever way the call was written (SP-238).
//! Invariant: what a node may not be asked for, or does not offer at the moment of sending, is not sent (`browser.proxy`).

mod on_node;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Weak};

use oc_browser::{Absent, NAME};
use oc_policy::sandbox::SandboxPlan;
use oc_sandbox::executor::{Pending, Place};
use oc_sandbox::gate::{
    Forbidden, Handled, Judging, Outcome, Snapshot as Rules, ToolCall, ToolHandler, ToolResult,
};
use oc_types::{KeyPath, Node};
use serde_json::{Map, Value};

use super::text;
use crate::server::run::environment;
use crate::server::snapshot::Snapshot;
use crate::server::state::Gateway;

/// The switch.
const MODE: &str = "gateway.nodes.browser.mode";

/// Its handler. Looked for once, at the start; without a browser and without a node that is named the tool is offered to nobody.
#[must_use]
pub fn of(snapshot: &Snapshot, gateway: Weak<Gateway>) -> Option<Arc<dyn ToolHandler>> {
    let loaded = &snapshot.loaded;
    let own = match oc_browser::handler(&loaded.tree, loaded.locations.state_dir.clone(), environment(loaded))
    {
        Ok(own) => Some(own),
        Err(why) => {
            tracing::info!(target: "assistant", %why, "no browser tool of this host");
            let rule = Rule::of(&loaded.tree);
            let named = rule.node.is_some() && rule.mode != Mode::Off;
            if why == Absent::Off || !named {
                return None;
            }
            None
        }
    };
    Some(Arc::new(Browser { own, gateway }))
}

/// `gateway.nodes.browser`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    mode: Mode,
    node: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The only node that offers one, when none is named.
    Auto,
    /// Only a node that is named.
    Manual,
    /// None.
    Off,
}

impl Rule {
    fn of(config: &Node) -> Self {
        let at = |name: &str| config.path(&["gateway", "nodes", "browser", name]);
        let mode = match at("mode").map(Node::as_str) {
            None | Some(Some("auto")) => Mode::Auto,
            Some(Some("manual")) => Mode::Manual,
            // What cannot be read opens nothing.
            Some(Some(_) | None) => Mode::Off,
        };
        let node = at("node").and_then(Node::as_str).map(str::trim).filter(|n| !n.is_empty());
        Self { mode, node: node.map(str::to_owned) }
    }
}

/// Where a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// This host's own browser.
    Host,
    /// A node; the one that the call names.
    Node(Option<String>),
}

/// The tool.
#[derive(Debug)]
struct Browser {
    own: Option<Arc<dyn ToolHandler>>,
    gateway: Weak<Gateway>,
}

impl Browser {
    fn way(&self, arguments: &Map<String, Value>) -> Way {
        let named = text(arguments, "node").map(str::to_owned);
        match text(arguments, "target") {
            Some("node") => Way::Node(named),
            None if named.is_some() || self.own.is_none() => Way::Node(named),
            // Whoever reads the arguments says what is wrong with another word.
            None | Some(_) => Way::Host,
        }
    }
}

/// Why no node is asked, whichever it is.
fn forbidden(named: Option<&str>, rule: &Rule, is_sandboxed: bool) -> Option<Forbidden> {
    let no = |rule, key: Option<&str>, why: &str| {
        Some(Forbidden { rule, key: key.map(KeyPath::dotted), why: why.to_owned() })
    };
    if is_sandboxed {
        return no(
            "paired-nodes",
            None,
            "a sandboxed session does not reach paired nodes, whatever its tool lists say",
        );
    }
    match rule.mode {
        Mode::Off => no("node-browser-off", Some(MODE), "no node lends its browser to this gateway's agents"),
        Mode::Manual if named.is_none() && rule.node.is_none() => no(
            "node-unnamed",
            Some(MODE),
            "the node has to be named, in `node` of the call or in gateway.nodes.browser.node",
        ),
        Mode::Manual | Mode::Auto => None,
    }
}

impl ToolHandler for Browser {
    fn tool(&self) -> &str {
        NAME
    }

    fn place(&self) -> Place {
        if self.own.is_some() { Place::Host } else { Place::Node }
    }

    fn place_of(&self, call: &ToolCall) -> Place {
        match self.way(&call.arguments) {
            Way::Host => Place::Host,
            Way::Node(_) => Place::Node,
        }
    }

    fn check(&self, call: &ToolCall) -> Result<(), String> {
        match (self.way(&call.arguments), &self.own) {
            (Way::Node(_), _) => oc_browser::remote::order(&call.arguments).map(drop),
            (Way::Host, Some(own)) => own.check(call),
            (Way::Host, None) => {
                oc_browser::remote::order(&call.arguments)?;
                Err("`target` host: there is no browser on the gateway's host".to_owned())
            }
        }
    }

    fn forbids<'a>(
        &'a self,
        call: &'a ToolCall,
        snapshot: &'a Rules,
        sandbox: Option<&'a SandboxPlan>,
    ) -> Judging<'a> {
        let refusal = match self.way(&call.arguments) {
            Way::Host => None,
            Way::Node(named) => forbidden(named.as_deref(), &Rule::of(snapshot.config()), sandbox.is_some()),
        };
        Box::pin(std::future::ready(refusal))
    }

    fn reloaded(&self, snapshot: &Rules) {
        if let Some(own) = &self.own {
            own.reloaded(snapshot);
        }
    }

    fn run<'a>(&'a self, handled: Handled<'a>) -> Pending<'a, ToolResult> {
        match (self.way(&handled.call.arguments), &self.own) {
            (Way::Host, Some(own)) => own.run(handled),
            (Way::Host, None) => {
                Box::pin(std::future::ready(Ok(failed("there is no browser on the gateway's host"))))
            }
            (Way::Node(named), _) => Box::pin(async move {
                handled.authorized.is_for(Place::Node)?;
                let rule = Rule::of(handled.snapshot.config());
                // The gate asked this already; a browser of another machine must not depend on one look.
                if let Some(Forbidden { why, .. }) =
                    forbidden(named.as_deref(), &rule, handled.sandbox.is_some())
                {
                    return Ok(failed(&why));
                }
                let order = match oc_browser::remote::order(&handled.call.arguments) {
                    Ok(order) => order,
                    Err(why) => return Ok(failed(&why)),
                };
                on_node::ask(&self.gateway, rule.node.as_deref(), named.as_deref(), &order).await
            }),
        }
    }
}

fn failed(why: &str) -> ToolResult {
    ToolResult::text(Outcome::Failed, format!("{NAME}: {why}"))
}
