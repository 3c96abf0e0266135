//! The containers that `list` shows and `recreate` chooses from: the registry's, and those the engine has with our label.

use anyhow::Result;
use oc_config::load::Loaded;
use oc_fs::sandbox_registry::{self, Named as _};
use oc_policy::sandbox::{agent_of_scope_key, default_agent, resolve};
use oc_sandbox::container::{Containers, EngineError, Found};
use oc_types::AgentId;
use serde_json::{Value as Json, json};

use crate::app::App;
use crate::commands::explain::place;

/// Which registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// `containers.json`.
    Containers,
    /// `browsers.json`.
    Browsers,
}

/// One container.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The scope key.
    pub scope_key: String,
    /// The registry's entry as it is shown.
    pub entry: Json,
    /// Whether it runs.
    pub running: bool,
    /// The image it was made from.
    pub image: String,
    /// Whether that is the configured one.
    pub image_match: bool,
}

impl Listed {
    /// The entry with the members that `list` adds.
    pub fn json(&self) -> Json {
        let mut out = self.entry.clone();
        if let Some(members) = out.as_object_mut() {
            members.insert("running".to_owned(), self.running.into());
            members.insert("image".to_owned(), self.image.clone().into());
            members.insert("imageMatch".to_owned(), self.image_match.into());
        }
        out
    }
}

/// Reads the list. `engine`: without one nothing is known to run.
///
/// # Errors
/// A registry that cannot be read, an engine that fails.
pub async fn read(
    app: &App,
    loaded: &Loaded,
    engine: &Result<Containers, EngineError>,
    which: Which,
) -> Result<Vec<Listed>> {
    let mut entries = entries(app, loaded, engine, which).await?;
    if let (Which::Containers, Ok(containers)) = (which, engine) {
        for found in containers.ours().await? {
            if let Some(entry) = found.entry()
                && found.label(oc_sandbox::container::LABEL_BROWSER).is_none()
                && !entries.iter().any(|(name, _, _)| *name == found.name)
            {
                entries.push((found.name.clone(), entry.session_key.clone(), json!(entry)));
            }
        }
    }
    let mut out = Vec::new();
    for (name, scope_key, entry) in entries {
        let found = match engine {
            Ok(containers) => containers.engine().find(&name).await?,
            Err(_) => None,
        };
        let text = |key: &str| entry.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        let image = found.as_ref().map_or_else(|| text("image"), |f: &Found| f.image.clone());
        out.push(Listed {
            image_match: image == wanted_image(loaded, &scope_key, which)?,
            running: found.is_some_and(|f| f.running),
            name,
            scope_key,
            entry,
            image,
        });
    }
    Ok(out)
}

type Row = (String, String, Json);

async fn entries(
    app: &App,
    loaded: &Loaded,
    engine: &Result<Containers, EngineError>,
    which: Which,
) -> Result<Vec<Row>> {
    let state = &loaded.locations.state_dir;
    if which == Which::Browsers {
        let registry = sandbox_registry::browsers(state).read()?;
        let rows = registry.entries.iter().map(|e| (e.name().to_owned(), e.scope_key().to_owned(), json!(e)));
        return Ok(rows.collect());
    }
    let registry = match engine {
        Ok(containers) => {
            let (registry, note) = containers.registry().await?;
            if let Some(note) = note {
                app.note(&format!("openclaw: {note}"));
            }
            registry
        }
        Err(_) => sandbox_registry::containers(state).read()?,
    };
    Ok(registry.entries.iter().map(|e| (e.name().to_owned(), e.scope_key().to_owned(), json!(e))).collect())
}

/// The image that the configuration has for the agent of a scope key; that of `agents.defaults` for a shared one.
fn wanted_image(loaded: &Loaded, scope_key: &str, which: Which) -> Result<String> {
    // A shared sandbox belongs to no agent: an id that no entry has leaves the defaults.
    let nobody = || AgentId::normalized("-");
    let agent = match scope_key {
        "shared" => nobody(),
        key => agent_of_scope_key(key).unwrap_or_else(|| default_agent(&loaded.tree)),
    };
    let settings = resolve(&loaded.tree, &agent, &place(loaded))?;
    Ok(match which {
        Which::Containers => settings.docker.image.value,
        Which::Browsers => settings.browser.image.value,
    })
}
