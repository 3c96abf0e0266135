//! The body of the engine's create call, read from the hardened argument vector.
//!
//! The vector is the one description of a container: the recorded cases pin it, and this module reads it the way the engine's own
//! command line does. So what was recorded and what is sent cannot drift apart. An option that is not known here is an error.

mod amount;

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};
use thiserror::Error;

use crate::docker_args::CreateCommand;
pub(crate) use amount::bytes;
use amount::{count, nano_cpus, ulimit};

/// A value that the engine would not understand.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{option} {value:?}: {why}")]
pub struct SpecError {
    option: String,
    value: String,
    why: String,
}

impl SpecError {
    fn new(option: &str, value: &str, why: impl Into<String>) -> Self {
        Self { option: option.to_owned(), value: value.to_owned(), why: why.into() }
    }
}

/// A container to create.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerSpec {
    /// Its name.
    pub name: String,
    /// The create call's body.
    pub body: ContainerCreateBody,
}

impl ContainerSpec {
    /// Reads a create command. `profile` gives the text of a seccomp profile file: the engine takes the text, not the path.
    ///
    /// # Errors
    /// [`SpecError`]: an unknown option or a value without meaning.
    pub fn read(
        command: &CreateCommand,
        profile: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Self, SpecError> {
        let mut name = String::new();
        let mut body = ContainerCreateBody {
            image: Some(command.image.clone()),
            cmd: Some(command.command.clone()),
            ..ContainerCreateBody::default()
        };
        let mut host = HostConfig::default();
        let mut options = command.options.iter();
        while let Some(option) = options.next() {
            match option.as_str() {
                "--read-only" => host.readonly_rootfs = Some(true),
                "--init" => host.init = Some(true),
                "-i" => body.open_stdin = Some(true),
                _ => {
                    let value = options.next().ok_or_else(|| SpecError::new(option, "", "has no value"))?;
                    if option == "--name" {
                        name.clone_from(value);
                    } else {
                        set(&mut body, &mut host, option, value, profile)?;
                    }
                }
            }
        }
        body.host_config = Some(host);
        Ok(Self { name, body })
    }
}

fn push<T>(list: &mut Option<Vec<T>>, value: T) {
    list.get_or_insert_with(Vec::new).push(value);
}

/// Sets what one option with a value says.
fn set(
    body: &mut ContainerCreateBody,
    host: &mut HostConfig,
    option: &str,
    value: &str,
    profile: &dyn Fn(&str) -> Result<String, String>,
) -> Result<(), SpecError> {
    let wrong = |why: String| SpecError::new(option, value, why);
    match option {
        "--label" => {
            let (key, text) = value.split_once('=').unwrap_or((value, ""));
            body.labels.get_or_insert_with(HashMap::new).insert(key.to_owned(), text.to_owned());
        }
        "--tmpfs" => {
            let (path, settings) = value.split_once(':').unwrap_or((value, ""));
            if !path.starts_with('/') {
                return Err(wrong("is no absolute path".to_owned()));
            }
            host.tmpfs.get_or_insert_with(HashMap::new).insert(path.to_owned(), settings.to_owned());
        }
        "--network" => host.network_mode = Some(value.to_owned()),
        "--user" => body.user = Some(value.to_owned()),
        "--cap-drop" => push(&mut host.cap_drop, value.to_owned()),
        "--security-opt" => push(&mut host.security_opt, security_option(value, profile).map_err(wrong)?),
        "--dns" => push(&mut host.dns, value.trim().to_owned()),
        "--add-host" => push(&mut host.extra_hosts, value.trim().to_owned()),
        "--pids-limit" => host.pids_limit = Some(count(value).map_err(wrong)?),
        "--memory" => host.memory = Some(bytes(value).map_err(wrong)?),
        "--memory-swap" => {
            host.memory_swap = Some(if value == "-1" { -1 } else { bytes(value).map_err(wrong)? });
        }
        "--cpus" => host.nano_cpus = Some(nano_cpus(value).map_err(wrong)?),
        "--ulimit" => push(&mut host.ulimits, ulimit(value).map_err(wrong)?),
        "-v" => push(&mut host.binds, value.to_owned()),
        "--workdir" => body.working_dir = Some(value.to_owned()),
        "--entrypoint" => body.entrypoint = Some(vec![value.to_owned()]),
        "--log-driver" => {
            host.log_config = Some(HostConfigLogConfig { typ: Some(value.to_owned()), config: None });
        }
        _ => return Err(wrong("is an option that is not known".to_owned())),
    }
    Ok(())
}

fn security_option(value: &str, profile: &dyn Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let Some(path) = value.strip_prefix("seccomp=") else { return Ok(value.to_owned()) };
    let text = profile(path)?;
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| format!("the seccomp profile is no JSON: {e}"))?;
    Ok(format!("seccomp={json}"))
}

#[cfg(test)]
mod tests;
