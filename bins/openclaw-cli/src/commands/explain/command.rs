//! `openclaw explain command`: would this line run, where, who would be asked, and which rule says so.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use oc_approval::analysis::Request;
use oc_approval::approvals_file::ApprovalsFile;
use oc_approval::configured;
use oc_approval::decision::{Call, HostWord};
use oc_approval::explain::{Approvals, Approvers, Question, explain as explain_command};
use oc_approval::safe_bin::usage::Terminal;
use oc_config::document::{self, Format, Frame};
use oc_config::load::Loaded;
use oc_fs::bounded_read::{self, ReadFailure};
use oc_fs::host_view::Disk;
use oc_policy::elevated::{Level, Sender};
use oc_policy::inbound::ConversationKind;
use oc_policy::sandbox::Subject;
use oc_types::{Explanation, Node, Origin, Value};

use super::Common;
use crate::app::App;

/// Largest approvals file that is read, in bytes.
const LIMIT: u64 = 16 * 1024 * 1024;

/// Arguments of `openclaw explain command`.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub struct CommandArgs {
    /// The command line, as one argument.
    #[arg(value_name = "COMMAND", allow_hyphen_values = true)]
    command: String,
    /// The agent; default: the one in the session key, else the default agent.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// The session key; default: the agent's main session.
    #[arg(long, value_name = "KEY")]
    session: Option<String>,
    /// The channel the message came through.
    #[arg(long, value_name = "ID")]
    channel: Option<String>,
    /// The channel account that received it.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// The sender's id; on phone channels the number with `+`.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    sender: Option<String>,
    /// The sender's user name.
    #[arg(long, value_name = "@NAME")]
    username: Option<String>,
    /// The sender's display name.
    #[arg(long, value_name = "NAME")]
    sender_name: Option<String>,
    /// The host that the call asks for.
    #[arg(long, value_name = "HOST", value_parser = ["sandbox", "gateway", "node"])]
    host: Option<String>,
    /// The working directory; default: the current one.
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// A variable that the call sets. Repeatable.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    env: Vec<(String, String)>,
    /// A variable of the host of execution; `PATH` and `HOME` count. Repeatable; default: this process's.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    base_env: Vec<(String, String)>,
    /// Answer as if this elevated directive stood in the message.
    #[arg(long, value_name = "LEVEL", value_parser = ["off", "on", "ask", "full"])]
    elevated: Option<String>,
    /// Whether an operator client is connected that can answer; default: not known.
    #[arg(long, value_name = "WHO", value_parser = ["none", "present"])]
    approvers: Option<String>,
    /// Flags of every subject.
    #[command(flatten)]
    pub common: Common,
}

/// Reads `NAME=VALUE`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Answers.
///
/// # Errors
/// A malformed session key, or settings that have no answer.
pub fn explain(app: &App, loaded: &Loaded, args: &CommandArgs) -> Result<Explanation> {
    let subject = Subject::read(&loaded.tree, args.agent.as_deref(), args.session.as_deref())?;
    let base = |name: &str| {
        let given = args.base_env.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        given.or_else(|| app.process.get(name).map(str::to_owned))
    };
    let path = configured::path(&loaded.tree, &subject.agent, base("PATH").as_deref());
    let home = base("HOME");
    let directory = args.cwd.as_ref().map_or_else(|| app.cwd.clone(), |dir| app.cwd.join(dir));
    let directory = directory.to_string_lossy().into_owned();
    let state_directory = loaded.locations.state_dir.to_string_lossy().into_owned();
    let approvals = approvals(loaded);
    let call = Call { host: args.host.as_deref().map(HostWord::read), ..Call::default() };
    let sender = args.sender.as_deref();
    let phone = sender.filter(|s| s.starts_with('+'));
    Ok(explain_command(&Question {
        config: &loaded.tree,
        subject: &subject,
        request: Request {
            text: &args.command,
            directory: &directory,
            path: path.as_deref(),
            home: home.as_deref(),
            overrides: &args.env,
            terminal: Terminal::Absent,
        },
        call: &call,
        channel: args.channel.as_deref(),
        sender: Sender {
            id: sender,
            e164: phone,
            name: args.sender_name.as_deref(),
            username: args.username.as_deref(),
            from: None,
            tag: None,
            // Counts with an address only.
            conversation: ConversationKind::Unknown,
        },
        directive: args.elevated.as_deref().and_then(Level::parse),
        approvers: match args.approvers.as_deref() {
            Some("present") => Approvers::Present,
            Some(_) => Approvers::Absent,
            None => Approvers::Unknown,
        },
        approvals: &approvals,
        state_directory: &state_directory,
        view: &Disk,
    })?)
}

fn approvals(loaded: &Loaded) -> Approvals {
    let path = loaded.locations.state_dir.join("exec-approvals.json");
    let text = match bounded_read::text(&path, LIMIT) {
        Ok(text) => text,
        Err(ReadFailure::Missing) => return Approvals::Absent,
        Err(e) => return Approvals::Unreadable(format!("exec-approvals.json: {e}")),
    };
    let name: Arc<str> = path.to_string_lossy().into();
    let parsed = document::parse(&Frame::root(&*name), text.as_bytes(), Format::Json5);
    match (ApprovalsFile::parse(&text), parsed) {
        (Ok(file), Ok(document)) => {
            let mut tree = document.node;
            store(&mut tree, &name);
            Approvals::Present { file, tree }
        }
        (Err(e), _) => Approvals::Unreadable(format!("exec-approvals.json: {e}")),
        (Ok(_), Err(_)) => Approvals::Unreadable("exec-approvals.json is not valid JSON".to_owned()),
    }
}

/// Marks every place as one of a state file. As deep as the document reader lets a text be.
fn store(node: &mut Node, name: &Arc<str>) {
    node.origin = Origin::Store { file: Arc::clone(name), at: node.origin.position() };
    match &mut node.value {
        Value::Array(items) => items.iter_mut().for_each(|n| store(n, name)),
        Value::Object(members) => members.values_mut().for_each(|n| store(n, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
