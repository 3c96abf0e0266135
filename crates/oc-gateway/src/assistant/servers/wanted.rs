//! Which servers a configuration wants to run, and how each is started. What cannot be started is said in the log and left out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use oc_config::Loaded;
use oc_extensions::plugin::PluginTools;
use oc_mcp::handlers::AskWhen;
use oc_mcp::spec::ServerSpec;

/// What a server is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// One of `mcp.servers`.
    Configured(AskWhen),
    /// A plugin's, with the tools that its manifest declares.
    Plugin(Vec<String>),
}

/// A server that should run.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub kind: Kind,
    pub spec: ServerSpec,
    /// What it is made from: another text is another server.
    pub made_from: String,
}

/// The servers that a configuration wants, by a name for the log.
pub(super) fn wanted(loaded: &Loaded, inherited: &[(String, String)]) -> BTreeMap<String, Wanted> {
    let tree = &loaded.tree;
    let plugins = oc_fs::plugins::processes(&loaded.locations.state_dir, tree);
    let mut out = BTreeMap::new();
    for name in ServerSpec::configured(tree) {
        let id = format!("mcp:{name}");
        // A list that names one would mean the other as well.
        if plugins.iter().any(|p| p.id.as_str().eq_ignore_ascii_case(name.trim())) {
            tracing::error!(target: "mcp", server = id, "a plugin has this name; give the server another one");
            continue;
        }
        match ServerSpec::of_config(tree, &name, inherited) {
            Ok(spec) => {
                let section = tree.path(&["mcp", "servers", &name]);
                let made_from = section.map(|n| n.to_json().to_string()).unwrap_or_default();
                let kind = Kind::Configured(AskWhen::of_config(tree, &name));
                out.insert(id, Wanted { kind, spec, made_from });
            }
            Err(e) => tracing::error!(target: "mcp", server = id, error = %e, "it cannot be started"),
        }
    }
    for plugin in plugins {
        let id = format!("plugin:{}", plugin.id);
        match of_plugin(&plugin, inherited) {
            Ok(wanted) => {
                out.insert(id, wanted);
            }
            Err(e) => tracing::error!(target: "mcp", server = id, error = e, "it cannot be started"),
        }
    }
    out
}

fn of_plugin(plugin: &PluginTools, inherited: &[(String, String)]) -> Result<Wanted, String> {
    for name in &plugin.unset {
        tracing::warn!(target: "mcp", plugin = %plugin.id, variable = name, "it asks for a variable that is not set; set it at `plugins.entries.<id>.config.env`");
    }
    let given: Vec<(String, String)> =
        plugin.env.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect();
    let spec =
        ServerSpec::of_command(plugin.id.as_str(), &plugin.program, plugin.args.clone(), inherited, &given);
    let spec = spec.map_err(|e| e.to_string())?;
    let made_from = format!("{} {} {:?} {:?}", plugin.folder, plugin.program, plugin.args, given);
    let spec = ServerSpec { directory: Some(PathBuf::from(&plugin.folder)), ..spec };
    Ok(Wanted { kind: Kind::Plugin(plugin.tools.iter().map(|t| t.name.clone()).collect()), spec, made_from })
}
