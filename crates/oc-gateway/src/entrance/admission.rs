//! The whole handshake as one decision over plain data (gateway 4, SP-320, SP-322, SP-323, SP-326, SP-344, SP-351).
//!
//! The listener gathers [`Facts`]; [`decide`] says who comes in with what, who has to be paired first, or why not; the listener carries
//! it out. One function for every surface that speaks the protocol.
//!
//! Invariant: nobody is admitted without the shared secret, a live device token of a proven device, or a confirmed tailnet identity.
//! Invariant: a caller without a device gets reading and writing and nothing more, unless a break-glass switch of the console says
//! otherwise (SP-323, SP-351).

use serde::Serialize;
use serde_json::json;

use super::credential::{self, Accepts, Key, Shown};
use super::device::{self, Device, NonceRule, Proof, Signed};
use super::origin::{self, OriginRule};
use super::peer::Caller;
use super::throttle::Class;
use crate::authority::{Scope, Scopes};
use crate::devices::{Admission, Devices, Why, Wish};
use crate::protocol::connect::{Auth, ClientId, ClientMode, Connect, Role};
use crate::protocol::frame::{Close, Code, Failure};

#[cfg(test)]
mod tests;

/// The console's two break-glass switches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BreakGlass {
    /// `gateway.controlUi.allowInsecureAuth`.
    pub insecure_auth: bool,
    /// `gateway.controlUi.dangerouslyDisableDeviceAuth`.
    pub no_device_auth: bool,
}

/// Everything a handshake is decided from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The parameters, with version and role settled.
    pub connect: &'a Connect,
    /// The role.
    pub role: Role,
    /// Who calls.
    pub caller: Caller,
    /// The request's `Host`.
    pub host: Option<&'a str>,
    /// The request's `Origin`.
    pub origin: Option<&'a str>,
    /// Which origins may connect.
    pub origins: &'a OriginRule,
    /// The console's switches.
    pub break_glass: BreakGlass,
    /// What opens the door.
    pub accepts: &'a Accepts,
    /// The tailnet identity, when it is asked for and the local daemon confirmed it.
    pub tailnet_user: Option<&'a str>,
    /// The paired devices.
    pub devices: &'a Devices,
    /// This socket's challenge.
    pub challenge: &'a str,
    /// The clock, in milliseconds since 1970.
    pub now_ms: u64,
}

/// What opened the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The shared token.
    Token,
    /// The shared password.
    Password,
    /// A device token.
    DeviceToken,
    /// A tailnet identity.
    Tailscale,
}

impl Method {
    /// Whether it is the shared secret, or rests on it: such connections end when it changes.
    #[must_use]
    pub fn is_shared(self) -> bool {
        match self {
            Self::Token | Self::Password => true,
            Self::DeviceToken | Self::Tailscale => false,
        }
    }

    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Password => "password",
            Self::DeviceToken => "device-token",
            Self::Tailscale => "tailscale",
        }
    }
}

/// Whether a connection that came in by this method outlives a change of the shared secret: those that showed the secret do not (SP-328).
#[must_use]
pub fn outlives(method: Method, old: &Accepts, new: &Accepts) -> bool {
    !method.is_shared() || old.is_same(new)
}

/// Somebody who may come in.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// On which side.
    pub role: Role,
    /// What the connection may do: what was asked for, within what was granted.
    pub scopes: Scopes,
    /// The proven device; `None` without one.
    pub device: Option<Device>,
    /// What opened the door.
    pub method: Method,
}

/// The decision.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Come in.
    Admit(Grant),
    /// The device is proven and the credential right, but nobody approved it for this yet. `silent`: a program of this machine, which
    /// needs no person for its first approval (SP-326).
    Pair {
        /// What it would get.
        grant: Grant,
        /// Why an approval is needed.
        why: Why,
        /// Whether it is approved without a person.
        silent: bool,
    },
    /// No.
    Refuse(Refusal),
}

/// Why not, in the three forms that are needed: the answer, the close, the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The answer.
    pub failure: Failure,
    /// The close.
    pub close: Close,
    /// The log's cause.
    pub cause: &'static str,
    /// The kind of credential that was guessed wrong, when one was.
    pub guessed: Option<Class>,
}

impl Refusal {
    fn new(code: Code, message: &str, cause: &'static str) -> Box<Self> {
        let failure = Failure::new(code, message).with_details(json!({ "reason": cause }));
        Box::new(Self { failure, close: Close::Policy, cause, guessed: None })
    }
}

/// Which credentials a handshake tries, for the budget of wrong answers. `None`: it shows none.
#[must_use]
pub fn tried(connect: &Connect) -> Option<Class> {
    let auth = connect.auth.as_ref()?;
    let shown = |text: &Option<String>| text.as_deref().is_some_and(|t| !t.is_empty());
    if shown(&auth.token) || shown(&auth.password) {
        return Some(Class::SharedSecret);
    }
    shown(&auth.device_token).then_some(Class::DeviceToken)
}

/// Decides a handshake.
#[must_use]
pub fn decide(facts: &Facts<'_>) -> Verdict {
    match judge(facts) {
        Ok(verdict) => verdict,
        Err(refusal) => Verdict::Refuse(*refusal),
    }
}

fn judge(facts: &Facts<'_>) -> Result<Verdict, Box<Refusal>> {
    check_origin(facts)?;
    let console = facts.connect.client.id == ClientId::ControlUi && facts.role == Role::Operator;
    let proof = match &facts.connect.device {
        Some(_) if console && facts.break_glass.no_device_auth => None,
        other => other.as_ref(),
    };
    let Some(proof) = proof else { return without_device(facts, console) };
    let device = prove(facts, proof)?;
    let asked = asked_scopes(facts);
    let wish = Wish { device: &device, role: facts.role, scopes: &asked };
    let method = open(facts, &wish)?;
    let grant = Grant { role: facts.role, scopes: asked.clone(), device: Some(device.clone()), method };
    if let Some(changed) = declared_otherwise(facts, &device) {
        return Ok(Verdict::Pair { grant, why: changed, silent: false });
    }
    Ok(match facts.devices.admit(&wish) {
        Admission::Admit => Verdict::Admit(grant),
        Admission::Pairing(why) => {
            // A program of this machine is let in without a person the first time; what is known already widens only with one (SP-326).
            // What somebody took away comes back the same way (SP-328).
            let known = facts.devices.paired.contains_key(&device.id)
                || facts.devices.is_removed(&device.id, facts.role);
            let silent = facts.caller.is_local_direct() && !is_page(facts) && !known;
            Verdict::Pair { grant, why, silent }
        }
    })
}

/// Whether the request comes from a page of a browser.
fn is_page(facts: &Facts<'_>) -> bool {
    facts.origin.is_some() && facts.connect.client.id != ClientId::ControlUi
}

fn check_origin(facts: &Facts<'_>) -> Result<(), Box<Refusal>> {
    let client = &facts.connect.client;
    let page = matches!(client.id, ClientId::ControlUi | ClientId::Webchat | ClientId::WebchatUi)
        || client.mode == ClientMode::Webchat;
    let kind = if page { origin::Client::Page } else { origin::Client::Program };
    if origin::may_connect(kind, facts.origin, facts.host, facts.origins) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::InvalidRequest,
        "this page's origin may not connect; open the console at the gateway's own address, or list the origin in \
         gateway.controlUi.allowedOrigins",
        "origin-mismatch",
    ))
}

/// Scopes as the handshake asks for them: an operator that names none asks for everything, a node for nothing.
fn asked_scopes(facts: &Facts<'_>) -> Scopes {
    let named = facts.connect.scopes.as_deref().unwrap_or_default();
    match (facts.role, named.is_empty()) {
        (Role::Operator, true) => Scopes::from_iter([Scope::Admin]),
        (Role::Node, true) => Scopes::default(),
        (_, false) => Scopes::read(named.iter().map(String::as_str)),
    }
}

/// The documented minimum of a caller that proves no device.
fn least() -> Scopes {
    Scopes::from_iter([Scope::Read, Scope::Write])
}

fn without_device(facts: &Facts<'_>, console: bool) -> Result<Verdict, Box<Refusal>> {
    let glass = facts.break_glass;
    let switched = console && (glass.insecure_auth || glass.no_device_auth);
    if console && !switched {
        return Err(Refusal::new(
            Code::InvalidRequest,
            "the console needs a device identity, which browsers make over HTTPS or on 127.0.0.1 only; open it there",
            "control-ui-insecure-auth",
        ));
    }
    let shown = shown(facts.connect);
    let method = match (facts.tailnet_user, facts.accepts.judge(shown)) {
        // A tailnet identity says who the person is, not which device: it opens the console's switches, not more.
        (Some(_), _) if switched => Method::Tailscale,
        (_, Ok(())) => shared_method(facts.accepts),
        (_, Err(refused)) if tried(facts.connect).is_some() || switched => return Err(wrong(refused)),
        (_, Err(_)) => {
            return Err(Refusal::new(Code::NotPaired, "device identity required", "device-required"));
        }
    };
    if facts.role == Role::Node {
        return Err(Refusal::new(Code::NotPaired, "device identity required", "device-required"));
    }
    let asked = asked_scopes(facts);
    let scopes = if switched { asked } else { narrowed(&asked) };
    Ok(Verdict::Admit(Grant { role: facts.role, scopes, device: None, method }))
}

/// What a caller without a device gets of what it asks for; who asks for everything gets the whole minimum.
fn narrowed(asked: &Scopes) -> Scopes {
    if asked.satisfies(Scope::Admin) { least() } else { asked.within(&least()) }
}

fn prove(facts: &Facts<'_>, proof: &crate::protocol::connect::DeviceProof) -> Result<Device, Box<Refusal>> {
    let connect = facts.connect;
    let auth = connect.auth.as_ref();
    let proof = Proof {
        id: &proof.id,
        public_key: &proof.public_key,
        signature: &proof.signature,
        signed_at_ms: proof.signed_at,
        nonce: proof.nonce.as_deref(),
    };
    let token = auth.and_then(|a| a.token.as_deref().or(a.device_token.as_deref())).unwrap_or_default();
    let signed = Signed {
        client_id: connect.client.id.word(),
        client_mode: connect.client.mode.word(),
        role: facts.role.word(),
        scopes: connect.scopes.as_deref().unwrap_or_default(),
        token,
        platform: &connect.client.platform,
        device_family: connect.client.device_family.as_deref().unwrap_or_default(),
    };
    let rule = if facts.caller.is_local_direct() { NonceRule::MayBeMissing } else { NonceRule::Required };
    device::verify(&proof, &signed, facts.challenge, rule, facts.now_ms).map_err(|refused| {
        Refusal::new(
            Code::InvalidRequest,
            "the device's proof is not valid for this connection",
            refused.word(),
        )
    })
}

fn shown(connect: &Connect) -> Shown<'_> {
    let auth = connect.auth.as_ref();
    Shown { token: auth.and_then(|a| a.token.as_deref()), password: auth.and_then(|a| a.password.as_deref()) }
}

fn shared_method(accepts: &Accepts) -> Method {
    match accepts {
        Accepts::Token(_) => Method::Token,
        Accepts::Password(_) => Method::Password,
    }
}

/// What opens the door for a proven device: the tailnet, the shared secret, or the device's own live token.
fn open(facts: &Facts<'_>, wish: &Wish<'_>) -> Result<Method, Box<Refusal>> {
    if facts.tailnet_user.is_some() {
        return Ok(Method::Tailscale);
    }
    let shown = shown(facts.connect);
    let refused = match facts.accepts.judge(shown) {
        Ok(()) => return Ok(shared_method(facts.accepts)),
        Err(refused) => refused,
    };
    // No usable shared secret means that nobody comes in, whatever was handed out before (SP-320).
    let usable = facts.accepts.is_usable();
    if usable && opens_as_device(facts.devices, wish, facts.connect.auth.as_ref()) {
        return Ok(Method::DeviceToken);
    }
    Err(wrong(refused))
}

/// Whether something that the client shows is a live token of the device for what it wishes.
#[must_use]
pub fn opens_as_device(devices: &Devices, wish: &Wish<'_>, auth: Option<&Auth>) -> bool {
    let candidates = [
        auth.and_then(|a| a.device_token.as_deref()),
        // An older client sends its device token where the shared one goes.
        auth.and_then(|a| a.token.as_deref()),
    ];
    candidates.into_iter().flatten().any(|shown| devices.token_for(wish, shown, same).is_some())
}

/// The refusal of a caller whose credential was taken back while it came in: that of a wrong one (SP-344).
#[must_use]
pub fn taken_back() -> Box<Refusal> {
    let mut refusal = wrong(credential::Refused::TokenMismatch);
    refusal.cause = "credential-taken-back";
    refusal.guessed = None;
    refusal
}

/// Two texts in constant time.
fn same(a: &str, b: &str) -> bool {
    Key::new(&oc_types::Secret::new(a.to_owned())).is_some_and(|key| key.opens(b))
}

fn wrong(refused: credential::Refused) -> Box<Refusal> {
    let mut refusal = Refusal::new(
        Code::InvalidRequest,
        "unauthorized: the gateway did not accept this client's credentials",
        refused.word(),
    );
    // Neither the answer nor the close says which part was wrong (SP-344); the log does.
    refusal.failure.details = Some(json!({ "reason": "unauthorized" }));
    refusal.guessed = refused.counts().then_some(Class::SharedSecret);
    refusal
}

/// A known device that now claims another platform, or offers commands that it was not approved with, has to be approved again (SP-346).
/// Offering fewer is no change.
fn declared_otherwise(facts: &Facts<'_>, device: &Device) -> Option<Why> {
    let known = facts.devices.paired.get(&device.id).filter(|p| p.public_key == device.public_key)?;
    if facts.role != Role::Node || !known.has_role(Role::Node) {
        return None;
    }
    let pinned = known.platform.as_deref()?;
    if !pinned.trim().eq_ignore_ascii_case(facts.connect.client.platform.trim()) {
        return Some(Why::NotPaired);
    }
    let approved = known.commands.as_ref()?;
    facts.connect.commands.iter().any(|c| !approved.contains(c)).then_some(Why::CommandUpgrade)
}
