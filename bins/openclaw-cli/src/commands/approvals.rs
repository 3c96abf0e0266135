//! `openclaw approvals`: what waits for an answer, the answers, and the approvals file.

mod answer;
mod file;
mod list;
mod remote;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use oc_approval::approver::Permit;
use oc_approval::life_cycle::{Decision, Target};
use oc_config::load::{Loaded, Reading};
use oc_fs::approval_queue::ApprovalQueue;

use crate::app::App;
use crate::wire::WireArgs;

/// Arguments of `openclaw approvals`.
#[derive(Debug, clap::Args)]
pub struct ApprovalsArgs {
    /// The command.
    #[command(subcommand)]
    command: ApprovalsCommand,
}

/// The commands below `openclaw approvals`.
#[derive(Debug, clap::Subcommand)]
enum ApprovalsCommand {
    /// Show the commands that wait for an answer.
    #[command(visible_alias = "pending")]
    List(ListArgs),
    /// Let a command run.
    Approve(ApproveArgs),
    /// Refuse a command.
    Deny(DenyArgs),
    /// Answer with a decision word.
    Resolve(ResolveArgs),
    /// Show what waits as it comes, and answer with a key.
    Watch,
    /// Show the approvals file.
    Get(GetArgs),
    /// Replace the approvals file.
    Set(SetArgs),
    /// Change the lists of allowed programs.
    Allowlist(AllowlistArgs),
}

/// Arguments of `openclaw approvals list`.
#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Also those that are over.
    #[arg(long)]
    all: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `openclaw approvals approve`.
#[derive(Debug, clap::Args)]
struct ApproveArgs {
    /// Code or id of the request.
    code: String,
    /// Also the same command in the same directory from now on.
    #[arg(long)]
    always: bool,
    /// Where it runs, when the request leaves that open.
    #[arg(long, value_parser = ["host", "sandbox"])]
    target: Option<String>,
}

/// Arguments of `openclaw approvals deny`.
#[derive(Debug, clap::Args)]
struct DenyArgs {
    /// Code or id of the request.
    code: String,
}

/// Arguments of `openclaw approvals resolve`.
#[derive(Debug, clap::Args)]
struct ResolveArgs {
    /// Code or id of the request.
    code: String,
    /// The answer.
    #[arg(value_parser = ["allow-once", "allow-always", "deny"])]
    decision: String,
    /// Where it runs, when the request leaves that open.
    #[arg(long, value_parser = ["host", "sandbox"])]
    target: Option<String>,
}

/// Whose approvals file.
#[derive(Debug, clap::Args)]
struct Whose {
    /// That of the gateway, through the gateway.
    #[arg(long, conflicts_with = "node")]
    gateway: bool,
    /// That of a node, through the gateway.
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    #[command(flatten)]
    wire: WireArgs,
}

impl Whose {
    /// Whether a gateway has to be asked.
    fn is_remote(&self) -> bool {
        self.gateway || self.node.is_some() || self.wire.url.is_some()
    }
}

/// Arguments of `openclaw approvals get`.
#[derive(Debug, clap::Args)]
struct GetArgs {
    #[command(flatten)]
    whose: Whose,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `openclaw approvals set`.
#[derive(Debug, clap::Args)]
#[group(id = "input", args = ["file", "stdin"], required = true, multiple = false)]
struct SetArgs {
    #[command(flatten)]
    whose: Whose,
    /// The new content, JSON or JSON5.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Read the new content from standard input.
    #[arg(long)]
    stdin: bool,
    /// Write only when the present content has this SHA-256 (`hash` of `get --json`).
    #[arg(long, value_name = "HASH")]
    base_hash: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `openclaw approvals allowlist`.
#[derive(Debug, clap::Args)]
struct AllowlistArgs {
    /// The command.
    #[command(subcommand)]
    command: AllowlistCommand,
}

/// The commands below `openclaw approvals allowlist`.
#[derive(Debug, clap::Subcommand)]
enum AllowlistCommand {
    /// Let a program run without a person, with any arguments.
    Add(PatternArgs),
    /// Take a program from the list.
    Remove(PatternArgs),
}

/// A pattern and for whom.
#[derive(Debug, clap::Args)]
struct PatternArgs {
    /// A path; `*` is any run without `/`, `**` any run, `?` one character, `~` the home directory.
    pattern: String,
    /// The agent; `*` is every agent.
    #[arg(long, value_name = "ID", default_value = "*")]
    agent: String,
    #[command(flatten)]
    whose: Whose,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs a command below `openclaw approvals`.
///
/// # Errors
/// A store that cannot be used, an answer that does not count.
pub fn run(app: &App, args: &ApprovalsArgs) -> Result<ExitCode> {
    let target = |word: &Option<String>| word.as_deref().and_then(Target::parse);
    match &args.command {
        ApprovalsCommand::List(args) => list::run(app, &queue(app)?, args.all, args.json),
        ApprovalsCommand::Approve(args) => {
            let decision = if args.always { Decision::AllowAlways } else { Decision::AllowOnce };
            answer::run(app, &queue(app)?, &args.code, decision, target(&args.target))
        }
        ApprovalsCommand::Deny(args) => answer::run(app, &queue(app)?, &args.code, Decision::Deny, None),
        ApprovalsCommand::Resolve(args) => {
            let decision = Decision::parse(&args.decision).unwrap_or(Decision::Deny);
            answer::run(app, &queue(app)?, &args.code, decision, target(&args.target))
        }
        ApprovalsCommand::Watch => watch::run(app, &queue(app)?),
        ApprovalsCommand::Get(args) => file::get(app, args),
        ApprovalsCommand::Set(args) => file::set(app, args),
        ApprovalsCommand::Allowlist(args) => file::allowlist(app, args),
    }
}

fn loaded(app: &App) -> Loaded {
    app.load(Reading::Product)
}

fn queue(app: &App) -> Result<ApprovalQueue> {
    Ok(ApprovalQueue::of(&loaded(app).locations.state_dir)?)
}

/// The user of this terminal, by the name that the environment gives; only for the record.
fn permit(app: &App) -> Permit {
    Permit::terminal(app.process.get("USER").filter(|u| !u.is_empty()).unwrap_or("user"))
}

fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}
