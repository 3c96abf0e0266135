//! Says an announcement until it is dropped.

use std::time::Duration;

use mdns_sd::{ServiceDaemon, ServiceInfo};

use super::announcement::Announcement;
use super::{DiscoveryFailure, SERVICE};

/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// A running responder. Dropping it takes the announcement back.
pub struct Responder {
    daemon: ServiceDaemon,
    name: String,
}

impl std::fmt::Debug for Responder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Responder").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Responder {
    /// Starts one, on every interface but loopback. The library has a thread of its own.
    ///
    /// # Errors
    /// [`DiscoveryFailure`]. The gateway goes on without.
    pub fn start(said: &Announcement) -> Result<Self, DiscoveryFailure> {
        let txt: Vec<(&str, &str)> = said.txt.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let info = ServiceInfo::new(SERVICE, &said.instance, &said.host, "", said.port, txt.as_slice())?;
        let info = info.enable_addr_auto();
        let name = info.get_fullname().to_owned();
        let daemon = ServiceDaemon::new()?;
        daemon.register(info)?;
        Ok(Self { daemon, name })
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if let Ok(done) = self.daemon.unregister(&self.name) {
            let _ = done.recv_timeout(GOODBYE);
        }
        if let Ok(done) = self.daemon.shutdown() {
            let _ = done.recv_timeout(GOODBYE);
        }
    }
}
