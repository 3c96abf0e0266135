//! `openclaw gateway`: one running gateway and its service.

mod call;
mod discover;
mod probe;
mod run;
mod standing;
mod status;

use std::process::ExitCode;

use anyhow::Result;
use oc_gateway::service::Kind;

use super::service::{self, ServiceCommand};
use crate::app::App;
use crate::wire::WireArgs;
pub use probe::{own as probe_self, said};
pub use standing::Standing;

/// Arguments of `openclaw gateway`.
#[derive(Debug, clap::Args)]
pub struct GatewayArgs {
    #[command(flatten)]
    wire: WireArgs,
    #[command(flatten)]
    run: run::RunArgs,
    /// Without a command the gateway runs in the foreground.
    #[command(subcommand)]
    command: Option<GatewayCommand>,
}

/// The commands below `openclaw gateway`.
#[derive(Debug, clap::Subcommand)]
enum GatewayCommand {
    /// Run the gateway in the foreground (the same as without a command).
    Run,
    /// Call a method of the gateway and print its answer.
    Call(call::CallArgs),
    /// Say whether the gateway runs, where it listens and whether it answers.
    Status(status::StatusArgs),
    /// Print the health report.
    Health(super::health::HealthArgs),
    /// Try every gateway that is known here: this machine's and the configured one.
    Probe(probe::ProbeArgs),
    /// Look for gateways on the local network. What answers is unproven.
    Discover(discover::DiscoverArgs),
    #[command(flatten)]
    Service(ServiceCommand),
}

/// Runs a command below `openclaw gateway`.
///
/// # Errors
/// No connection, a refused call.
pub fn run(app: &App, args: &GatewayArgs) -> Result<ExitCode> {
    let Some(command) = &args.command else { return run::run(app, &args.wire, &args.run) };
    match command {
        GatewayCommand::Run => run::run(app, &args.wire, &args.run),
        GatewayCommand::Call(call) => call::run(app, &args.wire, call),
        GatewayCommand::Status(status) => status::run(app, &args.wire, status),
        GatewayCommand::Health(health) => super::health::over(app, &args.wire, health),
        GatewayCommand::Probe(probe) => probe::run(app, &args.wire, probe),
        GatewayCommand::Discover(discover) => discover::run(app, &args.wire, discover),
        GatewayCommand::Service(command) => service::run(app, Kind::Gateway, Vec::new(), command),
    }
}
