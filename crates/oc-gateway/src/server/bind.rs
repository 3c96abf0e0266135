//! Where the gateway listens. A wanted address that cannot be had is an error: it is never widened (gateway 1, SP-009, SP-320).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use oc_config::setting::BindMode;
use thiserror::Error;
use tokio::net::TcpListener;

use crate::entrance::peer::is_tailnet;

#[cfg(test)]
mod tests;

/// Why there is no listener.
#[derive(Debug, Error)]
pub enum BindFailure {
    /// Another program has the port.
    #[error(
        "port {port} on {address} is in use, by another gateway perhaps; stop it (`openclaw gateway stop`) or choose another port \
         (--port, gateway.port)"
    )]
    InUse {
        /// The address.
        address: IpAddr,
        /// The port.
        port: u16,
    },
    /// The system does not give the address.
    #[error(
        "cannot listen on {address} port {port}: {source}; gateway.bind is not widened to another address"
    )]
    Unbindable {
        /// The address.
        address: IpAddr,
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// `customBindHost` is missing or no IPv4 address.
    #[error(
        "gateway.customBindHost is {0}; gateway.bind \"custom\" needs an IPv4 address of this machine there"
    )]
    CustomHost(String),
}

/// The addresses to listen on, and whether each of them must be had. `interfaces`: the machine's own addresses.
///
/// # Errors
/// [`BindFailure::CustomHost`].
pub fn addresses(
    bind: BindMode,
    custom: Option<&str>,
    interfaces: &[IpAddr],
) -> Result<Vec<(IpAddr, bool)>, BindFailure> {
    let loopback = || vec![(IpAddr::V4(Ipv4Addr::LOCALHOST), true), (IpAddr::V6(Ipv6Addr::LOCALHOST), false)];
    Ok(match bind {
        BindMode::Loopback | BindMode::Auto => loopback(),
        BindMode::Lan => vec![(IpAddr::V4(Ipv4Addr::UNSPECIFIED), true)],
        BindMode::Tailnet => {
            let found = interfaces.iter().find(|a| a.is_ipv4() && is_tailnet(**a));
            // Programs of this machine keep reaching the gateway on loopback.
            found.map_or_else(loopback, |a| vec![(*a, true), (IpAddr::V4(Ipv4Addr::LOCALHOST), false)])
        }
        BindMode::Custom => {
            let written = custom.unwrap_or("missing");
            let address = written.parse::<Ipv4Addr>();
            let address = address
                .map_err(|_| BindFailure::CustomHost(format!("\"{}\"", oc_text::visible(written, 60))))?;
            vec![(IpAddr::V4(address), true)]
        }
    })
}

/// Opens the listeners. With port 0 all of them get the port that the first one was given.
///
/// # Errors
/// See [`BindFailure`].
pub async fn listen(addresses: &[(IpAddr, bool)], port: u16) -> Result<Vec<TcpListener>, BindFailure> {
    let mut out: Vec<TcpListener> = Vec::new();
    let mut port = port;
    for (address, needed) in addresses {
        match TcpListener::bind(SocketAddr::new(*address, port)).await {
            Ok(listener) => {
                if port == 0 {
                    port = listener.local_addr().map_or(0, |a| a.port());
                }
                out.push(listener);
            }
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => {
                return Err(BindFailure::InUse { address: *address, port });
            }
            Err(_) if !needed => {}
            Err(source) => return Err(BindFailure::Unbindable { address: *address, port, source }),
        }
    }
    Ok(out)
}

/// The machine's own addresses. A system that does not say them has none: nothing is then local but loopback.
#[must_use]
pub fn interfaces() -> Vec<IpAddr> {
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    found.iter().map(|i| i.ip().to_canonical()).collect()
}
