//! What is announced: pure.

use std::borrow::Cow;

#[cfg(test)]
mod tests;

/// `discovery.mdns.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Nothing.
    Off,
    /// What finding needs, and no more.
    Minimal,
    /// Also names, paths and ports that help whoever administers the machine, and whoever looks it over.
    Full,
}

impl Mode {
    /// The mode in force. `word` is the key's value, `disabled` that of `OPENCLAW_DISABLE_BONJOUR`. An unknown word is taken for `off`.
    #[must_use]
    pub fn of(word: Option<&str>, disabled: Option<&str>) -> Self {
        if disabled.is_some_and(is_truthy) {
            return Self::Off;
        }
        match word {
            None | Some("minimal") => Self::Minimal,
            Some("full") => Self::Full,
            Some(_) => Self::Off,
        }
    }
}

fn is_truthy(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on")
}

/// What is known about this gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The port it listens on.
    pub port: u16,
    /// The machine's name.
    pub machine: String,
    /// `OPENCLAW_MDNS_HOSTNAME`: the label that is announced instead of `openclaw`.
    pub label: Option<String>,
    /// SHA-256 of the certificate in lower-case hexadecimal, when it serves TLS.
    pub tls: Option<String>,
    /// The canvas host's port, when it is served.
    pub canvas_port: Option<u16>,
    /// The machine's name in the tailnet.
    pub tailnet_dns: Option<String>,
    /// The full path of the command.
    pub cli_path: Option<String>,
    /// `OPENCLAW_SSH_PORT`.
    pub ssh_port: Option<u16>,
}

/// What is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The instance's name.
    pub instance: String,
    /// The host's name, ending in `.local.`.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Keys and values of the TXT record, in order.
    pub txt: Vec<(&'static str, String)>,
}

/// The port of SSH when nothing else is said.
const SSH_PORT: u16 = 22;
/// Longest `key=value` of a TXT record, in bytes.
const MAX_TXT: usize = 255;
/// Longest label of a name, in bytes.
const MAX_LABEL: usize = 63;

/// What is announced in a mode; `None`: nothing.
#[must_use]
pub fn announcement(mode: Mode, facts: &Facts) -> Option<Announcement> {
    let full = match mode {
        Mode::Off => return None,
        Mode::Minimal => false,
        Mode::Full => true,
    };
    let label = facts
        .label
        .as_deref()
        .map(host_label)
        .filter(|l| !l.is_empty())
        .unwrap_or_else(|| "openclaw".to_owned());
    let mut txt = vec![
        ("role", "gateway".to_owned()),
        ("gatewayPort", facts.port.to_string()),
        ("transport", "gateway".to_owned()),
    ];
    if let Some(fingerprint) = &facts.tls {
        txt.push(("gatewayTls", "1".to_owned()));
        txt.push(("gatewayTlsSha256", fingerprint.clone()));
    }
    if full {
        txt.push(("displayName", facts.machine.clone()));
        txt.push(("lanHost", format!("{label}.local")));
        txt.extend(facts.canvas_port.map(|p| ("canvasPort", p.to_string())));
        txt.extend(facts.tailnet_dns.clone().map(|n| ("tailnetDns", n)));
        txt.extend(facts.cli_path.clone().map(|p| ("cliPath", p)));
        txt.push(("sshPort", facts.ssh_port.unwrap_or(SSH_PORT).to_string()));
    }
    // A value that does not fit is left out rather than cut: half a path is no path.
    txt.retain(|(key, value)| key.len() + 1 + value.len() <= MAX_TXT);
    // The machine's own name is one of the things that minimal keeps to itself.
    let named = if full && !facts.machine.is_empty() {
        Cow::Borrowed(facts.machine.as_str())
    } else {
        Cow::Owned(label.clone())
    };
    let instance = short(&format!("{} (OpenClaw)", oc_text::visible(&named, 40)));
    Some(Announcement { instance, host: format!("{label}.local."), port: facts.port, txt })
}

/// The letters, digits and dashes of the first label of a name.
fn host_label(name: &str) -> String {
    let first = name.trim().split('.').next().unwrap_or_default();
    let kept: String =
        first.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(MAX_LABEL).collect();
    kept.trim_matches('-').to_owned()
}

/// At most one label long.
fn short(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if out.len() + c.len_utf8() > MAX_LABEL {
            break;
        }
        out.push(c);
    }
    out
}
