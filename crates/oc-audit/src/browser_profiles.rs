//! Which browsers are driven, and where they are (audit spec 1.4).

use oc_types::{KeyPath, Node};

use crate::AuditContext;
use crate::gateway_auth::gateway_port;
use crate::http_url::HttpUrl;

/// Why the settings cannot be resolved: the key and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolvable {
    /// The key.
    pub key: KeyPath,
    /// What is wrong.
    pub why: String,
}

/// One browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserProfile {
    /// Its name.
    pub name: String,
    /// The key that says where it is.
    pub key: KeyPath,
    /// Where it is driven, or why that cannot be told.
    pub endpoint: Result<HttpUrl, Unresolvable>,
}

/// Hosts that mean this machine. `127.0.0.2` does not.
const LOOPBACK: [&str; 7] = ["localhost", "127.0.0.1", "0.0.0.0", "::1", "[::1]", "::", "[::]"];

/// Whether a host means this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    LOOPBACK.contains(&host.trim().to_lowercase().as_str())
}

/// The control port: two above the gateway's, or 18791 when that is no port.
fn control_port(ctx: &AuditContext<'_>) -> u32 {
    let port = gateway_port(ctx) + 2;
    if port > 65_535 { 18_791 } else { port }
}

/// Whether browser control is on (default: yes).
#[must_use]
pub fn enabled(ctx: &AuditContext<'_>) -> bool {
    ctx.flag(&["browser", "enabled"]) != Some(false)
}

/// The profiles, built-in ones included.
///
/// # Errors
/// When the settings at the top of `browser` cannot be resolved; reported even while browser control is off.
pub fn resolve(ctx: &AuditContext<'_>) -> Result<Vec<BrowserProfile>, Unresolvable> {
    let top_key = KeyPath::keys(["browser", "cdpUrl"]);
    let top_text = ctx.text(&["browser", "cdpUrl"]).map(str::trim).filter(|t| !t.is_empty());
    let top = match top_text {
        Some(text) => {
            let url = HttpUrl::parse(text)
                .map_err(|e| Unresolvable { key: top_key.clone(), why: format!("`browser.cdpUrl` {e}") })?;
            Some(url)
        }
        None => {
            let derived = control_port(ctx) + 1;
            if derived > 65_535 {
                return Err(Unresolvable {
                    key: KeyPath::keys(["gateway", "port"]),
                    why: format!("`gateway.port` leaves no room: the browser's port would be {derived}"),
                });
            }
            None
        }
    };
    let profiles = ctx.get(&["browser", "profiles"]).and_then(Node::as_object);
    let mut out: Vec<BrowserProfile> = Vec::new();
    for (name, section) in profiles.into_iter().flatten() {
        out.push(profile(name, section, top.as_ref()));
    }
    // The built-in profile follows `browser.cdpUrl`; the relay profile is always on loopback and never worth a finding.
    if let Some(url) = top.filter(|_| !out.iter().any(|p| p.name == "openclaw")) {
        out.push(BrowserProfile { name: "openclaw".to_owned(), key: top_key, endpoint: Ok(url) });
    }
    Ok(out)
}

fn profile(name: &str, section: &Node, top: Option<&HttpUrl>) -> BrowserProfile {
    let path = KeyPath::keys(["browser", "profiles"]).key(name);
    let own = section.get("cdpUrl").and_then(Node::as_str).map(str::trim).filter(|t| !t.is_empty());
    if let Some(text) = own {
        let key = path.key("cdpUrl");
        let endpoint =
            HttpUrl::parse(text).map_err(|e| Unresolvable { key: key.clone(), why: format!("`{key}` {e}") });
        return BrowserProfile { name: name.to_owned(), key, endpoint };
    }
    let key = path.key("cdpPort");
    let port = section.get("cdpPort").and_then(Node::as_number).filter(|p| *p >= 1.0 && *p <= 65_535.0);
    let endpoint = match port {
        Some(port) => Ok(HttpUrl {
            secure: top.is_some_and(|u| u.secure),
            host: top.map_or_else(|| "127.0.0.1".to_owned(), |u| u.host.clone()),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "range-checked")]
            port: port as u16,
        }),
        None => Err(Unresolvable {
            key: path.clone(),
            why: format!("`{path}` has neither a `cdpUrl` nor a `cdpPort`"),
        }),
    };
    BrowserProfile { name: name.to_owned(), key, endpoint }
}
