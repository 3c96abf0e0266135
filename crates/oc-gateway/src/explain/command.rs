//! Would this command line run, where, who would be asked, and which rule says so?

use std::path::{Path, PathBuf};
use std::sync::Arc;

use oc_approval::analysis::Request;
use oc_approval::approvals_file::ApprovalsFile;
use oc_approval::configured;
use oc_approval::decision::{Call, HostWord};
use oc_approval::explain::{Approvals, Approvers, Question as Asked, explain as explain_command};
use oc_approval::safe_bin::usage::Terminal;
use oc_config::Environment;
use oc_config::document::{self, Format, Frame};
use oc_config::load::Loaded;
use oc_fs::bounded_read::{self, ReadFailure};
use oc_fs::host_view::Disk;
use oc_policy::elevated::{Level, Sender};
use oc_policy::inbound::ConversationKind;
use oc_policy::sandbox::Subject;
use oc_types::{Explanation, Node, Origin, Value};
use serde::Deserialize;

use super::Unanswerable;

/// Largest approvals file that is read, in bytes.
const LIMIT: u64 = 16 * 1024 * 1024;

/// The question.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Question {
    /// The command line.
    pub command: String,
    /// The agent; default: the one in the session key, else the default agent.
    pub agent: Option<String>,
    /// The session key; default: the agent's main session.
    pub session: Option<String>,
    /// The channel the message came through.
    pub channel: Option<String>,
    /// The sender's id; on phone channels the number with `+`.
    pub sender: Option<String>,
    /// The sender's user name.
    pub username: Option<String>,
    /// The sender's display name.
    pub sender_name: Option<String>,
    /// The host that the call asks for: `sandbox`, `gateway`, `node`.
    pub host: Option<String>,
    /// The working directory; default: the current one.
    pub cwd: Option<PathBuf>,
    /// Variables that the call sets.
    pub env: Vec<(String, String)>,
    /// Variables of the host of execution; `PATH` and `HOME` count. Default: this process's.
    pub base_env: Vec<(String, String)>,
    /// Answer as if this elevated directive stood in the message: `off`, `on`, `ask`, `full`.
    pub elevated: Option<String>,
    /// Whether an operator client is connected that can answer: `none`, `present`; default: not known.
    pub approvers: Option<String>,
}

/// The process that asks.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// Its environment.
    pub environment: &'a Environment,
    /// Its current directory.
    pub cwd: &'a Path,
}

/// Answers.
///
/// # Errors
/// A malformed session key, or settings that have no answer.
pub fn explain(here: Here<'_>, loaded: &Loaded, question: &Question) -> Result<Explanation, Unanswerable> {
    let subject = Subject::read(&loaded.tree, question.agent.as_deref(), question.session.as_deref())
        .map_err(Unanswerable::new)?;
    let base = |name: &str| {
        let given = question.base_env.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        given.or_else(|| here.environment.get(name).map(str::to_owned))
    };
    let path = configured::path(&loaded.tree, &subject.agent, base("PATH").as_deref());
    let home = base("HOME");
    let directory = question.cwd.as_ref().map_or_else(|| here.cwd.to_owned(), |dir| here.cwd.join(dir));
    let directory = directory.to_string_lossy().into_owned();
    let state_directory = loaded.locations.state_dir.to_string_lossy().into_owned();
    let approvals = approvals(loaded);
    let call = Call { host: question.host.as_deref().map(HostWord::read), ..Call::default() };
    let sender = question.sender.as_deref();
    let phone = sender.filter(|s| s.starts_with('+'));
    explain_command(&Asked {
        config: &loaded.tree,
        subject: &subject,
        request: Request {
            text: &question.command,
            directory: &directory,
            path: path.as_deref(),
            home: home.as_deref(),
            overrides: &question.env,
            terminal: Terminal::Absent,
        },
        call: &call,
        channel: question.channel.as_deref(),
        sender: Sender {
            id: sender,
            e164: phone,
            name: question.sender_name.as_deref(),
            username: question.username.as_deref(),
            from: None,
            tag: None,
            // Counts with an address only.
            conversation: ConversationKind::Unknown,
        },
        directive: question.elevated.as_deref().and_then(Level::parse),
        approvers: match question.approvers.as_deref() {
            Some("present") => Approvers::Present,
            Some(_) => Approvers::Absent,
            None => Approvers::Unknown,
        },
        approvals: &approvals,
        state_directory: &state_directory,
        view: &Disk,
    })
    .map_err(Unanswerable::new)
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
