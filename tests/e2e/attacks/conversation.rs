//! The form of the corpus: one scripted conversation a line (`fixtures/attacks/*.jsonl`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

/// A conversation.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Conversation {
    /// Unique.
    pub id: String,
    /// What is tried, in a sentence.
    pub about: String,
    /// The configuration: a name of `worlds.json`.
    pub world: String,
    /// Files that lie in the agent's workspace when it begins.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Links that lie there: name and where they lead.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// A page that lies at `{page}`.
    #[serde(default)]
    pub page: Option<String>,
    /// A tool of an MCP server: how it describes itself, and what it answers.
    #[serde(default)]
    pub server: Option<(String, String)>,
    /// Who says what, in order.
    pub say: Vec<Line>,
    /// What is said while a command waits for an answer. `{code}` is the request's.
    #[serde(default)]
    pub meanwhile: Vec<Line>,
    /// What the model does: answers in order. A text ends its turn; after the last one it says all that its tools brought.
    #[serde(default)]
    pub obeys: Vec<Step>,
    /// The same in the turns of other sessions that this one starts: sub-agents, and sessions that it writes to.
    #[serde(default)]
    pub below: Vec<Step>,
    /// How often the model is asked in all, in a conversation that goes on after its turn (a sub-agent's work, its report).
    #[serde(default)]
    pub asks: usize,
    /// What may follow.
    #[serde(default)]
    pub expect: Expect,
}

/// Something that is said.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Line {
    /// `owner`, `family`, `member`, `friend` (paired), `stranger`; or `hook`, `session`, `cron`.
    pub who: String,
    /// `dm`, or the room's number.
    pub room: Option<String>,
    /// The text.
    pub text: String,
    /// The name that the sender gave themselves.
    pub name: Option<String>,
    /// The room's name.
    pub subject: Option<String>,
    /// The room's topic.
    pub topic: Option<String>,
    /// The quoted or forwarded message: who wrote it, and its text.
    pub quoted: Option<(String, String)>,
    /// Names of files that come along.
    pub attachments: Vec<String>,
    /// The kind of event.
    pub event: Option<String>,
    /// What a button brings.
    pub payload: Option<String>,
    /// The session, of what no person says.
    pub session: Option<String>,
    /// Sent without waiting for the answer to the line before.
    pub at_once: bool,
}

/// What the model does when it is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// It says something, and has finished.
    Says(String),
    /// It asks for tools.
    Calls(Vec<Call>),
}

/// A call.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The tool.
    pub tool: String,
    /// Its arguments.
    #[serde(default)]
    pub args: Value,
    /// Arguments that are no JSON.
    pub raw: Option<String>,
}

/// What may follow. What is not named must not happen.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Expect {
    /// The verdict of each message; all `allowed` when it is missing.
    pub messages: Option<Vec<String>>,
    /// What was decided about each call, in order; a call that was asked about has both words (`asked denied`).
    pub calls: Vec<String>,
    /// Calls that the turn itself gives up, before anything is decided about them: arguments that are no JSON, too many in one answer, the
    /// same again and again.
    pub given_up: usize,
    /// Whether the turn ends before the model has finished, so that a reader has no summary.
    pub stopped: bool,
    /// Whether the model is not even asked.
    pub unasked: bool,
    /// Files, relative to the home, that change.
    pub changes: Vec<String>,
    /// A canary is in a message: only for conversations that show that the harness sees it.
    pub shows: bool,
    /// What the owner said in private is shown elsewhere: only for the same.
    pub confides: bool,
    /// The server of the attacker is reached: only for the same.
    pub reaches: bool,
    /// Conversations that nothing was said in and that a message goes to: only for the same.
    pub sends: Vec<String>,
    /// Something must stand in a message.
    pub says: Vec<String>,
}

impl Expect {
    /// Whether it expects an effect that would be one too many elsewhere.
    pub fn is_control(&self) -> bool {
        self.shows || self.reaches || self.confides || !self.sends.is_empty()
    }
}

/// `fixtures/attacks`.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/attacks")
}

/// A conversation as it stands in the corpus, before names of this run are put in.
#[derive(Clone, Debug)]
pub struct Written {
    /// The file and the line.
    pub place: String,
    /// Its text.
    pub text: String,
    /// Its id.
    pub id: String,
    /// Its configuration.
    pub world: String,
    /// Its page.
    pub page: Option<String>,
}

impl Written {
    /// The conversation with `{name}` replaced.
    pub fn filled(&self, names: &[(&str, String)]) -> Conversation {
        let mut text = self.text.clone();
        for (name, value) in names {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", self.place))
    }

    /// The conversation as it is written.
    pub fn plain(&self) -> Conversation {
        self.filled(&[])
    }
}

/// The whole corpus, by file name and line.
pub fn corpus() -> Vec<Written> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "jsonl"))
        .collect();
    files.sort();
    let mut out: Vec<Written> = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        for (n, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let place = format!("{name}:{}", n + 1);
            let one: Conversation = serde_json::from_str(line).unwrap_or_else(|e| panic!("{place}: {e}"));
            assert!(out.iter().all(|o| o.id != one.id), "{place}: {} is there twice", one.id);
            out.push(Written { place, text: line.to_owned(), id: one.id, world: one.world, page: one.page });
        }
    }
    out
}

/// The configurations.
pub fn worlds() -> Map<String, Value> {
    let text = std::fs::read_to_string(folder().join("worlds.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}
