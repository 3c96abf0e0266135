//! Looks for gateways on the local network. Anybody there can answer, so an answer is a line to read and nothing else.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use mdns_sd::{ServiceDaemon, ServiceEvent};
use serde::Serialize;

use super::{DiscoveryFailure, SERVICE};

#[cfg(test)]
mod tests;

/// Most gateways of one search.
const MOST: usize = 64;
/// Longest text of a record that is shown, in characters.
const SHOWN: usize = 120;
/// Keys of the TXT record that are shown. The certificate's fingerprint is none of them: a pin has to come from the gateway's owner.
const KEYS: [&str; 7] = ["role", "displayName", "lanHost", "tailnetDns", "sshPort", "canvasPort", "cliPath"];

/// What somebody on the network says of itself. Unproven, and made safe to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// Its name.
    pub instance: String,
    /// Its host name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Its addresses, sorted.
    pub addresses: Vec<IpAddr>,
    /// Whether it says that it serves TLS.
    pub tls: bool,
    /// What else it says.
    pub hints: BTreeMap<&'static str, String>,
}

/// One record as it came in.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    pub(super) full_name: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) txt: Vec<(String, String)>,
}

impl Found {
    /// Reads a record.
    pub(super) fn of(heard: Heard) -> Self {
        let value =
            |key: &str| heard.txt.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v.as_str());
        let hints = KEYS
            .into_iter()
            .filter_map(|key| Some((key, oc_text::visible(value(key).filter(|v| !v.is_empty())?, SHOWN))))
            .collect();
        let tls = value("gatewayTls") == Some("1");
        let name = heard.full_name.strip_suffix(SERVICE).unwrap_or(&heard.full_name);
        let mut addresses = heard.addresses;
        addresses.sort();
        addresses.dedup();
        addresses.truncate(MOST);
        Self {
            instance: oc_text::visible(name.trim_end_matches('.'), SHOWN),
            host: oc_text::visible(heard.host.trim_end_matches('.'), SHOWN),
            port: heard.port,
            addresses,
            tls,
            hints,
        }
    }

    /// An address to try, for a person to copy. Credentials go there only when the person has entered it as the gateway to use.
    #[must_use]
    pub fn url_hint(&self) -> Option<String> {
        let scheme = if self.tls { "wss" } else { "ws" };
        let address = self.addresses.iter().find(|a| a.is_ipv4()).or_else(|| self.addresses.first())?;
        Some(match address {
            IpAddr::V4(a) => format!("{scheme}://{a}:{}", self.port),
            IpAddr::V6(a) => format!("{scheme}://[{a}]:{}", self.port),
        })
    }
}

/// Asks and listens for so long. Blocks.
///
/// # Errors
/// [`DiscoveryFailure`].
pub fn browse(patience: Duration) -> Result<Vec<Found>, DiscoveryFailure> {
    let daemon = ServiceDaemon::new()?;
    let heard = daemon.browse(SERVICE)?;
    let deadline = Instant::now() + patience;
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    while let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|d| !d.is_zero()) {
        let Ok(event) = heard.recv_timeout(left) else { break };
        match event {
            ServiceEvent::ServiceResolved(info)
                if found.len() < MOST || found.contains_key(info.get_fullname()) =>
            {
                let text =
                    |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
                let one = Heard {
                    full_name: info.get_fullname().to_owned(),
                    host: info.get_hostname().to_owned(),
                    port: info.get_port(),
                    addresses: info.get_addresses().iter().map(mdns_sd::ScopedIp::to_ip_addr).collect(),
                    txt: info.get_properties().iter().map(|p| (p.key().to_owned(), text(p.val()))).collect(),
                };
                found.insert(one.full_name.clone(), Found::of(one));
            }
            ServiceEvent::ServiceRemoved(_, name) => {
                found.remove(&name);
            }
            _ => {}
        }
    }
    if let Ok(done) = daemon.shutdown() {
        let _ = done.recv_timeout(Duration::from_millis(500));
    }
    Ok(found.into_values().collect())
}
