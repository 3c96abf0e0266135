//! What a plugin says about itself (`openclaw.plugin.json`), and whether the configuration lets it run.
//!
//! Nothing of a plugin is ever loaded into this process. A plugin that offers tools declares them and a program that speaks MCP over its
//! standard streams; the program is started as a process of its own, with the variables that the operator gives it and no others.

use oc_config::schema::plugins::BUNDLED;
use oc_policy::tool_name::{CORE, MEMORY, WHATSAPP_LOGIN, canonical};
use oc_text::visible;
use oc_types::Node;
use serde_json::Value;
use thiserror::Error;

pub mod server;
pub mod standing;
#[cfg(test)]
mod tests;

pub use server::{Argument, Program, ServerCommand};
pub use standing::Standing;

/// Name of a plugin's manifest.
pub const MANIFEST: &str = "openclaw.plugin.json";
/// Longest id, in bytes.
pub const MAX_ID: usize = 64;
/// Most tools of a plugin.
pub const MAX_TOOLS: usize = 128;
/// Longest name of a tool, in bytes.
const MAX_TOOL: usize = 64;

/// A plugin's id (SP-018): a folder of `extensions` and a key of `plugins.entries`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginId(String);

/// A tool that a plugin declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredTool {
    /// Its name.
    pub name: String,
    /// Whether it is offered only where a list names it.
    pub optional: bool,
}

/// A plugin's manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its id.
    pub id: PluginId,
    /// What people call it, printable.
    pub name: Option<String>,
    /// What it is for, printable.
    pub description: Option<String>,
    /// Its version as it says.
    pub version: Option<String>,
    /// The channels that it brings.
    pub channels: Vec<String>,
    /// The tools that it brings. What its program offers besides is not taken.
    pub tools: Vec<DeclaredTool>,
    /// Its program; without one it has nothing that this product runs.
    pub server: Option<ServerCommand>,
    /// Folders with skills, below the plugin's own.
    pub skills: Vec<String>,
}

/// The tools of a plugin and the process that carries them out, for whoever starts it.
#[derive(Clone, Debug)]
pub struct PluginTools {
    /// The plugin.
    pub id: PluginId,
    /// Its tools; a name that the process offers and that is not here is refused.
    pub tools: Vec<DeclaredTool>,
    /// Its folder, the working directory of the process (absolute).
    pub folder: String,
    /// The program: an absolute path below the folder, or a plain name to look for in the gateway's search path.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// The only variables that it gets besides `PATH`, `HOME` and the language: what the manifest asks for and the operator has set.
    pub env: Vec<(String, oc_types::Secret)>,
    /// Variables that the manifest asks for and that are not set.
    pub unset: Vec<String>,
}

/// Why a manifest is not usable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadManifest {
    /// It is no JSON object.
    #[error("its manifest is no JSON object")]
    NotJson,
    /// It has no id.
    #[error("its manifest has no id")]
    NoId,
    /// The id cannot be a folder's name or belongs to a plugin of the release.
    #[error("the id {0:?} is not usable: {1}")]
    Id(String, &'static str),
    /// It has no `configSchema`.
    #[error("its manifest has no configSchema")]
    NoSchema,
    /// A member has another form than it must have.
    #[error("`{0}` in its manifest is not usable: {1}")]
    Member(&'static str, &'static str),
}

impl PluginId {
    /// Checks an id.
    ///
    /// # Errors
    /// [`BadManifest::Id`].
    pub fn parse(text: &str) -> Result<Self, BadManifest> {
        let bad = |why| BadManifest::Id(visible(text, 80), why);
        let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if text.is_empty() || text.len() > MAX_ID || !text.chars().all(fine) || text.starts_with(['-', '_']) {
            return Err(bad("use letters, digits, `-` and `_`, at most 64, starting with a letter or digit"));
        }
        if matches!(text, "constructor" | "prototype" | "node_modules") {
            return Err(bad("the name is reserved"));
        }
        if BUNDLED.iter().any(|b| b.id.eq_ignore_ascii_case(text)) {
            return Err(bad("a plugin of the release has it"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for PluginId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads a manifest.
///
/// # Errors
/// See [`BadManifest`].
pub fn parse(text: &str) -> Result<Manifest, BadManifest> {
    let json: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|_| BadManifest::NotJson)?;
    if !json.is_object() {
        return Err(BadManifest::NotJson);
    }
    let id = json.get("id").and_then(Value::as_str).map(str::trim).filter(|i| !i.is_empty());
    let id = PluginId::parse(id.ok_or(BadManifest::NoId)?)?;
    if json.get("configSchema").and_then(Value::as_object).is_none() {
        return Err(BadManifest::NoSchema);
    }
    let shown = |key: &str, cap| {
        let text = json.get(key).and_then(Value::as_str).map(str::trim).filter(|s| !s.is_empty());
        text.map(|t| visible(t, cap))
    };
    Ok(Manifest {
        id,
        name: shown("name", 100),
        description: shown("description", 500),
        version: shown("version", 100),
        channels: texts(&json, "channels")?,
        tools: tools(&json)?,
        server: json.get("mcpServer").filter(|v| !v.is_null()).map(server::parse).transpose()?,
        skills: folders(&json)?,
    })
}

fn texts(json: &Value, key: &'static str) -> Result<Vec<String>, BadManifest> {
    let wrong = BadManifest::Member(key, "it is no list of texts");
    match json.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => {
            let one = |v: &Value| v.as_str().map(|s| s.trim().to_owned()).filter(|s| !s.is_empty());
            list.iter().map(one).collect::<Option<Vec<_>>>().ok_or(wrong)
        }
        Some(_) => Err(wrong),
    }
}

fn tools(json: &Value) -> Result<Vec<DeclaredTool>, BadManifest> {
    let wrong = |why| BadManifest::Member("tools", why);
    let list = match json.get("tools") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(wrong("it is no list")),
    };
    if list.len() > MAX_TOOLS {
        return Err(wrong("it has more than 128 entries"));
    }
    let mut out: Vec<DeclaredTool> = Vec::new();
    for entry in list {
        let name = entry.as_str().or_else(|| entry.get("name").and_then(Value::as_str));
        let name = name.map(str::trim).unwrap_or_default();
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if name.is_empty() || name.len() > MAX_TOOL || !name.chars().all(fine) {
            return Err(wrong("a name is not of small letters, digits, `_` and `-`"));
        }
        let own = |n: &&str| *n == canonical(name);
        if CORE.iter().chain(MEMORY).chain(&[WHATSAPP_LOGIN]).any(own) {
            return Err(wrong("a name is that of a tool of the product"));
        }
        if out.iter().any(|t| t.name == name) {
            return Err(wrong("a name stands there twice"));
        }
        let optional = match entry.get("optional") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(on)) => *on,
            Some(_) => return Err(wrong("`optional` is neither true nor false")),
        };
        out.push(DeclaredTool { name: name.to_owned(), optional });
    }
    Ok(out)
}

fn folders(json: &Value) -> Result<Vec<String>, BadManifest> {
    let all = texts(json, "skills")?;
    let below = |text: &String| crate::package::path::relative(text.trim_end_matches('/')).ok();
    let paths: Option<Vec<String>> = all.iter().map(below).collect();
    paths.ok_or(BadManifest::Member("skills", "an entry leads out of the plugin's folder"))
}

/// The tools of a plugin with the settings of its entry (`plugins.entries.<id>.config.env`); `None` without a program.
#[must_use]
pub fn tools_of(manifest: &Manifest, folder: &str, tree: &Node) -> Option<PluginTools> {
    let server = manifest.server.as_ref()?;
    let set = tree.path(&["plugins", "entries", manifest.id.as_str(), "config", "env"]);
    let mut env = Vec::new();
    let mut unset = Vec::new();
    for name in &server.env {
        match set.and_then(|s| s.get(name)).and_then(Node::as_str) {
            Some(value) => env.push((name.clone(), oc_types::Secret::new(value.to_owned()))),
            None => unset.push(name.clone()),
        }
    }
    let own = |path: &str| format!("{}/{path}", folder.trim_end_matches('/'));
    let argument = |a: &Argument| match a {
        Argument::Text(text) => text.clone(),
        Argument::Own(path) => own(path),
    };
    Some(PluginTools {
        id: manifest.id.clone(),
        tools: manifest.tools.clone(),
        folder: folder.to_owned(),
        program: match &server.program {
            Program::Named(name) => name.clone(),
            Program::Own(path) => own(path),
        },
        args: server.args.iter().map(argument).collect(),
        env,
        unset,
    })
}
