//! Where the engine is: the environment variables of its own command line, read strictly.

use std::fmt;
use std::path::{Path, PathBuf};

use super::EngineError;

/// The engine's socket when nothing else is said.
pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// Where the engine answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineAddress {
    /// A socket on this machine.
    Unix(PathBuf),
    /// Plain TCP, on this machine only: whoever speaks to an engine is root on its host.
    Tcp(String),
    /// TLS with client certificate: `ca.pem`, `cert.pem`, `key.pem` in the directory.
    Tls {
        /// Host and port.
        host: String,
        /// The directory of the certificates.
        certificates: PathBuf,
    },
}

impl fmt::Display for EngineAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(host) => write!(f, "tcp://{host}"),
            Self::Tls { host, .. } => write!(f, "tcp://{host} (TLS)"),
        }
    }
}

impl EngineAddress {
    /// Reads `DOCKER_HOST`, `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH`; `home` is where `.docker` lies.
    ///
    /// # Errors
    /// [`EngineError::Address`]: an unknown scheme, or plain TCP to another machine.
    pub fn from_environment(
        get: impl Fn(&str) -> Option<String>,
        home: Option<&Path>,
    ) -> Result<Self, EngineError> {
        let value = |name: &str| get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let Some(host) = value("DOCKER_HOST") else { return Ok(Self::Unix(DEFAULT_SOCKET.into())) };
        let wrong = |why: &str| EngineError::Address { address: host.clone(), why: why.to_owned() };
        if let Some(path) = host.strip_prefix("unix://") {
            let path = Path::new(path);
            return if path.is_absolute() {
                Ok(Self::Unix(path.to_owned()))
            } else {
                Err(wrong("the socket's path is not absolute"))
            };
        }
        let (rest, scheme_tls) = match host.split_once("://") {
            Some(("tcp" | "http", rest)) => (rest, false),
            Some(("https", rest)) => (rest, true),
            _ => return Err(wrong("use unix://PATH or tcp://HOST:PORT")),
        };
        let rest = rest.trim_end_matches('/').to_owned();
        let port = rest.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        if port.is_none() || rest.contains(['/', '@', '?', '#']) {
            return Err(wrong("use tcp://HOST:PORT"));
        }
        if scheme_tls || value("DOCKER_TLS_VERIFY").is_some() {
            let certificates = value("DOCKER_CERT_PATH")
                .map(PathBuf::from)
                .or_else(|| home.map(|h| h.join(".docker")))
                .ok_or_else(|| wrong("set DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem"))?;
            return Ok(Self::Tls { host: rest, certificates });
        }
        if is_this_machine(&rest) {
            Ok(Self::Tcp(rest))
        } else {
            Err(wrong(
                "plain TCP to another machine is refused; set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH",
            ))
        }
    }

    /// Whether the engine sees this machine's files under the same paths.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match self {
            Self::Unix(_) => Reach::Local,
            Self::Tcp(_) | Self::Tls { .. } => Reach::Remote,
        }
    }
}

/// Whether an engine shares this machine's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It does.
    Local,
    /// It may not: what a container needs is copied to it.
    Remote,
}

fn is_this_machine(host_and_port: &str) -> bool {
    let host = host_and_port.rsplit_once(':').map_or(host_and_port, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<EngineAddress, String> {
        let get = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        EngineAddress::from_environment(get, Some(Path::new("/home/u"))).map_err(|e| e.to_string())
    }

    #[test]
    fn the_address_is_read_as_the_engines_own_command_reads_it() {
        assert_eq!(read(&[]), Ok(EngineAddress::Unix(DEFAULT_SOCKET.into())));
        assert_eq!(read(&[("DOCKER_HOST", "unix:///x/y")]), Ok(EngineAddress::Unix("/x/y".into())));
        assert_eq!(
            read(&[("DOCKER_HOST", "tcp://127.0.0.1:2375")]),
            Ok(EngineAddress::Tcp("127.0.0.1:2375".into()))
        );
        let tls = |certificates: &str| {
            Ok(EngineAddress::Tls { host: "h.example:2376".to_owned(), certificates: certificates.into() })
        };
        assert_eq!(
            read(&[("DOCKER_HOST", "tcp://h.example:2376"), ("DOCKER_TLS_VERIFY", "1")]),
            tls("/home/u/.docker")
        );
        assert_eq!(
            read(&[
                ("DOCKER_HOST", "tcp://h.example:2376"),
                ("DOCKER_TLS_VERIFY", "1"),
                ("DOCKER_CERT_PATH", "/c")
            ]),
            tls("/c")
        );
    }

    #[test]
    fn what_cannot_be_trusted_is_refused_with_the_fix() {
        for bad in [
            "ssh://h",
            "h:2375",
            "tcp://h",
            "tcp://h:1/x",
            "tcp://u@127.0.0.1:1",
            "unix://relative",
            "npipe://x",
        ] {
            assert!(read(&[("DOCKER_HOST", bad)]).is_err(), "{bad}");
        }
        let plain = read(&[("DOCKER_HOST", "tcp://10.0.0.1:2375")]).expect_err("refused");
        assert!(plain.contains("DOCKER_TLS_VERIFY"), "{plain}");
    }
}
