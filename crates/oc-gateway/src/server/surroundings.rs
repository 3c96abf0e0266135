//! What the network is told of this gateway: multicast DNS and Tailscale (gateway 1, 11). Neither keeps it from serving.

use std::sync::Arc;
use std::time::Duration;

use super::run::Running;
use super::state::Gateway;
use crate::discovery::announcement::{Facts, Mode, announcement};
use crate::discovery::responder::Responder;
use crate::settings::TailscaleMode;
use crate::tailnet::Publication;

/// How long taking back a publication may hold the end up.
const GOODBYE: Duration = Duration::from_secs(10);

/// What was told, to be taken back at the end.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    responder: Option<Responder>,
    reset: Option<Publication>,
}

impl Surroundings {
    /// Announces and publishes as the configuration says. Publishing goes on by itself; what fails is said in the log.
    pub(super) fn enter(running: &Running, machine: &str) -> Self {
        let gateway = &running.gateway;
        let settings = &gateway.snapshot().settings;
        let publication = match settings.tailscale.mode {
            TailscaleMode::Off => None,
            TailscaleMode::Serve => Some(Publication::Serve),
            TailscaleMode::Funnel => Some(Publication::Funnel),
        };
        if let Some(publication) = publication {
            let (gateway, port) = (Arc::clone(gateway), settings.port);
            tokio::spawn(async move {
                match gateway.tailnet.publish(publication, port).await {
                    Ok(()) => tracing::info!(target: "gateway/tailscale", port, "published"),
                    Err(e) => tracing::warn!(target: "gateway/tailscale", error = %e, "not published"),
                }
            });
        }
        Self {
            responder: responder(running, machine),
            reset: publication.filter(|_| settings.tailscale.reset_on_exit),
        }
    }

    /// Takes back what was told.
    pub(super) async fn leave(self, gateway: &Gateway) {
        if let Some(responder) = self.responder {
            // It says goodbye, and waits for that to be sent.
            let _ = tokio::task::spawn_blocking(move || drop(responder)).await;
        }
        if let Some(publication) = self.reset {
            let reset = tokio::time::timeout(GOODBYE, gateway.tailnet.reset(publication)).await;
            if !matches!(reset, Ok(Ok(()))) {
                tracing::warn!(target: "gateway/tailscale", "what was published could not be taken back");
            }
        }
    }
}

fn responder(running: &Running, machine: &str) -> Option<Responder> {
    let snapshot = running.gateway.snapshot();
    let (tree, environment) = (&snapshot.loaded.tree, &snapshot.loaded.environment);
    let word = tree.path(&["discovery", "mdns", "mode"]).and_then(oc_types::Node::as_str);
    let mode = Mode::of(word, environment.get("OPENCLAW_DISABLE_BONJOUR"));
    // Nobody else can reach loopback. In full mode it is announced all the same: the way in is SSH then.
    if mode == Mode::Minimal && running.addresses.iter().all(|a| a.ip().is_loopback()) {
        return None;
    }
    let facts = Facts {
        port: snapshot.settings.port,
        machine: machine.to_owned(),
        label: environment.text("OPENCLAW_MDNS_HOSTNAME").map(str::to_owned),
        tls: running.fingerprint.clone(),
        canvas_port: None,
        tailnet_dns: None,
        cli_path: command(),
        ssh_port: environment.text("OPENCLAW_SSH_PORT").and_then(|p| p.parse().ok()),
    };
    match Responder::start(&announcement(mode, &facts)?) {
        Ok(responder) => Some(responder),
        Err(e) => {
            tracing::warn!(target: "gateway/discovery", error = %e, "not announced");
            None
        }
    }
}

/// The command beside this program.
fn command() -> Option<String> {
    let path = std::env::current_exe().ok()?.with_file_name("openclaw");
    path.is_file().then(|| path.to_string_lossy().into_owned())
}
