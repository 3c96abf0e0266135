//! Brings together what the audit wants to know: disk, environment, clock, gateway.

use std::io::{IsTerminal, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use oc_audit::facts::{self, Facts};
use oc_audit::{RuleSet, workspace};
use oc_config::load::Loaded;
use oc_fs::code_walk::{self, Limits};
use oc_fs::identity_store::IdentityStore;
use oc_gateway::client::{Asked, Credentials};
use oc_gateway::probe;
use oc_types::Secret;

use crate::app::App;

/// `--deep` and what it presents to the gateway.
#[derive(Clone, Default)]
pub(in crate::commands) struct Deep {
    pub(super) token: Option<String>,
    pub(super) password: Option<String>,
}

/// What is known before anything was looked up on disk.
pub(super) fn start(app: &App, loaded: &Loaded) -> Facts {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    oc_fs::facts::begin(loaded, Some(app.cwd.clone()), now_ms)
}

/// Everything the checks want.
pub(in crate::commands) fn facts(app: &App, loaded: &Loaded, rules: RuleSet, deep: Option<&Deep>) -> Facts {
    let mut facts = oc_fs::facts::collect(&loaded.tree, start(app, loaded), rules);
    facts.deep = deep.map(|deep| look_deep(loaded, rules, deep));
    facts
}

fn look_deep(loaded: &Loaded, rules: RuleSet, deep: &Deep) -> facts::Deep {
    let profile = loaded.environment.text("OPENCLAW_PROFILE");
    let roots = workspace::skill_roots(&loaded.tree, &loaded.locations, profile);
    let limits = match rules {
        RuleSet::Era => Limits::ERA,
        RuleSet::Latest => Limits::LATEST,
    };
    let extensions = loaded.locations.state_dir.join("extensions");
    let mut progress = Progress::new();
    let folders =
        code_walk::scan_all(&extensions, &roots, limits, rules == RuleSet::Latest, &mut |name, files| {
            progress.tell(name, files);
        });
    progress.clear();
    let secret = |text: &Option<String>| text.clone().map(Secret::new);
    let credentials = Credentials { token: secret(&deep.token), password: secret(&deep.password) };
    let target = crate::wire::resolve(loaded, &Asked { credentials, ..Asked::default() });
    let identity = Some(IdentityStore::of(&loaded.locations.state_dir));
    facts::Deep { folders, probe: probe::run_blocking(&target, identity, probe::DEFAULT_TIMEOUT) }
}

/// A line on the terminal while code is scanned; nothing when there is no terminal.
struct Progress {
    shown: bool,
    terminal: bool,
}

impl Progress {
    fn new() -> Self {
        Self { shown: false, terminal: std::io::stderr().is_terminal() }
    }

    fn tell(&mut self, name: &str, files: usize) {
        if self.terminal && files.is_multiple_of(100) {
            self.shown = true;
            let _ =
                write!(std::io::stderr(), "\r\u{1b}[Kscanning {}: {files} files", oc_text::visible(name, 60));
        }
    }

    fn clear(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}
