//! A tool call and who makes it. The caller comes from the run's context, never from the call's arguments (SP-109, SP-176).

use std::sync::Arc;

use oc_approval::decision::SessionOverride;
use oc_policy::elevated::{self, Level, Turn};
use oc_policy::inbound::ConversationKind;
use oc_policy::owner_only::Ownership;
use oc_policy::sender::Sender;
use oc_policy::tool_policy::{Context, IdsFrom};
use oc_types::AgentId;
use serde::Serialize;
use serde_json::{Map, Value as Json};

/// Through which door a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// The model's own turn.
    Model,
    /// `POST /tools/invoke`.
    Http,
    /// An MCP client.
    Mcp,
    /// A slash command in a conversation.
    Slash,
    /// A webhook or another hook.
    Hook,
    /// A scheduled job.
    Cron,
    /// A paired node.
    Node,
    /// `openclaw tool invoke`.
    CommandLine,
}

impl Surface {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Model,
        Self::Http,
        Self::Mcp,
        Self::Slash,
        Self::Hook,
        Self::Cron,
        Self::Node,
        Self::CommandLine,
    ];

    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Http => "http",
            Self::Mcp => "mcp",
            Self::Slash => "slash",
            Self::Hook => "hook",
            Self::Cron => "cron",
            Self::Node => "node",
            Self::CommandLine => "command-line",
        }
    }
}

/// Who sent the message that the call goes back to, as far as the channel says. Absent is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallSender {
    /// The service's stable id.
    pub id: Option<String>,
    /// Phone number, `+` and digits.
    pub e164: Option<String>,
    /// User name.
    pub username: Option<String>,
    /// Display name.
    pub name: Option<String>,
    /// The address a direct message came from.
    pub from: Option<String>,
}

/// What the message and the session say about commands. From authorised directives and the session's own state, never from a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionExec {
    /// `/elevated` inside the message of this turn.
    pub directive: Option<Level>,
    /// The level that the session keeps.
    pub level: Option<Level>,
    /// `/exec` of the session.
    pub overrides: SessionOverride,
}

/// Where the turn of a call is, taken when the turn begins: what goes on after it comes back there and nowhere else (SP-418).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReturnAddress {
    /// The id of the session's transcript. `None`: not known, and nothing comes back.
    pub transcript: Option<String>,
    /// The conversation, as the channel of the turn names it, in its account. `None`: the turn is in no chat.
    pub conversation: Option<String>,
    /// The thread of that conversation.
    pub thread: Option<String>,
}

/// For whom a call acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Through which door it came.
    pub surface: Surface,
    /// What started the turn; decides whether it can be elevated (SP-115).
    pub turn: Turn,
    /// The agent of the session.
    pub agent: AgentId,
    /// The session's key.
    pub session: String,
    /// The session that spawned it.
    pub spawned_by: Option<String>,
    /// The channel the message came through.
    pub channel: Option<String>,
    /// The channel account that received it.
    pub account: Option<String>,
    /// The room's id, where the key does not say it.
    pub group: Option<String>,
    /// The room's name.
    pub group_channel: Option<String>,
    /// The server or team the room is in.
    pub group_space: Option<String>,
    /// Direct chat, group or room.
    pub conversation: ConversationKind,
    /// Who sent it.
    pub sender: CallSender,
    /// Whether that is the owner, proven by the server.
    pub owner: Ownership,
    /// Provider and id of the model in use.
    pub model: Option<(String, String)>,
    /// What the message and the session say about commands.
    pub exec: SessionExec,
    /// Where what comes of the call later belongs. Nothing is allowed or refused by it.
    pub back: ReturnAddress,
}

impl Caller {
    /// Who it is and where, in one line, for the ledger.
    #[must_use]
    pub fn whereabouts(&self) -> String {
        format!("{} in {}", self.actor(), self.session)
    }

    /// A caller of whom nothing is known but the session.
    #[must_use]
    pub fn of_session(surface: Surface, agent: AgentId, session: impl Into<String>) -> Self {
        Self {
            surface,
            turn: Turn::Background,
            agent,
            session: session.into(),
            spawned_by: None,
            channel: None,
            account: None,
            group: None,
            group_channel: None,
            group_space: None,
            conversation: ConversationKind::Unknown,
            sender: CallSender::default(),
            owner: Ownership::NotProven,
            model: None,
            exec: SessionExec::default(),
            back: ReturnAddress::default(),
        }
    }

    /// What the tool policy is asked with.
    #[must_use]
    pub fn context(&self) -> Context<'_> {
        let (provider, model) = self.model.as_ref().map(|(p, m)| (p.as_str(), m.as_str())).unzip();
        Context {
            session_key: Some(&self.session),
            spawned_by: self.spawned_by.as_deref(),
            provider,
            model,
            channel: self.channel.as_deref(),
            group_id: self.group.as_deref(),
            group_channel: self.group_channel.as_deref(),
            group_space: self.group_space.as_deref(),
            account_id: self.account.as_deref(),
            sender: Sender {
                id: self.sender.id.as_deref(),
                e164: self.sender.e164.as_deref(),
                username: self.sender.username.as_deref(),
                name: self.sender.name.as_deref(),
            },
            owner: self.owner,
            ids_from: match self.surface {
                Surface::Model | Surface::Slash | Surface::Cron | Surface::CommandLine => IdsFrom::Adapter,
                Surface::Http | Surface::Mcp | Surface::Hook | Surface::Node => IdsFrom::Client,
            },
        }
    }

    /// What the elevated gate is asked with.
    #[must_use]
    pub fn elevated_sender(&self) -> elevated::Sender<'_> {
        elevated::Sender {
            id: self.sender.id.as_deref(),
            e164: self.sender.e164.as_deref(),
            from: self.sender.from.as_deref(),
            name: self.sender.name.as_deref(),
            username: self.sender.username.as_deref(),
            tag: None,
            conversation: self.conversation,
        }
    }

    /// The one word for the ledger: the sender where one is known, else the surface.
    #[must_use]
    pub fn actor(&self) -> String {
        let sender = self.sender.id.as_deref().or(self.sender.e164.as_deref());
        match (sender, &self.channel) {
            (Some(id), Some(channel)) => format!("{} for {channel}:{id}", self.surface.word()),
            (Some(id), None) => format!("{} for {id}", self.surface.word()),
            (None, Some(channel)) => format!("{} from {channel}", self.surface.word()),
            (None, None) => self.surface.word().to_owned(),
        }
    }
}

/// A call of one tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// The call's id: it names the call in the ledger, and the same id never acts twice.
    pub id: String,
    /// The tool, in any spelling.
    pub tool: String,
    /// Its arguments, as the caller gave them: untrusted.
    pub arguments: Map<String, Json>,
    /// For whom it acts.
    pub caller: Caller,
    /// Who stands behind it and must be allowed it as well (SP-107, SP-426): the people of a batch, the session that wrote, the turn that this
    /// one follows. Only narrows.
    pub behind: Arc<[Caller]>,
}

impl ToolCall {
    /// The same call as somebody behind it would make it.
    #[must_use]
    pub fn by(&self, who: &Caller) -> Self {
        Self { caller: who.clone(), behind: Arc::default(), ..self.clone() }
    }

    /// Its caller and everybody behind it: who stands behind whatever it starts.
    #[must_use]
    pub fn everybody(&self) -> Vec<Caller> {
        std::iter::once(&self.caller).chain(self.behind.iter()).cloned().collect()
    }
}
