//! `hooks.mappings` and `hooks.presets`: what becomes of requests of other programs.

use oc_text::external::ExternalSource;
use oc_types::Node;

/// What a mapping does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A text for the agent.
    Wake,
    /// A turn.
    Agent,
}

/// One mapping. Templates may hold `{{member}}` of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The path below `hooks.path`; `None`: any.
    pub path: Option<String>,
    /// The value of the member `source` of the body; `None`: any.
    pub source: Option<String>,
    /// What it does.
    pub action: Action,
    /// The agent.
    pub agent: Option<String>,
    /// `wakeMode`.
    pub mode: Option<String>,
    /// Names the turn: a template.
    pub name: Option<String>,
    /// The session: a template.
    pub session: Option<String>,
    /// The text: a template. Without one it is the body.
    pub text: Option<String>,
    /// Whether the answer is sent on.
    pub deliver: Option<bool>,
    /// To which channel.
    pub channel: Option<String>,
    /// To whom: a template.
    pub to: Option<String>,
    /// How long the turn may take, in seconds.
    pub timeout: Option<u64>,
    /// Where the text comes from.
    pub from: ExternalSource,
    /// `allowUnsafeExternalContent`: the text is in no envelope.
    pub plain: bool,
    /// It needs a module that this program does not run.
    pub transform: bool,
}

/// All of them; presets come last.
pub(super) fn read(hooks: &Node) -> Vec<Mapping> {
    let all = hooks.get("mappings").and_then(Node::as_array).unwrap_or_default();
    let mut out: Vec<Mapping> = all.iter().map(one).collect();
    let presets = hooks.get("presets").and_then(Node::entries).unwrap_or_default();
    if presets.iter().any(|p| p == "gmail") {
        out.push(mail(hooks.get("gmail")));
    }
    out
}

fn one(mapping: &Node) -> Mapping {
    let text = |name: &str| mapping.get(name).and_then(Node::as_str).map(str::to_owned);
    let full = |name: &str| text(name).filter(|t| !t.trim().is_empty());
    let matched = |name: &str| {
        let found = mapping.path(&["match", name]).and_then(Node::as_str);
        found.map(|t| t.trim().trim_matches('/').to_owned()).filter(|t| !t.is_empty())
    };
    let is_on = |name: &str| mapping.get(name).and_then(Node::as_bool);
    let action = if text("action").as_deref() == Some("wake") { Action::Wake } else { Action::Agent };
    let source = matched("source");
    Mapping {
        path: matched("path"),
        from: if source.as_deref() == Some("gmail") {
            ExternalSource::Email
        } else {
            ExternalSource::Webhook
        },
        source,
        action,
        // What is there and is no text is refused like a blank one; it does not mean the default agent (SP-120).
        agent: mapping
            .get("agentId")
            .filter(|a| !a.is_null())
            .map(|a| a.as_str().unwrap_or_default().to_owned()),
        mode: full("wakeMode"),
        name: full("name"),
        session: full("sessionKey"),
        text: match action {
            Action::Wake => full("textTemplate"),
            Action::Agent => full("messageTemplate"),
        },
        deliver: is_on("deliver"),
        channel: full("channel"),
        to: full("to"),
        timeout: mapping
            .get("timeoutSeconds")
            .and_then(Node::as_number)
            .map(oc_types::tree::number_text)
            .and_then(|n| n.parse().ok()),
        plain: is_on("allowUnsafeExternalContent") == Some(true),
        transform: mapping.get("transform").is_some(),
    }
}

/// The preset `gmail`: mail that the watcher of `gog` brings to `<path>/gmail`.
fn mail(gmail: Option<&Node>) -> Mapping {
    let plain = gmail.and_then(|g| g.get("allowUnsafeExternalContent")).and_then(Node::as_bool);
    let text = "A mail arrived.\nFrom: {{messages[0].from}}\nSubject: {{messages[0].subject}}\n{{messages[0].snippet}}\n{{messages[0].body}}";
    Mapping {
        path: Some("gmail".to_owned()),
        source: None,
        action: Action::Agent,
        agent: None,
        mode: None,
        name: Some("Gmail".to_owned()),
        session: Some("hook:gmail:{{messages[0].id}}".to_owned()),
        text: Some(text.to_owned()),
        deliver: None,
        channel: None,
        to: None,
        timeout: None,
        from: ExternalSource::Email,
        plain: plain == Some(true),
        transform: false,
    }
}
