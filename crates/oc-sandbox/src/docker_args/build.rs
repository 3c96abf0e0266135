//! `create`, `start` and the setup command, from the settings alone.

use oc_policy::sandbox::{Amount, Docker, Setting, Ulimit};
use oc_types::tree::number_text;

use crate::context::Context;

/// A `create` command taken apart, so that [`super::harden()`] can add to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateCommand {
    /// Everything between `create` and the image.
    pub options: Vec<String>,
    /// The image.
    pub image: String,
    /// The command that keeps the container alive.
    pub command: Vec<String>,
}

impl CreateCommand {
    /// The argument vector.
    #[must_use]
    pub fn argv(&self) -> Vec<String> {
        let head = std::iter::once("create".to_owned()).chain(self.options.iter().cloned());
        head.chain([self.image.clone()]).chain(self.command.iter().cloned()).collect()
    }

    pub(super) fn flag(&mut self, name: &str, value: impl Into<String>) {
        self.options.push(name.to_owned());
        self.options.push(value.into());
    }
}

/// The text of an amount; blank counts as unset.
pub(super) fn amount_text(amount: &Amount) -> Option<String> {
    let text = match amount {
        Amount::Text(t) => t.trim().to_owned(),
        Amount::Number(n) => number_text(*n),
    };
    (!text.is_empty()).then_some(text)
}

fn ulimit_text(limit: &Ulimit) -> Option<String> {
    match limit {
        Ulimit::Both(amount) => amount_text(amount),
        Ulimit::Pair { soft: Some(s), hard: Some(h) } => {
            Some(format!("{}:{}", number_text(*s), number_text(*h)))
        }
        Ulimit::Pair { soft: Some(one), hard: None } | Ulimit::Pair { soft: None, hard: Some(one) } => {
            Some(number_text(*one))
        }
        Ulimit::Pair { soft: None, hard: None } => None,
    }
}

fn text(setting: Option<&Setting<String>>) -> Option<&str> {
    setting.map(|s| s.value.as_str()).filter(|s| !s.is_empty())
}

/// Builds the `create` command. `created_at_ms` in milliseconds since 1970.
#[must_use]
pub fn build(docker: &Docker, context: &Context, created_at_ms: u64) -> CreateCommand {
    let mut c = CreateCommand {
        options: Vec::new(),
        image: docker.image.value.clone(),
        command: vec!["sleep".to_owned(), "infinity".to_owned()],
    };
    c.flag("--name", &context.container_name);
    c.flag("--label", "openclaw.sandbox=1");
    c.flag("--label", format!("openclaw.sessionKey={}", context.scope_key));
    c.flag("--label", format!("openclaw.createdAtMs={created_at_ms}"));
    c.flag("--label", format!("openclaw.configHash={}", context.legacy_hash));
    if docker.read_only_root.value {
        c.options.push("--read-only".to_owned());
    }
    docker.tmpfs.value.iter().for_each(|e| c.flag("--tmpfs", e));
    if !docker.network.value.is_empty() {
        c.flag("--network", &docker.network.value);
    }
    text(docker.user.as_ref()).into_iter().for_each(|u| c.flag("--user", u));
    docker.cap_drop.value.iter().for_each(|e| c.flag("--cap-drop", e));
    c.flag("--security-opt", "no-new-privileges");
    for (name, profile) in [("seccomp", &docker.seccomp_profile), ("apparmor", &docker.apparmor_profile)] {
        if let Some(p) = text(profile.as_ref()) {
            c.flag("--security-opt", format!("{name}={p}"));
        }
    }
    for (flag, list) in [("--dns", &docker.dns), ("--add-host", &docker.extra_hosts)] {
        let entries = list.iter().flat_map(|l| &l.value).filter(|e| !e.trim().is_empty());
        entries.for_each(|e| c.flag(flag, e));
    }
    limits(docker, &mut c);
    docker.binds.iter().for_each(|b| c.flag("-v", &b.value));
    c.flag("--workdir", &docker.workdir.value);
    context.mounts.iter().for_each(|m| c.flag("-v", m.to_string()));
    c
}

fn limits(docker: &Docker, c: &mut CreateCommand) {
    if let Some(n) = docker.pids_limit.as_ref().map(|s| s.value).filter(|n| *n > 0.0) {
        c.flag("--pids-limit", number_text(n));
    }
    for (flag, amount) in [("--memory", &docker.memory), ("--memory-swap", &docker.memory_swap)] {
        if let Some(text) = amount.as_ref().and_then(|a| amount_text(&a.value)) {
            c.flag(flag, text);
        }
    }
    if let Some(n) = docker.cpus.as_ref().map(|s| s.value).filter(|n| *n > 0.0) {
        c.flag("--cpus", number_text(n));
    }
    for (name, limit) in docker.ulimits.iter().flatten() {
        if let Some(text) = ulimit_text(&limit.value) {
            c.flag("--ulimit", format!("{name}={text}"));
        }
    }
}

/// `start <name>`.
#[must_use]
pub fn start_command(context: &Context) -> Vec<String> {
    vec!["start".to_owned(), context.container_name.clone()]
}

/// The setup command, run once after the first start; `None` when it is blank. It is the operator's own shell line.
#[must_use]
pub fn setup_command(docker: &Docker, context: &Context) -> Option<Vec<String>> {
    let line = docker.setup_command.as_ref().map(|s| &s.value).filter(|s| !s.trim().is_empty())?;
    Some(["exec", "-i", &context.container_name, "sh", "-lc", line].into_iter().map(str::to_owned).collect())
}
