//! How the services of the gateway and of the node host stand, for reports.

use oc_gateway::service::Kind;
use oc_gateway::service::manager::Status;
use serde_json::{Value, json};

use super::super::service;
use crate::app::App;

/// A service, or why this system has none.
#[derive(Debug)]
pub struct Standing(Result<(Status, String), String>);

impl Standing {
    /// Looks.
    pub fn of(app: &App, kind: Kind) -> Self {
        Self(service::status(app, kind).map_err(|e| format!("{e:#}")))
    }

    /// For people, one line.
    pub fn words(&self) -> String {
        match &self.0 {
            Ok((status, name)) => service::status_line(status, name),
            Err(why) => why.clone(),
        }
    }

    fn installed(&self) -> bool {
        self.0.as_ref().is_ok_and(|(status, _)| status.file.is_some())
    }

    fn runtime(&self) -> (&'static str, String) {
        match &self.0 {
            Ok((status, _)) => {
                let word = match status.running {
                    Some(true) => "running",
                    Some(false) => "stopped",
                    None => "unknown",
                };
                (word, status.detail.clone())
            }
            Err(why) => ("unknown", why.clone()),
        }
    }

    /// For `gateway status --json`.
    pub fn json(&self) -> Value {
        let (word, detail) = self.runtime();
        let line = self.0.as_ref().ok().and_then(|(status, _)| status.command_line.as_ref());
        let pid = self.0.as_ref().ok().and_then(|(status, _)| status.pid);
        json!({
            "label": manager(), "loaded": self.installed(), "loadedText": "installed", "notLoadedText": "not installed",
            "command": line.map(|line| json!({ "programArguments": line })),
            "runtime": {"status": word, "pid": pid, "detail": detail},
        })
    }

    /// For `status --json`.
    pub fn short_json(&self) -> Value {
        let (word, detail) = self.runtime();
        let installed = self.installed();
        let text = if installed { "installed" } else { "not installed" };
        let short = if detail.is_empty() { word.to_owned() } else { format!("{word} ({detail})") };
        json!({"label": manager(), "installed": installed, "loadedText": text, "runtimeShort": short})
    }

    /// One for tests of what is printed.
    #[cfg(test)]
    pub fn sample() -> Self {
        Self(Ok((Status::default(), "openclaw-gateway.service".to_owned())))
    }
}

fn manager() -> &'static str {
    if cfg!(target_os = "macos") { "launchd" } else { "systemd" }
}
