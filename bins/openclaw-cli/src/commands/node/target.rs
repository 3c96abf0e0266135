//! Which gateway a node connects to, from the flags of `openclaw node`.

use anyhow::{Result, bail};
use oc_config::load::Loaded;
use oc_gateway::client::target::{DEFAULT_PORT, Trust, parse};
use oc_gateway::client::{Asked, Credentials, Pin, Source, Target};
use oc_types::Secret;

use crate::wire;

/// The gateway, and this machine's name there. Without host and port: the gateway of the configuration (`gateway.remote`, else this
/// machine's own).
#[derive(Clone, Debug, clap::Args)]
pub struct ToArgs {
    /// The gateway's host. The secret comes from `OPENCLAW_GATEWAY_TOKEN` or `OPENCLAW_GATEWAY_PASSWORD` (environment, or `.env` of the
    /// state directory); once paired, the node's own token is enough.
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// The gateway's port.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Speak TLS. Needed for a gateway on another machine.
    #[arg(long)]
    tls: bool,
    /// SHA-256 of the gateway's certificate; implies --tls.
    #[arg(long, value_name = "SHA256")]
    tls_fingerprint: Option<String>,
    /// This node's name in lists [default: this machine's].
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// Refused: a node is known by its device key.
    #[arg(long, value_name = "ID", hide = true)]
    node_id: Option<String>,
}

impl ToArgs {
    /// The target.
    ///
    /// # Errors
    /// Flags that do not go together.
    pub fn target(&self, loaded: &Loaded) -> Result<Target> {
        if self.node_id.is_some() {
            bail!(
                "--node-id: a node is known by its device key, and has no other id; use --display-name for a name"
            );
        }
        if self.host.is_none() && self.port.is_none() {
            let asked = Asked { fingerprint: self.tls_fingerprint.clone(), ..Asked::default() };
            let target = wire::resolve(loaded, &asked);
            if self.tls && target.problem.is_none() && target.scheme == oc_gateway::client::Scheme::Plain {
                bail!(
                    "--tls: the configured gateway speaks none; set gateway.remote.url to wss://, or name --host"
                );
            }
            return Ok(target);
        }
        let host = self.host.as_deref().unwrap_or("127.0.0.1").trim();
        if host.is_empty() || host.contains(['/', '@', '?', '#', ' ']) {
            bail!("--host is a name or an address, without ws:// and path");
        }
        let tls = self.tls || self.tls_fingerprint.is_some();
        let host =
            if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
        let word = if tls { "wss" } else { "ws" };
        let mut target =
            parse(&format!("{word}://{host}:{}", self.port.unwrap_or(DEFAULT_PORT)), Source::Flag);
        if let Some(text) = &self.tls_fingerprint {
            let Some(pin) = Pin::parse(text) else { bail!("--tls-fingerprint is not a SHA-256 fingerprint") };
            target.trust = Trust::Pin(pin);
        }
        let secret = |name: &str| loaded.environment.text(name).map(|t| Secret::new(t.trim().to_owned()));
        target.credentials = Credentials {
            token: secret("OPENCLAW_GATEWAY_TOKEN"),
            password: secret("OPENCLAW_GATEWAY_PASSWORD"),
        };
        Ok(target)
    }

    /// The node's name.
    pub fn name(&self) -> String {
        let given = self.display_name.as_deref().map(str::trim).filter(|n| !n.is_empty());
        given.map_or_else(oc_gateway::server::process::host_name, |n| oc_text::visible(n, 120))
    }

    /// The same as arguments, for a service.
    pub fn as_arguments(&self) -> Vec<String> {
        let pairs = [
            ("--host", self.host.clone()),
            ("--port", self.port.map(|p| p.to_string())),
            ("--tls-fingerprint", self.tls_fingerprint.clone()),
            ("--display-name", self.display_name.clone()),
        ];
        let given = pairs.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?]));
        given.flatten().chain(self.tls.then(|| "--tls".to_owned())).collect()
    }
}
