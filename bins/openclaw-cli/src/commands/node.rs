//! `openclaw node`: this machine as a node of a gateway, in the foreground or as a service.

mod target;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use oc_config::load::Reading;
use oc_gateway::node_host::{self, NodeHost, Said, Teller};
use oc_gateway::service::Kind;
use oc_text::visible;

use super::service::{self, InstallArgs as ServiceInstall, PlainArgs, ServiceCommand};
use crate::app::App;
use target::ToArgs;

/// Arguments of `openclaw node`.
#[derive(Debug, clap::Args)]
pub struct NodeArgs {
    #[command(subcommand)]
    command: NodeCommand,
}

/// The commands below `openclaw node`.
#[derive(Debug, clap::Subcommand)]
enum NodeCommand {
    /// Connect to the gateway and serve, in the foreground.
    Run(ToArgs),
    /// Install it as a service of your user, and start it.
    Install(InstallArgs),
    /// Stop the service and remove it.
    Uninstall(PlainArgs),
    /// Start the service.
    Start(PlainArgs),
    /// Stop the service.
    Stop(PlainArgs),
    /// Stop the service and start it again.
    Restart(PlainArgs),
    /// Say whether the service is installed and runs.
    Status(StatusArgs),
}

/// Arguments of `openclaw node install`.
#[derive(Debug, clap::Args)]
struct InstallArgs {
    #[command(flatten)]
    to: ToArgs,
    /// The program to run [default: this one].
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Print the service file and install nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write the service file and leave the service manager alone.
    #[arg(long)]
    no_start: bool,
    /// Replace one that is installed: it always is.
    #[arg(long, hide = true)]
    force: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `openclaw node status`.
#[derive(Debug, clap::Args)]
struct StatusArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs a command below `openclaw node`.
///
/// # Errors
/// A target that cannot be contacted, what the service manager said.
pub fn run(app: &App, args: &NodeArgs) -> Result<ExitCode> {
    let service = |command| service::run(app, Kind::Node, Vec::new(), &command);
    match &args.command {
        NodeCommand::Run(to) => serve(app, to),
        NodeCommand::Install(args) => install(app, args),
        NodeCommand::Uninstall(args) => service(ServiceCommand::Uninstall(*args)),
        NodeCommand::Start(args) => service(ServiceCommand::Start(*args)),
        NodeCommand::Stop(args) => service(ServiceCommand::Stop(*args)),
        NodeCommand::Restart(args) => service(ServiceCommand::Restart(*args)),
        NodeCommand::Status(args) => status(app, args),
    }
}

fn install(app: &App, args: &InstallArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    // What would not start is not installed.
    let target = args.to.target(&loaded)?;
    if let Some(problem) = target.refusal(true) {
        return Err(anyhow!("{problem}"));
    }
    let _ = args.force;
    let mut arguments = vec!["node".to_owned(), "run".to_owned()];
    arguments.extend(args.to.as_arguments());
    let how = ServiceInstall::of_node(args.program.clone(), args.dry_run, args.no_start, args.json);
    service::run(app, Kind::Node, arguments, &ServiceCommand::Install(how))
}

fn status(app: &App, args: &StatusArgs) -> Result<ExitCode> {
    let (status, name) = service::status(app, Kind::Node)?;
    if args.json {
        app.print(&format!("{:#}\n", service::status_json(&status, &name)));
    } else {
        app.print(&format!("{}\n", service::status_line(&status, &name)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Serves until a signal ends it.
fn serve(app: &App, to: &ToArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    let host = NodeHost {
        request: app.load_request(Reading::Product),
        target: to.target(&loaded)?,
        name: to.name(),
        teller: Arc::new(AtTerminal),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let ended = runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        anyhow::Ok(node_host::run(&host, stop).await)
    })?;
    // What still waits in the queue is denied by then.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    ended.map_err(|e| anyhow!("{}", e.lines()))?;
    Ok(ExitCode::SUCCESS)
}

/// Says what happens, a line or two each time.
#[derive(Debug)]
struct AtTerminal;

impl Teller for AtTerminal {
    fn tell(&self, said: &Said) {
        use std::io::Write as _;
        let mut out = std::io::stdout().lock();
        // The node serves whether anybody reads this or not.
        let _ = writeln!(out, "{}", line(said)).and_then(|()| out.flush());
    }
}

fn line(said: &Said) -> String {
    match said {
        Said::Connected { url, node, commands } => {
            let (url, node) = (visible(url, 200), visible(node, 80));
            format!("connected to {url} as node {node}\noffers {}", visible(&commands.join(", "), 400))
        }
        Said::NotPaired { request: Some(id) } => {
            format!("not paired yet; on the gateway's host: openclaw devices approve {}", visible(id, 80))
        }
        Said::NotPaired { request: None } => {
            "not paired, and the gateway takes no request from here; see `openclaw devices list` there"
                .to_owned()
        }
        Said::Lost { why, again_ms } => format!("{why}\ntrying again in {} s", again_ms.div_ceil(1000)),
        Said::Waiting { code, command, left } => format!(
            "waiting for approval: {}\n  to let it run: openclaw approvals approve {code}\n  to refuse it: openclaw approvals deny {code}; it expires in {left}",
            visible(command, 400)
        ),
        Said::Over { command, outcome } => format!("{}: {}", visible(command, 200), visible(outcome, 400)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_read() {
        let all = [
            Said::Connected {
                url: "wss://gateway.example:18789".to_owned(),
                node: "0".repeat(64),
                commands: vec!["system.run".to_owned(), "system.which".to_owned()],
            },
            Said::NotPaired { request: Some("9d5f3c0e-1111-4222-8333-444455556666".to_owned()) },
            Said::NotPaired { request: None },
            Said::Lost {
                why: "no gateway answers: refused\n  target  wss://gateway.example:18789".to_owned(),
                again_ms: 1500,
            },
            Said::Waiting {
                code: "0a1b2c3d".to_owned(),
                command: "npm test\u{1b}[2J".to_owned(),
                left: "5 minutes".to_owned(),
            },
            Said::Over { command: "npm test".to_owned(), outcome: "exit code 0".to_owned() },
        ];
        let text: Vec<String> = all.iter().map(line).collect();
        insta::assert_snapshot!(text.join("\n\n"));
    }
}
