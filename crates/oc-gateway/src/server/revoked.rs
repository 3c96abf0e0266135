//! Devices that another process took access from: `openclaw security lockdown`, `openclaw security rotate devices`, a list edited by hand.
//! Their sockets end as if the gateway itself had been asked (SP-328).

use std::sync::Arc;
use std::time::Duration;

use super::connection::Connection;
use super::outbox::Ending;
use super::state::{Gateway, stopping};
use crate::authority::Scopes;
use crate::devices::{Admission, Devices, Wish};
use crate::entrance::admission::Method;
use crate::entrance::device::Device;
use crate::protocol::connect::Role;
use crate::protocol::frame::Close;

#[cfg(test)]
mod tests;

/// How often the list is looked at.
const LOOK: Duration = Duration::from_millis(150);

/// Runs until the gateway ends.
pub(super) async fn watch(gateway: Arc<Gateway>) {
    let mut phase = gateway.phase();
    let mut seen = stamp(&gateway);
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stopping(&mut phase) => return,
        }
        let stamp = stamp(&gateway);
        if stamp == seen {
            continue;
        }
        // A list that cannot be read lets nobody in and ends nobody; the next look may read it.
        let Some(now) = read(&gateway).await else { continue };
        seen = stamp;
        let lost = |c: &Connection| Access::of(c).is_some_and(|a| a.is_lost(&now));
        let ended = gateway.registry.end_where(lost, &Ending::now(Close::Policy, "device access revoked"));
        if ended > 0 {
            tracing::info!(target: "gateway/devices", ended, "connections of revoked devices were closed");
        }
    }
}

fn stamp(gateway: &Gateway) -> Option<(u64, std::time::SystemTime)> {
    use std::os::unix::fs::MetadataExt as _;
    let meta = gateway.devices.files().paired().symlink_metadata().ok()?;
    Some((meta.ino(), meta.modified().ok()?))
}

async fn read(gateway: &Arc<Gateway>) -> Option<Devices> {
    let reader = Arc::clone(gateway);
    match tokio::task::spawn_blocking(move || reader.devices.read()).await.ok()? {
        Ok(devices) => Some(devices),
        Err(e) => {
            tracing::error!(target: "gateway/devices", error = %e, "the list of devices cannot be read");
            None
        }
    }
}

/// What a connection of a device rests on.
#[derive(Debug)]
struct Access<'a> {
    device: &'a Device,
    role: Role,
    scopes: &'a Scopes,
    method: Method,
    since_ms: u64,
}

impl<'a> Access<'a> {
    fn of(connection: &'a Connection) -> Option<Self> {
        Some(Self {
            device: connection.device.as_ref()?,
            role: connection.role,
            scopes: &connection.scopes,
            method: connection.method,
            since_ms: connection.since_ms,
        })
    }

    /// Whether it has no access any more.
    fn is_lost(&self, now: &Devices) -> bool {
        let wish = Wish { device: self.device, role: self.role, scopes: self.scopes };
        // Whoever is in with a device was admitted for this, whether or not a look in between saw it.
        if now.admit(&wish) != Admission::Admit {
            return true;
        }
        // The token that opened the door was taken back, or made anew since.
        self.method == Method::DeviceToken
            && now.paired.get(&self.device.id).and_then(|d| d.tokens.get(self.role.word())).is_none_or(
                |token| !token.is_live() || token.rotated_at_ms.is_some_and(|at| at > self.since_ms),
            )
    }
}
