//! Which commands a node may offer: by its platform, then the operator's lists; refusing wins (gateway 7, SP-346). Pure.

use std::collections::BTreeSet;

use crate::protocol::connect::Client;
use crate::settings::NodeRules;

/// What a node runs on, as far as it decides about commands. Chosen by ASCII words only (SP-019).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// iOS and iPadOS.
    Ios,
    /// Android.
    Android,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
    /// Linux.
    Linux,
    /// Anything else.
    Unknown,
}

impl Platform {
    /// Reads what a client says about itself: its platform, else its family of devices.
    #[must_use]
    pub fn of(client: &Client) -> Self {
        let by = |text: &str| {
            let text = text.trim().to_ascii_lowercase();
            let starts = |words: &[&str]| words.iter().any(|w| text.starts_with(w));
            if starts(&["ios", "ipados", "iphone", "ipad"]) {
                Some(Self::Ios)
            } else if starts(&["android"]) {
                Some(Self::Android)
            } else if starts(&["mac", "darwin"]) {
                Some(Self::MacOs)
            } else if starts(&["win"]) {
                Some(Self::Windows)
            } else if starts(&["linux"]) {
                Some(Self::Linux)
            } else {
                None
            }
        };
        let family = client.device_family.as_deref().unwrap_or_default();
        by(&client.platform).or_else(|| by(family)).unwrap_or(Self::Unknown)
    }
}

const CANVAS: [&str; 8] = [
    "canvas.present",
    "canvas.hide",
    "canvas.navigate",
    "canvas.eval",
    "canvas.snapshot",
    "canvas.a2ui.push",
    "canvas.a2ui.pushJSONL",
    "canvas.a2ui.reset",
];

const DEVICE: [&str; 10] = [
    "camera.list",
    "location.get",
    "device.info",
    "device.status",
    "contacts.search",
    "calendar.events",
    "reminders.list",
    "photos.latest",
    "motion.activity",
    "motion.pedometer",
];

const SYSTEM: [&str; 6] = [
    "system.run",
    "system.which",
    "system.notify",
    "system.execApprovals.get",
    "system.execApprovals.set",
    "browser.proxy",
];

/// Everything that a node of this kind may offer. What the operator adds counts on known platforms only by name, never by pattern.
#[must_use]
pub fn allowed(client: &Client, rules: &NodeRules) -> BTreeSet<String> {
    let platform = Platform::of(client);
    let groups: &[&[&str]] = match platform {
        Platform::Ios => &[&CANVAS, &DEVICE, &["system.notify"]],
        Platform::Android => &[&CANVAS, &DEVICE],
        Platform::MacOs => &[&CANVAS, &DEVICE, &SYSTEM],
        Platform::Windows | Platform::Linux => &[&CANVAS, &SYSTEM],
        // Whoever does not say what it is gets no system commands.
        Platform::Unknown => &[&CANVAS, &["camera.list", "location.get"]],
    };
    let defaults = groups.iter().flat_map(|g| g.iter().map(|c| (*c).to_owned()));
    let mut all: BTreeSet<String> = defaults.chain(rules.allow.iter().map(|c| c.trim().to_owned())).collect();
    for denied in &rules.deny {
        all.remove(denied.trim());
    }
    if rules.browser_off {
        all.remove("browser.proxy");
    }
    all.remove("");
    all
}
