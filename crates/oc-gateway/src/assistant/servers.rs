//! MCP servers of the configuration (`mcp.servers`) and the processes of loaded plugins: started with the gateway, and their tools made
//! tools of a turn.
//!
//! A server's tool is `mcp__SERVER__TOOL` for the policy, a plugin's has the name that its manifest declares; both belong to `group:plugins`.
//! Each call of one goes through the gate as every other does, and what comes back is in an envelope.
//!
//! Invariant: a server that ends gives error results and is started again after a pause; a tool that changed after it was seen first stays
//! withheld over that (SP-416).
//! Invariant: a description is the server's own words and is marked as such; it never describes a tool of the product.

mod described;
mod wanted;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use oc_agent::message::ToolDefinition;
use oc_mcp::handlers;
use oc_mcp::pins::Pins;
use oc_mcp::server::{Listed, McpServer, Says};
use oc_policy::inventory::Tool;
use oc_sandbox::gate::{Handlers, ToolHandler};
use tokio::task::AbortHandle;

use crate::server::state::Gateway;
use wanted::{Kind, Wanted};

/// How often it is looked whether a server still runs.
const LOOK: Duration = Duration::from_secs(1);
/// First and longest pause before one is started again.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// What a server brought.
#[derive(Clone, Debug, Default)]
struct Brought {
    handlers: Vec<Arc<dyn ToolHandler>>,
    tools: Vec<Tool>,
    definitions: Vec<ToolDefinition>,
}

/// A server that is kept running.
#[derive(Debug)]
struct Kept {
    /// Which start of it: one that is replaced has a successor of the same name.
    number: u64,
    made_from: String,
    task: AbortHandle,
    brought: Brought,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The servers of a gateway.
#[derive(Debug)]
pub struct Servers {
    gateway: Weak<Gateway>,
    own: Vec<Arc<dyn ToolHandler>>,
    kept: Mutex<BTreeMap<String, Kept>>,
    /// Starts so far.
    started: AtomicU64,
}

impl Servers {
    /// Nothing runs yet. `own`: what the gateway carries out itself, which no server takes over.
    #[must_use]
    pub fn new(gateway: Weak<Gateway>, own: Vec<Arc<dyn ToolHandler>>) -> Arc<Self> {
        Arc::new(Self { gateway, own, kept: Mutex::default(), started: AtomicU64::new(0) })
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts what the configuration in force wants and does not run, ends what it no longer wants. Reads manifests; needs a tokio runtime and
    /// waits for no server.
    pub fn reconcile(self: &Arc<Self>) {
        let Some(gateway) = self.gateway.upgrade() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let wanted = wanted::wanted(&gateway.snapshot().loaded, &gateway.gate.inherited());
        {
            let mut kept = self.held();
            kept.retain(|id, k| wanted.get(id).is_some_and(|w| w.made_from == k.made_from));
            for (id, one) in wanted {
                if kept.contains_key(&id) {
                    continue;
                }
                let made_from = one.made_from.clone();
                let number = self.started.fetch_add(1, Ordering::Relaxed);
                let mine = Mine { servers: Arc::downgrade(self), id: id.clone(), number };
                let task = runtime.spawn(keep(mine, one)).abort_handle();
                kept.insert(id, Kept { number, made_from, task, brought: Brought::default() });
            }
        }
        self.publish();
    }

    /// Ends all of them.
    pub fn stop(&self) {
        self.held().clear();
        self.publish();
    }

    /// Their tools, described.
    #[must_use]
    pub fn definitions(&self) -> Vec<ToolDefinition> {
        self.held().values().flat_map(|k| k.brought.definitions.iter().cloned()).collect()
    }

    /// Takes over what a server brings now; not of one that is no longer wanted, or was started anew since.
    fn take(&self, id: &str, number: u64, brought: Brought) {
        if put(&mut self.held(), id, number, brought) {
            self.publish();
        }
    }

    fn publish(&self) {
        let Some(gateway) = self.gateway.upgrade() else { return };
        let kept = self.held();
        let tools = kept.values().flat_map(|k| k.brought.tools.iter().cloned()).collect();
        let theirs = kept.values().flat_map(|k| k.brought.handlers.iter().cloned());
        // The first one of a name keeps it: ours.
        let handlers = Handlers::new(self.own.iter().cloned().chain(theirs));
        gateway.publish(tools, handlers);
    }
}

fn put(kept: &mut BTreeMap<String, Kept>, id: &str, number: u64, brought: Brought) -> bool {
    let own = kept.get_mut(id).filter(|k| k.number == number);
    let taken = own.is_some();
    if let Some(own) = own {
        own.brought = brought;
    }
    taken
}

/// The place of one start of a server.
struct Mine {
    servers: Weak<Servers>,
    id: String,
    number: u64,
}

/// Keeps one server running.
async fn keep(mine: Mine, wanted: Wanted) {
    let id = &mine.id;
    let shown = id.clone();
    let says: Says = Arc::new(move |line: &str| {
        tracing::info!(target: "mcp", server = shown, line = %oc_text::visible(line, 400), "said");
    });
    let mut pins = Pins::default();
    let mut pause = PAUSES.0;
    loop {
        match McpServer::start(&wanted.spec, Arc::clone(&says)).await {
            Ok(server) => {
                let server = Arc::new(server.seen_before(pins.clone()));
                if serve(&mine, &wanted, &server).await {
                    pause = PAUSES.0;
                }
                pins = server.pins();
                server.stop().await;
                tracing::warn!(target: "mcp", server = id, "it has ended; its tools fail until it runs again");
            }
            Err(e) => tracing::warn!(target: "mcp", server = id, error = %e, "it does not run"),
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(PAUSES.1);
        if mine.servers.strong_count() == 0 {
            return;
        }
    }
}

/// Publishes what a server brings, again after each change, until it has ended. Whether it brought anything.
async fn serve(mine: &Mine, wanted: &Wanted, server: &Arc<McpServer>) -> bool {
    let id = &mine.id;
    let mut changes = server.changes();
    let mut brought = false;
    loop {
        changes.borrow_and_update();
        match server.tools().await {
            Ok(listed) => {
                for left in &listed.withheld {
                    tracing::warn!(target: "mcp", server = id, tool = left.tool, why = left.why, "a tool is left out");
                }
                let Some(all) = mine.servers.upgrade() else { return brought };
                all.take(id, mine.number, of(server, wanted, &listed));
                brought = true;
            }
            Err(e) => {
                tracing::warn!(target: "mcp", server = id, error = %e, "its tools are not known");
                return brought;
            }
        }
        loop {
            if server.is_gone() {
                return brought;
            }
            tokio::select! {
                changed = changes.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return brought,
                },
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}

fn of(server: &Arc<McpServer>, wanted: &Wanted, listed: &Listed) -> Brought {
    match &wanted.kind {
        Kind::Configured(ask) => Brought {
            handlers: handlers::of_server(server, listed, *ask),
            tools: handlers::inventory(server.name(), listed, server.kinds()),
            definitions: described::all(
                &format!("the MCP server {}", server.name()),
                handlers::offers(server.name(), listed),
            ),
        },
        Kind::Plugin(declared) => Brought {
            handlers: handlers::of_plugin(server, listed, declared),
            // The policy has them from the manifest.
            tools: Vec::new(),
            definitions: described::all(
                &format!("the plugin {}", server.name()),
                listed.tools.iter().filter(|t| declared.contains(&t.name)).cloned().collect(),
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_former_start_brings_is_not_its_successors() {
        let idle = || tokio::spawn(std::future::pending::<()>()).abort_handle();
        let kept = |number| Kept {
            number,
            made_from: "the same".to_owned(),
            task: idle(),
            brought: Brought::default(),
        };
        let brings = || Brought { tools: vec![Tool::core("x")], ..Brought::default() };
        let mut all = BTreeMap::from([("s".to_owned(), kept(2))]);
        assert!(!put(&mut all, "s", 1, brings()), "it was started anew since");
        assert!(!put(&mut all, "other", 2, brings()));
        assert!(all.values().all(|k| k.brought.tools.is_empty()));
        assert!(put(&mut all, "s", 2, brings()));
        assert_eq!(all.values().map(|k| k.brought.tools.len()).collect::<Vec<_>>(), [1]);
    }
}
