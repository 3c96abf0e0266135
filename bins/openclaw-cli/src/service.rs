//! Whether the gateway and the node host are installed as services of this user. Only looked at; nothing is started or asked.

use std::path::PathBuf;

use oc_config::load::Loaded;
use serde_json::{Value, json};

/// A service of this user.
#[derive(Clone, Debug)]
pub struct Service {
    /// Who runs it: `systemd` or `launchd`.
    pub manager: &'static str,
    /// Its file.
    pub file: PathBuf,
    /// Whether the file is there.
    pub installed: bool,
}

/// The gateway's service.
pub fn gateway(loaded: &Loaded) -> Service {
    let name = match loaded.environment.text("OPENCLAW_PROFILE") {
        Some(profile) if profile != "default" => {
            (format!("openclaw-gateway-{profile}"), format!("ai.openclaw.{profile}"))
        }
        _ => ("openclaw-gateway".to_owned(), "ai.openclaw.gateway".to_owned()),
    };
    find(loaded, &name.0, &name.1)
}

/// The node host's service.
pub fn node(loaded: &Loaded) -> Service {
    find(loaded, "openclaw-node", "ai.openclaw.node")
}

fn find(loaded: &Loaded, unit: &str, label: &str) -> Service {
    let home = &loaded.locations.home;
    let (manager, file) = if cfg!(target_os = "macos") {
        ("launchd", home.join("Library/LaunchAgents").join(format!("{label}.plist")))
    } else {
        ("systemd", home.join(".config/systemd/user").join(format!("{unit}.service")))
    };
    let installed = file.is_file();
    Service { manager, file, installed }
}

impl Service {
    /// For people.
    pub fn words(&self) -> String {
        if self.installed {
            format!("{}, installed: {}", self.manager, self.file.display())
        } else {
            format!("{}, not installed", self.manager)
        }
    }

    /// For `gateway status --json`.
    pub fn json(&self) -> Value {
        json!({
            "label": self.manager, "loaded": self.installed, "loadedText": "installed",
            "notLoadedText": "not installed", "command": null,
            "runtime": {"status": "unknown", "detail": "not asked"},
        })
    }

    /// For `status --json`.
    pub fn short_json(&self) -> Value {
        let words = if self.installed { "installed" } else { "not installed" };
        json!({"label": self.manager, "installed": self.installed, "loadedText": words, "runtimeShort": null})
    }

    /// One for tests of what is printed.
    #[cfg(test)]
    pub fn sample(installed: bool) -> Self {
        let file = PathBuf::from("/home/u/.config/systemd/user/openclaw-gateway.service");
        Self { manager: "systemd", file, installed }
    }
}
