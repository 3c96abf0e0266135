//! What this machine offers: what is built and can be carried out now.

use oc_config::Loaded;

use super::browser::{self, Control};

/// The command that needs the runner.
const RUN: &str = "system.run";
/// The commands that need nothing but this program.
const ALWAYS: [&str; 3] = ["system.which", "system.execApprovals.get", "system.execApprovals.set"];

/// What is offered for one connection.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    path: Option<String>,
    browser: Option<Control>,
}

/// Looks what can be offered.
pub(super) async fn of(loaded: &Loaded) -> Offer {
    let path = loaded.environment.text("PATH").map(str::to_owned);
    Offer { path, browser: browser::control(&loaded.tree, &loaded.environment).await }
}

impl Offer {
    /// The commands, sorted as they are declared.
    pub(super) fn commands(&self) -> Vec<String> {
        let browser = self.browser.as_ref().map(|_| "browser.proxy");
        // What cannot be carried out here is not offered.
        let run = oc_runner::RUNS_HERE.then_some(RUN);
        run.into_iter().chain(ALWAYS).chain(browser).map(str::to_owned).collect()
    }

    /// What it can do, in groups.
    pub(super) fn caps(&self) -> Vec<String> {
        let browser = self.browser.as_ref().map(|_| "browser");
        ["system"].into_iter().chain(browser).map(str::to_owned).collect()
    }

    /// The search path.
    pub(super) fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The browser's control port.
    pub(super) fn browser(&self) -> Option<&Control> {
        self.browser.as_ref()
    }
}
