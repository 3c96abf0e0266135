//! The gate of this process, and one call through it.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use oc_approval::life_cycle::Record;
use oc_approval::prompt;
use oc_config::load::Loaded;
use oc_fs::ledger::Ledger;
use oc_sandbox::container::EngineAddress;
use oc_sandbox::gate::{Answer, Approvals, Gate, GateError, Listener, Reached, Snapshot, ToolCall};
use oc_sandbox::machine::Machine;

use super::super::explain::place;
use crate::app::App;

/// Says on standard error that somebody has to answer, and how.
#[derive(Debug)]
struct AtTerminal;

impl Listener for AtTerminal {
    fn requested(&self, record: &Record) -> Reached {
        let code = &record.code;
        let left = prompt::span(record.expires_at_ms.saturating_sub(record.created_at_ms));
        let text = format!(
            "openclaw: waiting for approval: openclaw approvals approve {code}\n  to refuse it: openclaw approvals deny {code}; it expires in {left}"
        );
        // The queue can be answered from anywhere, whether this line arrives or not.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
        Reached::Somebody
    }
}

/// Makes a call; `None` when it was given up with Ctrl-C.
///
/// # Errors
/// What cannot be set up or recorded.
pub fn call(
    app: &App,
    loaded: &Loaded,
    snapshot: Snapshot,
    call: &ToolCall,
) -> Result<Option<Result<Answer, GateError>>> {
    let gate = gate(app, loaded, snapshot, at_terminal())?.for_one_call();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    let done = runtime.block_on(async {
        let done = tokio::select! {
            done = gate.call(call) => Some(done),
            _ = tokio::signal::ctrl_c() => None,
        };
        if done.is_none() {
            gate.aborted(call).await?;
        }
        gate.close().await;
        anyhow::Ok(done)
    })?;
    if done.is_none() {
        app.note("openclaw: given up; what it had started is ended");
    }
    Ok(done)
}

/// Who says on standard error that somebody has to answer.
pub fn at_terminal() -> Arc<dyn Listener> {
    Arc::new(AtTerminal)
}

/// The gate of this process, over the ledger and the queue of the state directory.
///
/// # Errors
/// When the queue cannot be set up.
pub fn gate(app: &App, loaded: &Loaded, snapshot: Snapshot, listener: Arc<dyn Listener>) -> Result<Gate> {
    let state_dir = &loaded.locations.state_dir;
    let approvals = Approvals::of(state_dir)?.told_to(listener);
    Ok(Gate::new(snapshot, Ledger::of(state_dir), Arc::new(machine(app, loaded)))
        .asking(approvals)
        .with_environment(environment(app)))
}

/// The environment of this process.
pub fn environment(app: &App) -> Vec<(String, String)> {
    app.process.names().filter_map(|n| Some((n.to_owned(), app.process.get(n)?.to_owned()))).collect()
}

/// The places of execution of this machine.
fn machine(app: &App, loaded: &Loaded) -> Machine {
    let get = |name: &str| app.process.get(name).map(str::to_owned);
    let engine = EngineAddress::from_environment(get, Some(&loaded.locations.home));
    Machine::new(loaded.locations.state_dir.clone(), place(loaded), engine)
}
