//! `openclaw mcp serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use oc_config::load::Reading;
use oc_mcp::sdk::{http, stdio};
use oc_mcp::serve::{Policies as _, Served, Waiting};

use super::super::tool::{at_terminal, gate};
use super::session::{OnDisk, SessionArgs};
use super::{block_on, token, told_to_go};
use crate::app::App;

/// Arguments of `openclaw mcp serve`.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// For which session.
    #[command(flatten)]
    session: SessionArgs,
    /// Listen here (path `/mcp`) instead of using standard input and output; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<SocketAddr>,
    /// The file that holds the bearer token; default: `OPENCLAW_MCP_TOKEN`, else `mcp-token` in the state directory, made when it is missing.
    #[arg(long, value_name = "FILE", requires = "http")]
    token_file: Option<PathBuf>,
    /// A name that the address is called by, as clients send it in `Host`.
    #[arg(long, value_name = "HOST[:PORT]", requires = "http")]
    allow_host: Vec<String>,
    /// A web page's origin that may call; none may otherwise.
    #[arg(long, value_name = "ORIGIN", requires = "http")]
    allow_origin: Vec<String>,
}

/// Serves. Exit code 0 when the client went or the process was told to; 2 for an address that needs a token and has none.
pub fn run(app: &App, args: &ServeArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    let policies = OnDisk::new(app);
    let snapshot =
        policies.fresh("", &[]).map_err(anyhow::Error::msg)?.context("there is no configuration")?;
    let caller = args.session.caller(&loaded)?;
    let waiting = Waiting::before(at_terminal());
    let gate = Arc::new(gate(app, &loaded, snapshot, Arc::new(waiting.clone()))?);
    let served = Arc::new(Served::new(Arc::clone(&gate), caller, Arc::new(policies), waiting));
    let Some(address) = args.http else {
        return block_on(async {
            let done = stdio::serve(served, tokio::io::stdin(), tokio::io::stdout(), told_to_go()).await;
            gate.close().await;
            Ok(done.map(|()| ExitCode::SUCCESS)?)
        });
    };
    let token = token::find(app, &loaded.locations.state_dir, args.token_file.as_deref())?;
    if !address.ip().is_loopback() && !token.given {
        let variable = token::VARIABLE;
        app.note(&format!(
            "openclaw: {address} can be reached from other machines: give a token with --token-file or {variable}"
        ));
        return Ok(ExitCode::from(2));
    }
    let entrance = http::Entrance::new(&token.secret, args.allow_host.clone(), args.allow_origin.clone())?;
    block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
        let own = listener.local_addr()?;
        app.note(&format!("openclaw: MCP at http://{own}{}", http::PATH));
        match &token.file {
            Some(file) => app.note(&format!("openclaw: its bearer token is in {}", file.display())),
            None => app.note(&format!("openclaw: its bearer token is that of {}", token::VARIABLE)),
        }
        if !own.ip().is_loopback() {
            app.note("openclaw: the connection is not encrypted; put a proxy with TLS in front of it");
        }
        http::serve(served, listener, own, entrance, told_to_go()).await;
        gate.close().await;
        Ok(ExitCode::SUCCESS)
    })
}
