//! Which home, state directory, configuration file and credentials directory (audit spec 4.1).

use std::path::{Path, PathBuf};

use serde::Serialize;
use thiserror::Error;

use crate::Environment;
use crate::include::normalized;
use crate::load::Reading;

#[cfg(test)]
mod tests;

/// The name of the configuration file.
pub const CONFIG_NAME: &str = "openclaw.json";
/// The name of the configuration file in TOML.
pub const TOML_NAME: &str = "openclaw.toml";
const YAML_NAMES: [&str; 2] = ["openclaw.yaml", "openclaw.yml"];
const NEVER_READ: [&str; 2] = ["openclaw.json5", "openclaw.jsonc"];
const LEGACY_NAMES: [&str; 3] = ["clawdbot.json", "moltbot.json", "moldbot.json"];
const STATE_NAME: &str = ".openclaw";
const LEGACY_STATE_NAMES: [&str; 3] = [".clawdbot", ".moltbot", ".moldbot"];

/// The places of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Locations {
    /// The product home: `OPENCLAW_HOME`, `HOME`, `USERPROFILE`.
    pub home: PathBuf,
    /// The state directory, whether it exists or not.
    pub state_dir: PathBuf,
    /// The configuration file, whether it exists or not.
    pub config: PathBuf,
    /// The credentials directory.
    pub credentials: PathBuf,
}

/// `--state-dir` and `--config`: they win over every variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// `--config`.
    pub config: Option<PathBuf>,
}

/// What the decision is made from.
#[derive(Clone, Copy, Debug)]
pub struct Base<'a> {
    /// The variables.
    pub environment: &'a Environment,
    /// The command line.
    pub overrides: &'a Overrides,
    /// The current directory (absolute): relative paths are taken from it.
    pub cwd: &'a Path,
    /// The home directory as the operating system has it, when no variable names one.
    pub os_home: Option<&'a Path>,
    /// How files are looked for: the era knows no TOML.
    pub reading: Reading,
}

/// Why there is no one configuration file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Ambiguous {
    /// Both formats are there.
    #[error("there are two configuration files, {} and {}", .json.display(), .toml.display())]
    TwoFormats {
        /// The JSON5 file.
        json: PathBuf,
        /// The TOML file.
        toml: PathBuf,
    },
}

/// The state directory and the home it was found from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDir {
    /// The product home.
    pub home: PathBuf,
    /// The state directory.
    pub path: PathBuf,
    /// Whether it was named (command line or variable) rather than found.
    pub named: bool,
}

/// Decides home and state directory.
pub fn state_dir(base: Base<'_>, exists: &dyn Fn(&Path) -> bool) -> StateDir {
    let home = home(base);
    let variable = first(base.environment, &["OPENCLAW_STATE_DIR", "CLAWDBOT_STATE_DIR"]);
    let named = base.overrides.state_dir.clone().or_else(|| variable.map(PathBuf::from));
    if let Some(path) = named {
        return StateDir { path: absolute(&path, &home, base.cwd), home, named: true };
    }
    let standard = home.join(STATE_NAME);
    let path = std::iter::once(standard.clone())
        .chain(LEGACY_STATE_NAMES.iter().map(|n| home.join(n)))
        .find(|p| exists(p))
        .unwrap_or(standard);
    StateDir { home, path, named: false }
}

impl Locations {
    /// Decides every place.
    ///
    /// # Errors
    /// When a JSON5 and a TOML configuration stand side by side. The locations then name the JSON5 file.
    pub fn decide(base: Base<'_>, exists: &dyn Fn(&Path) -> bool) -> (Self, Option<Ambiguous>) {
        Self::within(state_dir(base, exists), base, exists)
    }

    /// Decides the configuration file when the state directory is known already.
    pub fn within(
        state: StateDir,
        base: Base<'_>,
        exists: &dyn Fn(&Path) -> bool,
    ) -> (Self, Option<Ambiguous>) {
        let StateDir { home, path: state_dir, named } = state;
        let credentials = first(base.environment, &["OPENCLAW_OAUTH_DIR"])
            .map_or_else(|| state_dir.join("credentials"), |p| absolute(Path::new(p), &home, base.cwd));
        let variable = first(base.environment, &["OPENCLAW_CONFIG_PATH", "CLAWDBOT_CONFIG_PATH"]);
        let mut ambiguous = None;
        let config = match base.overrides.config.clone().or_else(|| variable.map(PathBuf::from)) {
            Some(path) => absolute(&path, &home, base.cwd),
            None => {
                let mut dirs = vec![state_dir.clone()];
                if !named {
                    dirs.push(home.join(STATE_NAME));
                    dirs.extend(LEGACY_STATE_NAMES.iter().map(|n| home.join(n)));
                }
                let found = dirs.iter().find_map(|dir| in_directory(dir, base.reading, exists));
                match found {
                    Some((path, other)) => {
                        ambiguous = other.map(|toml| Ambiguous::TwoFormats { json: path.clone(), toml });
                        path
                    }
                    None => state_dir.join(CONFIG_NAME),
                }
            }
        };
        (Self { home, state_dir, config, credentials }, ambiguous)
    }
}

/// Files beside the configuration that look like one but are never read: other formats, other endings.
pub(crate) fn beside<'a>(
    config: &'a Path,
    exists: &'a dyn Fn(&Path) -> bool,
) -> impl Iterator<Item = PathBuf> + use<'a> {
    let names = YAML_NAMES.iter().chain(&NEVER_READ);
    names.map(|n| config.with_file_name(n)).filter(move |p| p != config && exists(p))
}

/// The configuration file of a directory, and the TOML file beside it when both formats are there.
fn in_directory(
    dir: &Path,
    reading: Reading,
    exists: &dyn Fn(&Path) -> bool,
) -> Option<(PathBuf, Option<PathBuf>)> {
    let legacy = LEGACY_NAMES.iter().map(|n| dir.join(n));
    let json = std::iter::once(dir.join(CONFIG_NAME)).chain(legacy).find(|p| exists(p));
    if reading == Reading::Era {
        return json.map(|p| (p, None));
    }
    let toml = Some(dir.join(TOML_NAME)).filter(|p| exists(p));
    match (json, toml) {
        (Some(json), toml) => Some((json, toml)),
        (None, Some(toml)) => Some((toml, None)),
        // YAML is found so that it can be answered; as no file at all the defaults would silently be in force.
        (None, None) => YAML_NAMES.iter().map(|n| dir.join(n)).find(|p| exists(p)).map(|p| (p, None)),
    }
}

fn home(base: Base<'_>) -> PathBuf {
    let os = || {
        first(base.environment, &["HOME", "USERPROFILE"])
            .map(PathBuf::from)
            .or_else(|| base.os_home.map(Path::to_path_buf))
            .unwrap_or_else(|| base.cwd.to_path_buf())
    };
    match first(base.environment, &["OPENCLAW_HOME"]) {
        Some(named) => absolute(Path::new(named), &os(), base.cwd),
        None => absolute(&os(), Path::new("/"), base.cwd),
    }
}

fn first<'a>(environment: &'a Environment, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|n| environment.text(n))
}

/// A path with a leading `~` replaced by the home directory, made absolute, `.` and `..` taken out.
fn absolute(path: &Path, home: &Path, cwd: &Path) -> PathBuf {
    let expanded = match path.to_str().and_then(|t| expand_home(t, home)) {
        Some(text) => PathBuf::from(text),
        None => path.to_path_buf(),
    };
    normalized(&cwd.join(expanded))
}

/// `~` and `~/x` with the home put in; `None` when the text does not start so (`~user` is left alone, SP-069).
#[must_use]
pub fn expand_home(text: &str, home: &Path) -> Option<String> {
    let rest = text.strip_prefix('~')?;
    if rest.is_empty() {
        return Some(home.to_string_lossy().into_owned());
    }
    let rest = rest.strip_prefix(['/', '\\'])?;
    Some(home.join(rest.trim_start_matches(['/', '\\'])).to_string_lossy().into_owned())
}
