//! `openclaw mcp proxy`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use oc_config::load::{Loaded, Reading};
use oc_mcp::handlers::AskWhen;
use oc_mcp::names::from_program;
use oc_mcp::proxy::Proxied;
use oc_mcp::sdk::stdio;
use oc_mcp::serve::{Policies as _, Waiting};
use oc_mcp::server::{McpServer, Says};
use oc_mcp::spec::ServerSpec;

use super::super::tool::{at_terminal, environment, gate};
use super::session::{OnDisk, SessionArgs};
use super::{block_on, told_to_go};
use crate::app::App;

/// Arguments of `openclaw mcp proxy`.
#[derive(Debug, clap::Args)]
pub struct ProxyArgs {
    /// What the policy calls the server; default: the name of its program. Without CMD: the server `mcp.servers.NAME`.
    #[arg(long, value_name = "NAME", required_unless_present = "server")]
    name: Option<String>,
    /// For which session.
    #[command(flatten)]
    session: SessionArgs,
    /// When a person is asked before a tool is called; default: `mcp.servers.NAME.ask`, else off.
    #[arg(long, value_name = "WHEN", value_parser = ["off", "always"])]
    ask: Option<String>,
    /// A variable for the server: NAME passes the one of this process on, NAME=VALUE sets one.
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Seconds that one call may take.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: Option<u64>,
    /// The server's program and its arguments, after `--`.
    #[arg(last = true, value_name = "CMD")]
    server: Vec<String>,
}

/// Serves one client with the tools of one server. Exit code 0 when the client went or the process was told to.
pub fn run(app: &App, args: &ProxyArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    let policies = OnDisk::new(app);
    let snapshot =
        policies.fresh("", &[]).map_err(anyhow::Error::msg)?.context("there is no configuration")?;
    let caller = args.session.caller(&loaded)?;
    let spec = spec(app, args, &loaded)?;
    let ask = match args.ask.as_deref() {
        Some("always") => AskWhen::Always,
        Some(_) => AskWhen::Off,
        None => AskWhen::of_config(&loaded.tree, spec.name.as_str()),
    };
    let waiting = Waiting::before(at_terminal());
    let gate = Arc::new(gate(app, &loaded, snapshot, Arc::new(waiting.clone()))?);
    block_on(async {
        let name = spec.name.to_string();
        let heard: Says = Arc::new(move |line| say(&format!("{name}: {line}")));
        let server = McpServer::start(&spec, heard).await?;
        let note: Says = Arc::new(|line| say(&format!("openclaw: {line}")));
        let policies = Arc::new(policies);
        let proxied = Proxied::new(server, Arc::clone(&gate), caller, policies, waiting, ask, note).await?;
        let proxied = Arc::new(proxied);
        let server = Arc::clone(proxied.server());
        let done = stdio::serve(proxied, tokio::io::stdin(), tokio::io::stdout(), told_to_go()).await;
        gate.close().await;
        server.stop().await;
        Ok(done.map(|()| ExitCode::SUCCESS)?)
    })
}

fn say(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

fn spec(app: &App, args: &ProxyArgs, loaded: &Loaded) -> Result<ServerSpec> {
    let inherited = environment(app);
    let mut spec = match args.server.split_first() {
        None => ServerSpec::of_config(&loaded.tree, args.name.as_deref().unwrap_or_default(), &inherited)?,
        Some((program, arguments)) => {
            let name = args.name.clone().unwrap_or_else(|| from_program(program));
            let given = given(app, &args.env)?;
            ServerSpec::of_command(&name, program, arguments.to_vec(), &inherited, &given)?
        }
    };
    if let Some(seconds) = args.timeout {
        spec.call_timeout = Duration::from_secs(seconds);
    }
    Ok(spec)
}

/// The variables that the flags give the server.
fn given(app: &App, flags: &[String]) -> Result<Vec<(String, String)>> {
    let one = |flag: &String| match flag.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => {
            let value = app.process.get(flag).with_context(|| format!("--env {flag}: it is not set"))?;
            Ok((flag.clone(), value.to_owned()))
        }
    };
    flags.iter().map(one).collect()
}
