//! Would this caller come in, and which rule says so? The decisions are the gateway's own: [`crate::settings::read`] for the start,
//! [`peer::caller`] for the address, [`admission::decide`] for the handshake. No secret is asked for: what a caller shows is named by its kind.

mod flips;
mod handshake;
mod story;

use std::net::IpAddr;

use oc_config::load::Loaded;
use oc_types::{DecidedBy, Explanation, KeyPath, Node, Secret};
use serde::Deserialize;
use serde_json::Map;

use super::{Unanswerable, refused};
use crate::entrance::admission::{self, Facts, Method, Verdict};
use crate::entrance::credential::{Accepts, Key, Refused, Shown};
use crate::entrance::origin::OriginRule;
use crate::entrance::peer::{self, Caller, FORWARDING_HEADERS, Forwarding, Own, is_tailnet};
use crate::http::route::{self, Route};
use crate::protocol::connect::Role;
use crate::settings::{self, Flags, Resolved, Settings, StartRefused};
use story::Story;

/// Stands for the configured secret; the real one is not needed to answer.
const PLACEHOLDER: &str = "what the gateway is configured with";

/// Through which door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Surface {
    /// The protocol.
    #[default]
    Ws,
    /// A request.
    Http,
}

/// What the caller shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// Nothing.
    #[default]
    None,
    /// The configured token.
    Token,
    /// Another token.
    WrongToken,
    /// The configured password.
    Password,
    /// Another password.
    WrongPassword,
}

/// The device identity of the handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceIs {
    /// None.
    #[default]
    None,
    /// Valid, not known.
    New,
    /// Approved for the role and scopes.
    Paired,
}

/// The program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientIs {
    /// The command line.
    #[default]
    Cli,
    /// The console.
    ControlUi,
    /// A node.
    Node,
    /// Another program.
    Backend,
}

/// The question.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Question {
    /// Through which door.
    pub surface: Surface,
    /// The path of a request.
    pub path: Option<String>,
    /// The other end of the socket.
    pub peer: Option<String>,
    /// Headers, `Name: value`.
    pub headers: Vec<String>,
    /// How a browser reaches the page: `http` or `https`.
    pub scheme: Option<String>,
    /// Addresses of the gateway's host.
    pub own: Vec<String>,
    /// The program.
    pub client: ClientIs,
    /// `operator` or `node`.
    pub role: Option<String>,
    /// What it shows.
    pub auth: Auth,
    /// Its device identity.
    pub device: DeviceIs,
}

/// What is read out of the question.
pub(super) struct Asked<'q> {
    question: &'q Question,
    peer: IpAddr,
    own: Vec<IpAddr>,
    role: Role,
}

impl Asked<'_> {
    fn header(&self, name: &str) -> Option<String> {
        let values = self.question.headers.iter().filter_map(|h| h.split_once(':'));
        let found: Vec<&str> =
            values.filter(|(n, _)| n.trim().eq_ignore_ascii_case(name)).map(|(_, v)| v.trim()).collect();
        (!found.is_empty()).then(|| found.join(", "))
    }

    /// The forwarding headers that are there, as written.
    fn forwarding(&self) -> Vec<&'static str> {
        FORWARDING_HEADERS.into_iter().filter(|n| self.header(n).is_some()).collect()
    }

    fn caller(&self, settings: &Settings) -> Caller {
        let (host, chain, real) =
            (self.header("host"), self.header("x-forwarded-for"), self.header("x-real-ip"));
        let other = self.forwarding().iter().any(|n| !matches!(*n, "x-forwarded-for" | "x-real-ip"));
        let head = peer::Head {
            host: host.as_deref(),
            forwarded_for: chain.as_deref(),
            real_ip: real.as_deref(),
            other_forwarding: if other { Forwarding::Present } else { Forwarding::Absent },
        };
        let own = Own { tailnet: self.own.iter().copied().filter(|a| is_tailnet(*a)).collect() };
        peer::caller(self.peer, &head, &settings.proxies, &own)
    }
}

/// Answers, also for a configuration that is invalid. `interfaces`: this host's own addresses.
///
/// # Errors
/// A question that names no address or role.
pub fn explain(
    loaded: &Loaded,
    question: &Question,
    interfaces: &[IpAddr],
) -> Result<Explanation, Unanswerable> {
    let address = |text: &str| {
        text.trim()
            .parse::<IpAddr>()
            .map_err(|_| Unanswerable::new(format!("\"{}\" is no address", oc_text::visible(text, 60))))
    };
    let own = question.own.iter().map(|a| address(a)).collect::<Result<Vec<_>, _>>()?;
    let asked = Asked {
        question,
        peer: address(question.peer.as_deref().unwrap_or("127.0.0.1"))?,
        own: if own.is_empty() { interfaces.to_vec() } else { own },
        role: match question.role.as_deref() {
            None if question.client == ClientIs::Node => Role::Node,
            None => Role::Operator,
            Some(word) => {
                Role::parse(word).ok_or_else(|| Unanswerable::new("--role takes operator or node"))?
            }
        },
    };
    if !loaded.is_valid() {
        return Ok(refused(loaded, "connection"));
    }
    let mut story = Story::new(&loaded.tree);
    Ok(match started(loaded) {
        Ok(settings) => answer(&asked, &settings, story),
        Err(why) => {
            story.start(&why);
            not_started(&asked, &why, story)
        }
    })
}

/// The settings as the gateway would read them; where a credential is configured, something stands for it.
fn started(loaded: &Loaded) -> Result<Settings, Vec<StartRefused>> {
    let tree = &loaded.tree;
    let stand_in = |path: &[&str]| {
        let node = tree.path(path).filter(|n| !n.is_null())?;
        let blank = node.as_str().is_some_and(|t| t.trim().is_empty());
        (!blank).then(|| Secret::new(PLACEHOLDER.to_owned()))
    };
    let resolved = Resolved {
        token: stand_in(&["gateway", "auth", "token"]),
        password: stand_in(&["gateway", "auth", "password"]),
        hooks: stand_in(&["hooks", "token"])
            .map(|_| Secret::new("what hooks are configured with".to_owned())),
        failed: Vec::new(),
    };
    let flags = Flags { allow_unconfigured: true, ..Flags::default() };
    let mut settings = settings::read(tree, &loaded.environment, &flags, &resolved)?;
    let key = || Key::new(&Secret::new(PLACEHOLDER.to_owned()));
    settings.accepts = match settings.accepts {
        Accepts::Token(Some(_)) => Accepts::Token(key()),
        Accepts::Password(Some(_)) => Accepts::Password(key()),
        other => other,
    };
    Ok(settings)
}

fn not_started(asked: &Asked<'_>, why: &[StartRefused], story: Story<'_>) -> Explanation {
    let no_credential = why.iter().any(|w| matches!(w, StartRefused::NoCredential { .. }));
    let reason = if no_credential { "token_missing_config" } else { "not-started" };
    let decided = DecidedBy {
        layer: "start".to_owned(),
        rule: reason.to_owned(),
        ..story.decided(&KeyPath::dotted("gateway.auth.token"))
    };
    let mut explanation = story.end("refuse", reason, decided);
    explanation.flip = flips::of_start(asked, no_credential);
    explanation.notes.push(
        "The gateway does not start like this, so nobody connects. Loopback needs a credential too; keep `gateway.bind` at \
         \"loopback\" and reach it through a tunnel or Tailscale Serve instead of \"lan\"."
            .to_owned(),
    );
    explanation
}

fn answer(asked: &Asked<'_>, settings: &Settings, mut story: Story<'_>) -> Explanation {
    let caller = asked.caller(settings);
    story.caller(asked, settings, caller);
    match asked.question.surface {
        Surface::Ws => handshake(asked, settings, caller, story),
        Surface::Http => request(asked, settings, caller, story),
    }
}

/// What is shown, as token and as password.
fn shown(auth: Auth) -> (Option<&'static str>, Option<&'static str>) {
    match auth {
        Auth::None => (None, None),
        Auth::Token => (Some(PLACEHOLDER), None),
        Auth::WrongToken => (Some("another token"), None),
        Auth::Password => (None, Some(PLACEHOLDER)),
        Auth::WrongPassword => (None, Some("another password")),
    }
}

fn handshake(asked: &Asked<'_>, settings: &Settings, caller: Caller, mut story: Story<'_>) -> Explanation {
    let made = handshake::make(asked);
    let (host, origin) = (asked.header("host"), asked.header("origin"));
    let origins = OriginRule { allowed: settings.control_ui.allowed_origins.clone(), own: asked.own.clone() };
    let facts = Facts {
        connect: &made.connect,
        role: asked.role,
        caller,
        host: host.as_deref(),
        origin: origin.as_deref(),
        origins: &origins,
        break_glass: admission::BreakGlass {
            insecure_auth: settings.control_ui.allow_insecure_auth,
            no_device_auth: settings.control_ui.disable_device_auth,
        },
        accepts: &settings.accepts,
        tailnet_user: None,
        devices: &made.devices,
        challenge: handshake::CHALLENGE,
        now_ms: handshake::NOW,
    };
    let verdict = admission::decide(&facts);
    story.handshake(asked, settings, &verdict);
    let (word, reason, key) = match &verdict {
        Verdict::Admit(grant) => ("admit", opened(grant.method).to_owned(), story.secret_key(settings)),
        Verdict::Pair { silent: true, .. } => {
            ("admit", "local: paired without a question".to_owned(), KeyPath::dotted("gateway.bind"))
        }
        Verdict::Pair { why, .. } => (
            "pairing-required",
            format!("pairing-required: {}", why.word()),
            KeyPath::dotted("gateway.trustedProxies"),
        ),
        Verdict::Refuse(refusal) => {
            ("refuse", refusal.cause.to_owned(), story.refusal_key(settings, refusal.cause))
        }
    };
    let decided = DecidedBy {
        layer: story::stage_of(&verdict).to_owned(),
        rule: reason.split(':').next().unwrap_or_default().to_owned(),
        ..story.decided(&key)
    };
    let mut explanation = story.end(word, &reason, decided);
    if let Verdict::Refuse(refusal) = &verdict {
        let code = serde_json::to_value(refusal.failure.code).unwrap_or_default();
        explanation.facts.insert("code".to_owned(), code);
        explanation.facts.insert("close".to_owned(), refusal.close.code().into());
    }
    if let Verdict::Pair { silent: false, .. } = &verdict {
        explanation.facts.insert("code".to_owned(), "NOT_PAIRED".into());
    }
    explanation.flip = flips::of_handshake(asked, settings, &verdict);
    explanation.notes.extend(story::notes(asked, settings, caller, &verdict));
    explanation
}

fn opened(method: Method) -> &'static str {
    match method {
        Method::Token => "token",
        Method::Password => "password",
        Method::DeviceToken => "device-token",
        Method::Tailscale => "tailscale",
    }
}

fn request(asked: &Asked<'_>, settings: &Settings, caller: Caller, mut story: Story<'_>) -> Explanation {
    let path = asked.question.path.clone().unwrap_or_else(|| "/".to_owned());
    let route = route::canonical(&path).map_or(Route::NotFound, |p| route::of(&p, settings));
    let (open, status) = match route {
        Route::Health | Route::Ready | Route::Console(_) | Route::ConsoleRedirect => (true, 200),
        Route::NotFound => (true, 404),
        Route::Hook(_) | Route::ToolsInvoke | Route::ChatCompletions | Route::Responses | Route::Metrics => {
            (false, 401)
        }
    };
    story.route(&path, &route);
    let (token, password) = shown(asked.question.auth);
    // Over HTTP the bearer value counts as token and as password.
    let bearer = token.or(password);
    let judged = settings.accepts.judge(Shown { token: bearer, password: bearer });
    let key = story.secret_key(settings);
    let decided = |story: &Story<'_>, layer: &str, rule: &str| DecidedBy {
        layer: layer.to_owned(),
        rule: rule.to_owned(),
        ..story.decided(&key)
    };
    let (word, reason, layer) = match (&route, open, judged) {
        (Route::NotFound, _, _) => ("refuse", "no-route", "route"),
        (_, true, _) => ("admit", "open-route", "route"),
        (_, false, Ok(())) => ("admit", "bearer", "credential"),
        (_, false, Err(refused)) => ("refuse", refused.word(), "credential"),
    };
    if !open {
        story.credential(settings, judged.err().map(Refused::word));
    }
    let decided = decided(&story, layer, reason);
    let mut explanation = story.end(word, reason, decided);
    explanation.facts.insert("status".to_owned(), if word == "admit" { 200 } else { status }.into());
    if word == "refuse" && !open {
        explanation.flip = flips::of_request(asked);
    }
    explanation.notes.extend(story::request_notes(caller));
    explanation
}

/// Facts as an empty map, for [`Story::end`].
pub(super) fn no_facts() -> Map<String, serde_json::Value> {
    Map::new()
}

/// Whether a key is there.
pub(super) fn is_set(tree: &Node, path: &KeyPath) -> bool {
    tree.at(path).is_some_and(|n| !n.is_null())
}
