//! `browser.*` as far as this crate reads it.

use std::path::PathBuf;

use oc_types::Node;

use crate::failure::BrowserFailure;
use crate::reach::Reach;

/// Longest picture, in bytes of base64, where nothing else sets a limit.
const PICTURE: usize = 6 * 1024 * 1024;

/// The settings in force for one call.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `browser.enabled`, true when absent.
    pub enabled: bool,
    /// `browser.executablePath`.
    pub executable: Option<PathBuf>,
    /// `browser.headless`; without it a window is shown where there is a display.
    pub headless: Option<bool>,
    /// `browser.noSandbox`: Chromium without its own sandbox.
    pub no_sandbox: bool,
    /// `browser.evaluateEnabled`, false when absent.
    pub evaluate: bool,
    /// `browser.snapshotDefaults.mode` is `efficient`: only what can be acted upon.
    pub efficient: bool,
    /// Where pages may be.
    pub reach: Reach,
    /// Longest picture that can be handed on, in bytes of base64.
    pub picture: usize,
    /// The key that names a browser which this product did not start.
    pub foreign: Option<&'static str>,
}

impl Settings {
    /// Reads them.
    pub fn of(config: &Node) -> Self {
        let at = |path: &[&str]| config.path(&["browser"]).and_then(|b| b.path(path));
        let flag = |name: &str| at(&[name]).and_then(Node::as_bool);
        let text = |path: &[&str]| at(path).and_then(Node::as_str).map(str::trim).filter(|t| !t.is_empty());
        let foreign = if text(&["cdpUrl"]).is_some() {
            Some("browser.cdpUrl")
        } else if flag("attachOnly") == Some(true) {
            Some("browser.attachOnly")
        } else {
            None
        };
        Self {
            enabled: at(&["enabled"]).is_none_or(|n| n.as_bool() == Some(true)),
            executable: text(&["executablePath"]).map(PathBuf::from),
            headless: flag("headless"),
            no_sandbox: flag("noSandbox") == Some(true),
            evaluate: flag("evaluateEnabled") == Some(true),
            efficient: text(&["snapshotDefaults", "mode"]) == Some("efficient"),
            reach: Reach::of(at(&["ssrfPolicy"])),
            picture: PICTURE,
            foreign,
        }
    }

    /// Why there is no browser under these settings.
    pub fn refusal(&self) -> Option<BrowserFailure> {
        if !self.enabled {
            return Some(BrowserFailure::Off);
        }
        self.foreign.map(BrowserFailure::Foreign)
    }
}
