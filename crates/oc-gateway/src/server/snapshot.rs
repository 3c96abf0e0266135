//! One immutable reading of the configuration, as the whole gateway sees it (design 9, SP-067).

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use oc_config::credential::Credential;
use oc_config::{LoadRequest, Loaded, Locations};
use oc_fs::config_source::DiskSource;
use oc_policy::inventory::{Inventory, Tool};
use oc_policy::sandbox::Place as Places;
use oc_types::{KeyPath, Node, Secret};

use crate::entrance::admission::BreakGlass;
use crate::entrance::origin::OriginRule;
use crate::entrance::peer::{Own, is_tailnet};
use crate::methods::Place;
use crate::server::state::now_ms;
use crate::settings::{self, Flags, Resolved, Settings, StartRefused};

/// One reading. Whoever decides holds one from the first rule to the last.
#[derive(Debug)]
pub struct Snapshot {
    /// Counts the readings of this process; the first is 1.
    pub generation: u64,
    /// The configuration.
    pub loaded: Loaded,
    /// Its places, shared.
    pub locations: Arc<Locations>,
    /// Its tree, shared.
    pub tree: Arc<Node>,
    /// What it says about the gateway.
    pub settings: Settings,
    /// Which origins may connect.
    pub origins: OriginRule,
    /// This machine.
    pub own: Own,
}

/// What a reading starts from; the same for the whole life of the process.
#[derive(Clone, Debug)]
pub struct Source {
    /// Environment, overrides, current directory.
    pub request: LoadRequest,
    /// The command line.
    pub flags: Flags,
}

/// Reads a configuration. What is wrong with it stands in its issues.
#[must_use]
pub fn load(request: &LoadRequest) -> Loaded {
    let mut loaded = oc_config::load(request, &DiskSource);
    let found = oc_fs::plugins::find(&loaded.locations.state_dir, &loaded.tree, request.reading);
    loaded.issues.extend(oc_config::validate::plugins(&loaded.tree, &found));
    loaded
}

/// The places of a machine, as policies ask for them.
#[must_use]
pub fn places(loaded: &Loaded) -> Places {
    let text = |p: &PathBuf| p.to_string_lossy().into_owned();
    Places { home: text(&loaded.locations.home), state_dir: text(&loaded.locations.state_dir) }
}

/// A reading as the gate takes it, with further tools of running servers.
#[must_use]
pub fn for_gate(loaded: &Loaded, servers: &[Tool]) -> oc_sandbox::gate::Snapshot {
    let texts: Vec<(String, &str)> =
        loaded.files.iter().map(|f| (f.path.to_string_lossy().into_owned(), f.text.as_str())).collect();
    let texts = texts.iter().map(|(path, text)| (path.as_str(), *text));
    let declared = oc_fs::plugins::declared_tools(&loaded.locations.state_dir, &loaded.tree);
    let tool = |d: oc_fs::plugins::DeclaredTool| {
        let tool = Tool::plugin(&d.name, d.plugin.as_str());
        if d.optional { tool.optional() } else { tool }
    };
    let plugins = declared.into_iter().map(tool);
    let inventory = Inventory::with_plugins(plugins.chain(servers.iter().cloned()).collect::<Vec<_>>());
    let snapshot = oc_sandbox::gate::Snapshot::new(loaded.tree.clone(), inventory, places(loaded), texts);
    snapshot.with_profile(loaded.environment.get("OPENCLAW_PROFILE").map(str::to_owned))
}

impl Source {
    /// Reads the configuration. What is wrong with it stands in its issues.
    #[must_use]
    pub fn load(&self) -> Loaded {
        load(&self.request)
    }

    /// Reads the configuration into a snapshot.
    ///
    /// # Errors
    /// Every reason why the gateway cannot run on it.
    pub fn read(&self, generation: u64, interfaces: &[IpAddr]) -> Result<Snapshot, Vec<StartRefused>> {
        let loaded = self.load();
        if !loaded.is_valid() {
            return Err(loaded.issues.iter().map(|i| StartRefused::Invalid(i.to_string())).collect());
        }
        let resolved = resolve(&loaded);
        let settings = settings::read(&loaded.tree, &loaded.environment, &self.flags, &resolved)?;
        let origins =
            OriginRule { allowed: settings.control_ui.allowed_origins.clone(), own: interfaces.to_vec() };
        let own = Own { tailnet: interfaces.iter().copied().filter(|a| is_tailnet(*a)).collect() };
        let (locations, tree) = (Arc::new(loaded.locations.clone()), Arc::new(loaded.tree.clone()));
        Ok(Snapshot { generation, loaded, locations, tree, settings, origins, own })
    }
}

impl Snapshot {
    /// The console's break-glass switches.
    #[must_use]
    pub fn break_glass(&self) -> BreakGlass {
        BreakGlass {
            insecure_auth: self.settings.control_ui.allow_insecure_auth,
            no_device_auth: self.settings.control_ui.disable_device_auth,
        }
    }

    /// What the reading methods look at.
    #[must_use]
    pub fn place(&self) -> Place {
        let place = Place::new(Arc::clone(&self.locations), Arc::clone(&self.tree), now_ms());
        place.with_profile(self.loaded.environment.get("OPENCLAW_PROFILE").map(str::to_owned))
    }

    /// The places of this machine, as policies ask for them.
    #[must_use]
    pub fn places(&self) -> Places {
        places(&self.loaded)
    }

    /// The same reading as the gate takes it, with the tools of running servers.
    #[must_use]
    pub fn for_gate(&self, servers: &[Tool]) -> oc_sandbox::gate::Snapshot {
        for_gate(&self.loaded, servers)
    }
}

/// Follows the credentials of the gateway to where they are kept.
fn resolve(loaded: &Loaded) -> Resolved {
    let workspaces = workspaces(loaded);
    let mut failed = Vec::new();
    let mut one = |path: &str| -> Option<Secret> {
        let path = KeyPath::dotted(path);
        let found = Credential::of(&path, loaded.tree.at(&path)).and_then(|credential| {
            credential.map(|c| oc_fs::credential::resolve(&path, &c, &workspaces)).transpose()
        });
        match found {
            Ok(secret) => secret,
            Err(why) => {
                failed.push(why.to_string());
                None
            }
        }
    };
    let token = one("gateway.auth.token");
    let password = one("gateway.auth.password");
    let hooks = one("hooks.token");
    Resolved { token, password, hooks, failed }
}

/// The agents' workspaces: a credential is not kept where an agent can read it.
fn workspaces(loaded: &Loaded) -> Vec<PathBuf> {
    let tree = &loaded.tree;
    let default = tree.path(&["agents", "defaults", "workspace"]);
    let listed = tree.path(&["agents", "list"]).and_then(Node::as_array).unwrap_or_default();
    let own = listed.iter().filter_map(|a| a.get("workspace"));
    let standard = loaded.locations.state_dir.join("workspace");
    let named = default.into_iter().chain(own).filter_map(Node::as_str).map(PathBuf::from);
    named.chain([standard]).collect()
}
