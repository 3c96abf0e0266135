//! Refuses what no configuration may ask for, each with the key and where it stands.

use oc_policy::sandbox::{AGENT_MOUNT, Docker, Setting};
use oc_types::{KeyPath, Origin};
use thiserror::Error;

mod bind;
mod workspace;
use bind::check_bind;
pub use workspace::workspace_refusal;

/// A setting that is refused.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{key} at {origin}: {why}{}", lift.map(|l| format!(" (docker.{l}: true lifts this)")).unwrap_or_default())]
pub struct Refusal {
    /// The key.
    pub key: KeyPath,
    /// Where it stands.
    pub origin: Origin,
    /// What is wrong and what to do.
    pub why: String,
    /// The key below `sandbox.docker` that lifts the refusal, when one does.
    pub lift: Option<&'static str>,
}

/// What paths mean on this machine.
pub struct PathRules<'a> {
    /// Directories whose content may be mounted: agent workspaces and the sandbox workspace root.
    pub permitted_roots: &'a [String],
    /// The user's home directory.
    pub home: &'a str,
    /// The state directory.
    pub state_dir: &'a str,
    /// Resolves a normalised absolute path through the symbolic links of its deepest existing ancestor (SP-230).
    pub resolve: &'a dyn Fn(&str) -> String,
}

impl std::fmt::Debug for PathRules<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PathRules").field("permitted_roots", &self.permitted_roots).finish_non_exhaustive()
    }
}

fn at<T>(setting: &Setting<T>, fallback: &str) -> (KeyPath, Origin) {
    let key = setting.key.clone();
    let key = key.unwrap_or_else(|| KeyPath::dotted("agents.defaults.sandbox.docker").key(fallback));
    (key, setting.origin.clone())
}

fn lifted(setting: &Option<Setting<bool>>) -> bool {
    setting.as_ref().is_some_and(|s| s.value)
}

/// Finds everything that is refused; empty means the container may be created.
#[must_use]
pub fn validate(docker: &Docker, rules: &PathRules<'_>) -> Vec<Refusal> {
    let mut out = Vec::new();
    let mut refuse = |(key, origin): (KeyPath, Origin), why: String, lift: Option<&'static str>| {
        out.push(Refusal { key, origin, why, lift });
    };
    let network = docker.network.value.trim().to_lowercase();
    if network == "host" {
        refuse(
            at(&docker.network, "network"),
            "the host's network is refused; use none or bridge".to_owned(),
            None,
        );
    } else if network.starts_with("container:") && !lifted(&docker.lifted.namespace_join) {
        let why = "joining another container's network is refused; use none or bridge".to_owned();
        refuse(at(&docker.network, "network"), why, Some("dangerouslyAllowContainerNamespaceJoin"));
    }
    for (name, profile) in
        [("seccompProfile", &docker.seccomp_profile), ("apparmorProfile", &docker.apparmor_profile)]
    {
        if let Some(p) = profile.as_ref().filter(|p| p.value.trim().eq_ignore_ascii_case("unconfined")) {
            refuse(at(p, name), "an unconfined profile is refused; leave the key out".to_owned(), None);
        }
    }
    let image = &docker.image.value;
    if image.is_empty()
        || image.starts_with('-')
        || image.chars().any(|c| c.is_whitespace() || c.is_control())
    {
        refuse(at(&docker.image, "image"), format!("{image:?} is no image name"), None);
    }
    if !docker.workdir.value.starts_with('/') || docker.workdir.value.contains(':') {
        let why = "the working directory is an absolute path without ':'".to_owned();
        refuse(at(&docker.workdir, "workdir"), why, None);
    }
    for (name, value) in &docker.env {
        if !is_env_name(name) || value.value.contains('\0') {
            refuse(at(value, "env"), format!("{name:?} is no name of an environment variable"), None);
        }
    }
    for (name, limit) in docker.ulimits.iter().flatten() {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase()) {
            refuse(
                at(limit, "ulimits"),
                format!("{name:?} is no resource limit; use names such as nofile"),
                None,
            );
        }
    }
    let reserved = ["/workspace", AGENT_MOUNT, docker.workdir.value.as_str()];
    for bind in &docker.binds {
        if let Err((why, lift)) = check_bind(&bind.value, &reserved, &docker.lifted, rules) {
            refuse(at(bind, "binds"), why, lift);
        }
    }
    out
}

fn is_env_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
