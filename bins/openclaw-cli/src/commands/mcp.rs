//! `openclaw mcp`: the guarded tools for MCP clients, and the guard in front of MCP servers.
//!
//! Standard output belongs to the protocol; everything for people goes to standard error.

mod proxy;
mod serve;
mod session;
mod token;

use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::app::App;

/// Arguments of `openclaw mcp`.
#[derive(Debug, clap::Args)]
pub struct McpArgs {
    /// What to do.
    #[command(subcommand)]
    command: McpCommand,
}

/// What can be done.
#[derive(Debug, clap::Subcommand)]
enum McpCommand {
    /// Offer the tools of a session to an MCP client: on standard input and output, or over HTTP.
    ///
    /// Exactly the tools that the policy allows the session are offered; each call goes through policy, approval and ledger. A call that needs a
    /// person waits (`openclaw approvals list`); cancelling it denies the request.
    Serve(serve::ServeArgs),
    /// Start an MCP server and put policy, approvals, redaction and ledger in front of it.
    ///
    /// The client sees the server's own tool names; the policy knows a tool as `mcp__NAME__TOOL` of the plugin NAME. The server gets an environment
    /// without credentials.
    Proxy(proxy::ProxyArgs),
}

/// Runs the command.
///
/// # Errors
/// An invalid configuration, a session that is none, a server that does not start.
pub fn run(app: &App, args: &McpArgs) -> Result<ExitCode> {
    match &args.command {
        McpCommand::Serve(args) => serve::run(app, args),
        McpCommand::Proxy(args) => proxy::run(app, args),
    }
}

/// Runs something to its end. What still reads standard input then is left behind: a thread of the system that nothing can interrupt.
fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

/// Ends when this process is told to go.
async fn told_to_go() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => {
                terminated.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
