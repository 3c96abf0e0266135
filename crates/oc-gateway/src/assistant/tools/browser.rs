//! The browser of this gateway, when it is switched on and there is a Chromium.

use std::sync::Arc;

use oc_sandbox::gate::ToolHandler;

use crate::server::run::environment;
use crate::server::snapshot::Snapshot;

/// Its handler. Looked for once, at the start; without one the tool is offered to nobody.
#[must_use]
pub fn of(snapshot: &Snapshot) -> Option<Arc<dyn ToolHandler>> {
    let loaded = &snapshot.loaded;
    let made = oc_browser::handler(&loaded.tree, loaded.locations.state_dir.clone(), environment(loaded));
    match made {
        Ok(handler) => Some(handler),
        Err(why) => {
            tracing::info!(target: "assistant", %why, "no browser tool");
            None
        }
    }
}
