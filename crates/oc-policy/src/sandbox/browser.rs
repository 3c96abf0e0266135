//! `sandbox.browser` and `sandbox.prune`: the settings in force.

use serde_json::{Map, Value as Json};

use super::SandboxError;
use super::docker::put;
use super::group::Group;
use super::setting::{Field, Setting};

/// The sandbox browser's settings in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Browser {
    /// Whether a sandbox browser may be started.
    pub enabled: Setting<bool>,
    /// The image.
    pub image: Setting<String>,
    /// First part of the container's name.
    pub container_prefix: Setting<String>,
    /// Port of the debugging protocol.
    pub cdp_port: Setting<f64>,
    /// Port of VNC.
    pub vnc_port: Setting<f64>,
    /// Port of noVNC.
    pub no_vnc_port: Setting<f64>,
    /// Without a display.
    pub headless: Setting<bool>,
    /// Whether noVNC is offered.
    pub enable_no_vnc: Setting<bool>,
    /// Whether a sandboxed session may drive the browser of the host. `browser.allowHostControl` or `browserAllowHostControl`.
    pub allow_host_control: Setting<bool>,
    /// Whether it starts by itself.
    pub auto_start: Setting<bool>,
    /// How long a start may take, in milliseconds.
    pub auto_start_timeout_ms: Setting<f64>,
}

impl Browser {
    pub(super) fn read(group: &Group<'_, '_>) -> Result<Self, SandboxError> {
        Ok(Self {
            enabled: group.or("enabled", false)?,
            image: group.or("image", "openclaw-sandbox-browser:bookworm-slim".to_owned())?,
            container_prefix: group.or("containerPrefix", "openclaw-sbx-browser-".to_owned())?,
            cdp_port: group.or("cdpPort", 9222.0)?,
            vnc_port: group.or("vncPort", 5900.0)?,
            no_vnc_port: group.or("noVncPort", 6080.0)?,
            headless: group.or("headless", false)?,
            enable_no_vnc: group.or("enableNoVnc", true)?,
            allow_host_control: allow_host_control(group)?,
            auto_start: group.or("autoStart", true)?,
            auto_start_timeout_ms: group.or("autoStartTimeoutMs", 12000.0)?,
        })
    }

    /// The settings as plain JSON under their configuration names.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut o = Map::new();
        put(&mut o, "enabled", Some(&self.enabled));
        put(&mut o, "image", Some(&self.image));
        put(&mut o, "containerPrefix", Some(&self.container_prefix));
        put(&mut o, "cdpPort", Some(&self.cdp_port));
        put(&mut o, "vncPort", Some(&self.vnc_port));
        put(&mut o, "noVncPort", Some(&self.no_vnc_port));
        put(&mut o, "headless", Some(&self.headless));
        put(&mut o, "enableNoVnc", Some(&self.enable_no_vnc));
        put(&mut o, "allowHostControl", Some(&self.allow_host_control));
        put(&mut o, "autoStart", Some(&self.auto_start));
        put(&mut o, "autoStartTimeoutMs", Some(&self.auto_start_timeout_ms));
        o.into()
    }
}

/// Two spellings at each level; either being true counts. The agent's level comes first as for every field.
fn allow_host_control(group: &Group<'_, '_>) -> Result<Setting<bool>, SandboxError> {
    const FLAT: [&str; 2] = ["sandbox", "browserAllowHostControl"];
    let flat_agent = if group.shared { None } else { group.places.agent(&FLAT) };
    let levels = [
        [group.agent("allowHostControl"), flat_agent],
        [group.defaults("allowHostControl"), group.places.defaults(&FLAT)],
    ];
    for level in levels {
        let mut read = Vec::new();
        for found in level.into_iter().flatten() {
            read.push(bool::read(&found)?);
        }
        let yes = read.iter().position(|s| s.value).unwrap_or(0);
        if let Some(setting) = read.into_iter().nth(yes) {
            return Ok(setting);
        }
    }
    Ok(Setting::default_of(false))
}

/// When idle or old containers are removed. 0 switches a limit off.
#[derive(Clone, Debug, PartialEq)]
pub struct Prune {
    /// Hours without use.
    pub idle_hours: Setting<f64>,
    /// Days since creation.
    pub max_age_days: Setting<f64>,
}

impl Prune {
    pub(super) fn read(group: &Group<'_, '_>) -> Result<Self, SandboxError> {
        Ok(Self { idle_hours: group.or("idleHours", 24.0)?, max_age_days: group.or("maxAgeDays", 7.0)? })
    }

    /// The settings as plain JSON under their configuration names.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut o = Map::new();
        put(&mut o, "idleHours", Some(&self.idle_hours));
        put(&mut o, "maxAgeDays", Some(&self.max_age_days));
        o.into()
    }
}
