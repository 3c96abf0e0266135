//! `sandbox.docker`: the container's settings in force.

use serde_json::{Map, Value as Json};

use super::SandboxError;
use super::group::Group;
use super::setting::{Amount, Field, Setting, Ulimit};

/// The container's settings in force (tool-policy 10.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Docker {
    /// The image.
    pub image: Setting<String>,
    /// First part of the container's name.
    pub container_prefix: Setting<String>,
    /// Working directory, and target of the main mount.
    pub workdir: Setting<String>,
    /// Whether the root file system is read-only.
    pub read_only_root: Setting<bool>,
    /// Writable memory file systems.
    pub tmpfs: Setting<Vec<String>>,
    /// Network; empty means the engine's own default.
    pub network: Setting<String>,
    /// User inside the container.
    pub user: Option<Setting<String>>,
    /// Capabilities that are dropped.
    pub cap_drop: Setting<Vec<String>>,
    /// Environment of every command, in order.
    pub env: Vec<(String, Setting<String>)>,
    /// Shell line run once after creation.
    pub setup_command: Option<Setting<String>>,
    /// Process limit.
    pub pids_limit: Option<Setting<f64>>,
    /// Memory limit.
    pub memory: Option<Setting<Amount>>,
    /// Memory and swap limit.
    pub memory_swap: Option<Setting<Amount>>,
    /// CPUs.
    pub cpus: Option<Setting<f64>>,
    /// Resource limits by name; `None` when no key sets any.
    pub ulimits: Option<Vec<(String, Setting<Ulimit>)>>,
    /// Seccomp profile.
    pub seccomp_profile: Option<Setting<String>>,
    /// AppArmor profile.
    pub apparmor_profile: Option<Setting<String>>,
    /// Name servers.
    pub dns: Option<Setting<Vec<String>>>,
    /// Extra host names.
    pub extra_hosts: Option<Setting<Vec<String>>>,
    /// Bind mounts: those of `agents.defaults`, then the agent's.
    pub binds: Vec<Setting<String>>,
    /// The refusals that the operator lifted.
    pub lifted: Lifted,
}

/// Refusals of the container settings that the operator lifted with a `dangerously...` key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lifted {
    /// `dangerouslyAllowReservedContainerTargets`.
    pub reserved_targets: Option<Setting<bool>>,
    /// `dangerouslyAllowExternalBindSources`.
    pub external_sources: Option<Setting<bool>>,
    /// `dangerouslyAllowContainerNamespaceJoin`.
    pub namespace_join: Option<Setting<bool>>,
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|s| (*s).to_owned()).collect()
}

impl Docker {
    pub(super) fn read(group: &Group<'_, '_>) -> Result<Self, SandboxError> {
        let (has_ulimits, ulimits) = (
            group.defaults("ulimits").is_some() || group.agent("ulimits").is_some(),
            group.merged::<Ulimit>("ulimits")?,
        );
        Ok(Self {
            image: group.or("image", "openclaw-sandbox:bookworm-slim".to_owned())?,
            container_prefix: group.or("containerPrefix", "openclaw-sbx-".to_owned())?,
            workdir: group.or("workdir", "/workspace".to_owned())?,
            read_only_root: group.or("readOnlyRoot", true)?,
            tmpfs: group.or("tmpfs", texts(&["/tmp", "/var/tmp", "/run"]))?,
            network: group.or("network", "none".to_owned())?,
            user: group.optional("user")?,
            cap_drop: group.or("capDrop", texts(&["ALL"]))?,
            env: env(group)?,
            setup_command: group.optional("setupCommand")?,
            pids_limit: group.optional("pidsLimit")?,
            memory: group.optional("memory")?,
            memory_swap: group.optional("memorySwap")?,
            cpus: group.optional("cpus")?,
            ulimits: has_ulimits.then_some(ulimits),
            seccomp_profile: group.optional("seccompProfile")?,
            apparmor_profile: group.optional("apparmorProfile")?,
            dns: group.optional("dns")?,
            extra_hosts: group.optional("extraHosts")?,
            binds: binds(group)?,
            lifted: Lifted {
                reserved_targets: group.optional("dangerouslyAllowReservedContainerTargets")?,
                external_sources: group.optional("dangerouslyAllowExternalBindSources")?,
                namespace_join: group.optional("dangerouslyAllowContainerNamespaceJoin")?,
            },
        })
    }

    /// The settings as plain JSON under their configuration names; what is unset is absent.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut o = Map::new();
        put(&mut o, "image", Some(&self.image));
        put(&mut o, "containerPrefix", Some(&self.container_prefix));
        put(&mut o, "workdir", Some(&self.workdir));
        put(&mut o, "readOnlyRoot", Some(&self.read_only_root));
        put(&mut o, "tmpfs", Some(&self.tmpfs));
        put(&mut o, "network", Some(&self.network));
        put(&mut o, "user", self.user.as_ref());
        put(&mut o, "capDrop", Some(&self.cap_drop));
        o.insert("env".to_owned(), map_json(&self.env));
        put(&mut o, "setupCommand", self.setup_command.as_ref());
        put(&mut o, "pidsLimit", self.pids_limit.as_ref());
        put(&mut o, "memory", self.memory.as_ref());
        put(&mut o, "memorySwap", self.memory_swap.as_ref());
        put(&mut o, "cpus", self.cpus.as_ref());
        if let Some(u) = &self.ulimits {
            o.insert("ulimits".to_owned(), map_json(u));
        }
        put(&mut o, "seccompProfile", self.seccomp_profile.as_ref());
        put(&mut o, "apparmorProfile", self.apparmor_profile.as_ref());
        put(&mut o, "dns", self.dns.as_ref());
        put(&mut o, "extraHosts", self.extra_hosts.as_ref());
        if !self.binds.is_empty() {
            let list: Vec<&str> = self.binds.iter().map(|b| b.value.as_str()).collect();
            o.insert("binds".to_owned(), list.into());
        }
        o.into()
    }
}

pub(super) fn put<T: Field>(o: &mut Map<String, Json>, name: &str, setting: Option<&Setting<T>>) {
    if let Some(s) = setting {
        o.insert(name.to_owned(), s.value.to_json());
    }
}

fn map_json<T: Field>(members: &[(String, Setting<T>)]) -> Json {
    Json::Object(members.iter().map(|(k, v)| (k.clone(), v.value.to_json())).collect())
}

/// The default `LANG` goes as soon as `agents.defaults` has an `env` of its own; an agent's `env` is merged over what is there.
fn env(group: &Group<'_, '_>) -> Result<Vec<(String, Setting<String>)>, SandboxError> {
    let merged = group.merged::<String>("env")?;
    if group.defaults("env").is_some() {
        return Ok(merged);
    }
    let mut out = vec![("LANG".to_owned(), Setting::default_of("C.UTF-8".to_owned()))];
    for (name, setting) in merged {
        match out.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = setting,
            None => out.push((name, setting)),
        }
    }
    Ok(out)
}

/// Binds add up: an agent cannot take away what `agents.defaults` mounts.
fn binds(group: &Group<'_, '_>) -> Result<Vec<Setting<String>>, SandboxError> {
    let mut out = Vec::new();
    for found in [group.defaults("binds"), group.agent("binds")].into_iter().flatten() {
        Vec::<String>::read(&found)?;
        let items = found.node.as_array().unwrap_or_default();
        out.extend(items.iter().enumerate().filter_map(|(i, n)| {
            Some(Setting {
                value: n.as_str()?.to_owned(),
                key: Some(found.key.index(i)),
                origin: n.origin.clone(),
            })
        }));
    }
    Ok(out)
}
