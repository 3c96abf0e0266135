//! What this machine offers: what is built and can be carried out now.

use std::sync::Arc;

use oc_browser::remote::Served;
use oc_config::Loaded;

use super::browser::{self, Control};
use super::own_browser;

/// The command that needs the runner.
const RUN: &str = "system.run";
/// The commands that need nothing but this program.
const ALWAYS: [&str; 3] = ["system.which", "system.execApprovals.get", "system.execApprovals.set"];

/// What is offered for one connection.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    path: Option<String>,
    browser: Option<Control>,
    own_browser: Option<Served>,
}

/// Looks what can be offered.
pub(super) async fn of(loaded: &Arc<Loaded>) -> Offer {
    let path = loaded.environment.text("PATH").map(str::to_owned);
    let own = Arc::clone(loaded);
    // Chromium is looked for among files. A search that panicked found none.
    let own_browser = tokio::task::spawn_blocking(move || own_browser::of(&own)).await.unwrap_or_default();
    Offer { path, browser: browser::control(&loaded.tree, &loaded.environment).await, own_browser }
}

impl Offer {
    /// The commands, sorted as they are declared.
    pub(super) fn commands(&self) -> Vec<String> {
        let browser = self.lends_browser().then_some("browser.proxy");
        // What cannot be carried out here is not offered.
        let run = oc_runner::RUNS_HERE.then_some(RUN);
        run.into_iter().chain(ALWAYS).chain(browser).map(str::to_owned).collect()
    }

    /// What it can do, in groups.
    pub(super) fn caps(&self) -> Vec<String> {
        let browser = self.lends_browser().then_some("browser");
        ["system"].into_iter().chain(browser).map(str::to_owned).collect()
    }

    /// The search path.
    pub(super) fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    fn lends_browser(&self) -> bool {
        self.browser.is_some() || self.own_browser.is_some()
    }

    /// The browser of this machine.
    pub(super) fn own_browser(&self) -> Option<&Served> {
        self.own_browser.as_ref()
    }

    /// The browser's control port.
    pub(super) fn browser(&self) -> Option<&Control> {
        self.browser.as_ref()
    }
}
