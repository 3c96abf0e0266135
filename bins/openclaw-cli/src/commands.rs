//! The commands, one module each.

mod agent;
mod approvals;
mod channels;
mod completion;
mod config;
mod cron;
mod dashboard;
mod devices;
mod doctor;
mod exec;
mod explain;
mod gateway;
mod health;
mod ledger;
mod logs;
mod mcp;
mod message;
mod node;
mod nodes;
mod onboard;
mod pairing;
mod plugins;
mod policy;
mod policy_diff;
mod reach;
mod sandbox;
mod security;
mod service;
mod sessions;
mod skills;
mod status;
mod system;
mod tool;

use std::process::ExitCode;

use crate::app::{App, Global};

/// Guard for a personal AI assistant: who may talk to it, where it may act, what it may touch.
#[derive(Debug, clap::Parser)]
#[command(name = "openclaw", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Audit the security of this setup, mend it, undo the mending.
    Security(security::SecurityArgs),
    /// Read, check and change the configuration.
    Config(config::ConfigArgs),
    /// Look the setup over and repair what can be repaired.
    Doctor(doctor::DoctorArgs),
    /// Ask the tool policy many questions, or check it against your own examples.
    Policy(policy::PolicyArgs),
    /// Write a first configuration with a generated gateway token.
    Onboard(onboard::OnboardArgs),
    /// Say which rule decides, where it stands and what would change the answer. Writes nothing.
    Explain(Box<explain::ExplainArgs>),
    /// Answer commands that wait for a person, and keep the lists of allowed programs.
    #[command(visible_alias = "exec-approvals")]
    Approvals(approvals::ApprovalsArgs),
    /// Judge command lines: may they run without a person, and why?
    Exec(exec::ExecArgs),
    /// Look at sandboxes.
    Sandbox(sandbox::SandboxArgs),
    /// Make one tool call through the gate, or list a session's tools.
    Tool(tool::ToolArgs),
    /// Give the guarded tools to MCP clients, or put the guard in front of an MCP server.
    Mcp(Box<mcp::McpArgs>),
    /// Look at the record of what was decided and done, and check that it is whole.
    Ledger(ledger::LedgerArgs),
    /// Show how this setup stands: gateway, channels, agents, sessions, security.
    Status(status::StatusArgs),
    /// Ask the running gateway how it is.
    Health(health::HealthCommandArgs),
    /// Talk to a gateway, and look after its service.
    Gateway(gateway::GatewayArgs),
    /// Pair devices with the gateway, and look after their tokens.
    Devices(devices::DevicesArgs),
    /// Make this machine a node of a gateway: it runs commands that its own approvals let through.
    Node(node::NodeArgs),
    /// Look after nodes: devices that offer commands.
    Nodes(Box<nodes::NodesArgs>),
    /// List the conversations that the agents remember.
    Sessions(sessions::SessionsArgs),
    /// Install plugins without running them, look them over, switch them on and off.
    Plugins(plugins::PluginsArgs),
    /// List the skills of an agent, and say what stands against the others.
    Skills(Box<skills::SkillsArgs>),
    /// Show the gateway's log.
    Logs(logs::LogsArgs),
    /// People who asked a channel to be let in: show, approve, refuse.
    Pairing(pairing::PairingArgs),
    /// Say something to an agent and show its answer.
    Agent(Box<agent::AgentArgs>),
    /// Send messages to chats.
    Message(Box<message::MessageArgs>),
    /// Look at the channels, sign accounts in and out, try their credentials.
    Channels(channels::ChannelsArgs),
    /// Look at the planned work of the running gateway.
    Cron(cron::CronArgs),
    /// See who is connected to the gateway.
    System(system::SystemArgs),
    /// Print the address of the console, and open it.
    Dashboard(dashboard::DashboardArgs),
    /// Print the completion script of a shell.
    Completion(completion::CompletionArgs),
    /// Write the man pages to a folder.
    #[command(hide = true)]
    Man(completion::ManArgs),
}

/// Runs a command.
///
/// # Errors
/// What the command reports; printed as one line, exit code 1.
pub fn run(app: &App, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Security(args) => security::run(app, args),
        Command::Config(args) => config::run(app, &args),
        Command::Doctor(args) => doctor::run(app, &args),
        Command::Policy(args) => policy::run(app, &args),
        Command::Onboard(args) => onboard::run(app, &args),
        Command::Explain(args) => explain::run(app, &args),
        Command::Approvals(args) => approvals::run(app, &args),
        Command::Exec(args) => exec::run(app, &args),
        Command::Sandbox(args) => sandbox::run(app, &args),
        Command::Tool(args) => tool::run(app, &args),
        Command::Mcp(args) => mcp::run(app, &args),
        Command::Ledger(args) => ledger::run(app, &args),
        Command::Status(args) => status::run(app, &args),
        Command::Health(args) => health::run(app, &args),
        Command::Gateway(args) => gateway::run(app, &args),
        Command::Devices(args) => devices::run(app, &args),
        Command::Node(args) => node::run(app, &args),
        Command::Nodes(args) => nodes::run(app, &args),
        Command::Sessions(args) => sessions::run(app, &args),
        Command::Plugins(args) => plugins::run(app, &args),
        Command::Skills(args) => skills::run(app, &args),
        Command::Logs(args) => logs::run(app, &args),
        Command::Pairing(args) => pairing::run(app, &args),
        Command::Agent(args) => agent::run(app, &args),
        Command::Message(args) => message::run(app, &args),
        Command::Channels(args) => channels::run(app, &args),
        Command::Cron(args) => cron::run(app, &args),
        Command::System(args) => system::run(app, &args),
        Command::Dashboard(args) => dashboard::run(app, &args),
        Command::Completion(args) => Ok(completion::completion(app, &args)),
        Command::Man(args) => completion::man(app, &args),
    }
}
