//! `browser.proxy`: this machine's own browser control port, passed on. Off unless `nodeHost.browserProxy.enabled` is true and
//! something answers there; the gateway can refuse it too (`gateway.nodes.browser.mode`). What is for this machine's own Chromium is not
//! passed on: see `own_browser`.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use oc_config::Environment;
use oc_types::Node;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::net::TcpStream;

use super::failure::NodeFailure;
use crate::client::target::DEFAULT_PORT;

/// How far above the gateway's port the control port lies.
const ABOVE: u16 = 2;
/// How long the port has to answer whether it is there.
const LOOK: Duration = Duration::from_millis(500);
/// Largest answer, in bytes.
const LARGEST: usize = 4 * 1024 * 1024;
/// Longest path, in bytes.
const LONGEST_PATH: usize = 2048;

/// A control port that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Control {
    port: u16,
    profiles: Vec<String>,
}

/// The control port, when it is switched on and answers now.
pub(super) async fn control(config: &Node, environment: &Environment) -> Option<Control> {
    // For the port an empty list limits nothing, as upstream has it.
    let profiles = lent(config)?.profiles.unwrap_or_default();
    let port = gateway_port(config, environment).checked_add(ABOVE)?;
    let there = tokio::time::timeout(LOOK, TcpStream::connect(("127.0.0.1", port))).await;
    matches!(there, Ok(Ok(_))).then_some(Control { port, profiles })
}

/// `nodeHost.browserProxy` when its switch is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lent {
    /// The profiles that may be used; `None` when there is no list.
    pub(super) profiles: Option<Vec<String>>,
}

/// What is lent; `None`: off, or unreadable.
pub(super) fn lent(config: &Node) -> Option<Lent> {
    let proxy = config.path(&["nodeHost", "browserProxy"])?;
    if proxy.get("enabled").and_then(Node::as_bool) != Some(true) {
        return None;
    }
    let profiles = match proxy.get("allowProfiles") {
        None => None,
        Some(list) => {
            let texts = list.as_array()?.iter().map(|p| p.as_str().map(str::to_owned));
            Some(texts.collect::<Option<Vec<_>>>()?)
        }
    };
    Some(Lent { profiles })
}

fn gateway_port(config: &Node, environment: &Environment) -> u16 {
    let valid = |text: &str| text.trim().parse::<u16>().ok().filter(|p| *p > 0);
    let configured = config.path(&["gateway", "port"]).and_then(Node::as_number);
    let configured = configured.and_then(|n| valid(&oc_types::tree::number_text(n)));
    environment.text("OPENCLAW_GATEWAY_PORT").and_then(valid).or(configured).unwrap_or(DEFAULT_PORT)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Params {
    path: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    query: Option<Map<String, Value>>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    profile: Option<String>,
    /// The call has its own deadline.
    #[serde(default, rename = "timeoutMs")]
    _timeout_ms: Option<u64>,
}

/// Passes one request on.
pub(super) async fn pass_on(control: &Control, params: &Value) -> Result<Value, NodeFailure> {
    let params = Params::deserialize(params).map_err(NodeFailure::invalid)?;
    let method = match params.method.as_deref().unwrap_or("GET").to_ascii_uppercase().as_str() {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "DELETE" => Method::DELETE,
        _ => return Err(NodeFailure::invalid("method is GET, POST or DELETE")),
    };
    let uri = uri(control, &params)?;
    let body = params.body.map(|b| b.to_string()).unwrap_or_default();
    let stream = TcpStream::connect(("127.0.0.1", control.port)).await.map_err(NodeFailure::unavailable)?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(NodeFailure::unavailable)?;
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header("host", format!("127.0.0.1:{}", control.port))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(NodeFailure::invalid)?;
    let exchange = async {
        let answer = sender.send_request(request).await.map_err(NodeFailure::unavailable)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LARGEST).collect().await;
        let body = body.map_err(NodeFailure::unavailable)?.to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        if !status.is_success() {
            let why = format!("the browser control answers {}: {text}", status.as_u16());
            return Err(NodeFailure::unavailable(why));
        }
        Ok(json!({ "result": serde_json::from_str(&text).unwrap_or(Value::String(text)) }))
    };
    // The exchange ends first; the connection only carries it.
    tokio::pin!(connection, exchange);
    tokio::select! {
        done = &mut exchange => done,
        ended = &mut connection => match ended {
            Ok(()) => exchange.await,
            Err(e) => Err(NodeFailure::unavailable(e)),
        },
    }
}

/// The path below the control port, with the profile among the query.
fn uri(control: &Control, params: &Params) -> Result<Uri, NodeFailure> {
    let path = params.path.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-~".contains(c);
    let fine = path.starts_with('/') && path.len() <= LONGEST_PATH && path.chars().all(plain);
    if !fine || path.contains("//") || path.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(NodeFailure::invalid("path is not a plain path of the control port"));
    }
    let mut query = params.query.clone().unwrap_or_default();
    let among = query.get("profile").and_then(Value::as_str).map(str::to_owned);
    let profile = params.profile.clone().or_else(|| among.clone());
    let differ = among.is_some() && among != profile;
    let listed = profile.as_ref().is_some_and(|p| control.profiles.contains(p));
    if differ || (!control.profiles.is_empty() && !listed) {
        return Err(NodeFailure::invalid(
            "this browser profile is not in nodeHost.browserProxy.allowProfiles",
        ));
    }
    if let Some(profile) = profile {
        query.insert("profile".to_owned(), profile.into());
    }
    let mut pairs = Vec::new();
    for (name, value) in &query {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Null => continue,
            Value::Array(_) | Value::Object(_) => {
                return Err(NodeFailure::invalid("query holds texts, numbers and flags"));
            }
        };
        pairs.push(format!("{}={}", encoded(name), encoded(&text)));
    }
    let whole = if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) };
    whole.parse().map_err(NodeFailure::invalid)
}

fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(params: &Value, profiles: &[&str]) -> Result<String, String> {
        let control = Control { port: 1, profiles: profiles.iter().map(|p| (*p).to_owned()).collect() };
        uri(&control, &Params::deserialize(params).unwrap()).map(|u| u.to_string()).map_err(|e| e.message)
    }

    #[test]
    fn a_path_stays_below_the_control_port_and_a_profile_on_its_list() {
        assert_eq!(
            of(&json!({"path": "/tabs", "query": {"a": "b c&d", "n": 1}}), &[]).unwrap(),
            "/tabs?a=b%20c%26d&n=1"
        );
        assert_eq!(of(&json!({"path": "/", "profile": "x"}), &["x"]).unwrap(), "/?profile=x");
        for bad in
            ["tabs", "//host/", "/../x", "/a?b", "/a#b", "/a b", "/%2e%2e", "http://127.0.0.1/", "/\r\nX: y"]
        {
            assert!(of(&json!({"path": bad}), &[]).is_err(), "{bad}");
        }
        for other in [
            json!({"path": "/"}),
            json!({"path": "/", "profile": "y"}),
            json!({"path": "/", "profile": "x", "query": {"profile": "y"}}),
            json!({"path": "/", "query": {"profile": "y"}}),
        ] {
            assert!(of(&other, &["x"]).is_err(), "{other}");
        }
    }
}
