//! `plugins install`: a package becomes a folder of `<state>/extensions`, whole or not at all, and nothing of it is run.
//!
//! The package is fetched or copied into a folder of its own beside the extensions, its digest compared before it is unpacked, its files
//! looked over, and only then moved to its place by one rename. A failure at any point leaves what was there before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use oc_config::edit::Change;
use oc_config::{Issue, LoadRequest, Loaded, load};
use oc_extensions::package::{Integrity, NotInstallable, Origin, Pinned};
use oc_extensions::plugin::{PluginId, Standing, standing};
use oc_types::{KeyPath, Node};
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::config_source::DiskSource;
use crate::config_store::{self, Force, WriteRefused, Writer};
use crate::npm::{self, NpmFailure};
use crate::package_files::{self, NotUnpacked};
use crate::plugin_review::{self, Blocker, NotAPlugin, Review};
use crate::{lock, mode, random};

#[cfg(test)]
mod tests;

/// Folder beside the extensions in which packages are unpacked and from which they are moved.
const STAGING: &str = ".plugin-staging";

/// What is to be installed.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Where the configuration is.
    pub load: &'a LoadRequest,
    /// Where the plugin comes from; paths are absolute.
    pub origin: &'a Origin,
    /// The digest that the operator expects.
    pub integrity: Option<&'a Integrity>,
    /// Whether an installed plugin of the same id is replaced.
    pub replace: bool,
    /// Whether packages that it needs are fetched too.
    pub dependencies: bool,
    /// The user's `npm`.
    pub npm: Option<&'a Path>,
    /// The moment, for the record.
    pub now: Timestamp,
}

/// What the digest was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// With the operator's (`--integrity`).
    Given,
    /// With the one in `plugins.installs`.
    Recorded,
    /// With none: it is recorded now.
    FirstUse,
    /// A folder has none.
    NotPossible,
}

/// What was installed.
#[derive(Clone, Debug)]
pub struct Installed {
    /// Its folder.
    pub folder: PathBuf,
    /// The package's digest.
    pub integrity: Option<Integrity>,
    /// What it was compared with.
    pub compared: Compared,
    /// What a look at it found.
    pub review: Review,
    /// How it stands now.
    pub standing: Standing,
    /// Whether another version stood there before.
    pub replaced: bool,
}

/// Why nothing was installed.
#[derive(Debug, Error)]
pub enum InstallRefused {
    /// The configuration is not valid.
    #[error("the configuration is invalid: {0}")]
    Configuration(Box<Issue>),
    /// A folder has no digest to compare.
    #[error("a folder has no integrity; pack it (`npm pack --ignore-scripts`) and install the `.tgz`")]
    FolderHasNone,
    /// The digest in the record is not usable.
    #[error("plugins.installs.{id}.integrity: {why}; give --integrity, or remove the record")]
    Record {
        /// The plugin.
        id: String,
        /// Why.
        why: NotInstallable,
    },
    /// The bytes are not the expected ones.
    #[error("the package is {found}, but {by} says {wanted}; nothing was unpacked")]
    Integrity {
        /// What was expected.
        wanted: Integrity,
        /// What it is.
        found: Integrity,
        /// Who expected it.
        by: String,
    },
    /// The registry's package.
    #[error(transparent)]
    Npm(#[from] NpmFailure),
    /// The files of the package.
    #[error(transparent)]
    Files(#[from] NotUnpacked),
    /// It is no plugin.
    #[error("the package is no plugin: {0}")]
    NotAPlugin(#[from] NotAPlugin),
    /// There is one of this id.
    #[error("plugin {0} is installed already; use --replace to put this one in its place")]
    AlreadyThere(PluginId),
    /// It would be loaded at once, and something speaks against that.
    #[error("plugin {id} is named in the configuration and would be loaded at once, but: {}", all(.blockers))]
    WouldLoad {
        /// The plugin.
        id: PluginId,
        /// What speaks against it.
        blockers: Vec<Blocker>,
    },
    /// Another process is at it.
    #[error(transparent)]
    Lock(#[from] lock::LockFailure),
    /// The record could not be written; the files were taken back.
    #[error(transparent)]
    Write(#[from] WriteRefused),
    /// The system refused.
    #[error("{}: {source}", path.display())]
    System {
        /// The path.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// Blockers in one line.
pub(crate) fn all(blockers: &[Blocker]) -> String {
    blockers.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What the system refused at a path.
fn system(path: &Path) -> impl FnOnce(io::Error) -> InstallRefused {
    let path = path.to_owned();
    move |source| InstallRefused::System { path, source }
}

/// The configuration before a change of plugins.
///
/// # Errors
/// [`InstallRefused::Configuration`].
pub(crate) fn configuration(request: &LoadRequest) -> Result<Loaded, InstallRefused> {
    let loaded = load(request, &DiskSource);
    match loaded.issues.first() {
        Some(issue) => Err(InstallRefused::Configuration(Box::new(issue.clone()))),
        None => Ok(loaded),
    }
}

/// The extensions folder, made if need be, and its lock.
///
/// # Errors
/// When it is a link, cannot be made, or another process changes plugins.
pub(crate) fn extensions(state: &Path) -> Result<(PathBuf, lock::StoreLock), InstallRefused> {
    let folder = state.join("extensions");
    mode::create_directories(&folder).map_err(system(&folder))?;
    if !folder.symlink_metadata().is_ok_and(|m| m.is_dir()) {
        let e = io::Error::other("it is a link; plugins are installed into a real folder only");
        return Err(system(&folder)(e));
    }
    let lock = lock::acquire(&folder, lock::Convention::Own, lock::WAIT)?;
    Ok((folder, lock))
}

/// A folder for one change, removed with everything in it when dropped.
#[derive(Debug)]
pub(crate) struct Staging(PathBuf);

impl Staging {
    /// Makes one, and removes what a killed process left. The lock of [`extensions`] must be held.
    pub(crate) fn new(state: &Path) -> Result<Self, InstallRefused> {
        let all = state.join(STAGING);
        if all.symlink_metadata().is_ok() {
            // Removing does not follow links.
            fs::remove_dir_all(&all).or_else(|_| fs::remove_file(&all)).map_err(system(&all))?;
        }
        let name = random::token_hex(16).map_err(|e| system(&all)(io::Error::other(e)))?;
        let own = all.join(name.expose());
        mode::create_directories(&own).map_err(system(&own))?;
        Ok(Self(own))
    }

    /// A fresh folder in it.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, InstallRefused> {
        let path = self.0.join(name);
        mode::create_directories(&path).map_err(system(&path))?;
        Ok(path)
    }

    /// A path in it at which nothing is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
        if let Some(all) = self.0.parent() {
            let _ = fs::remove_dir(all);
        }
    }
}

/// Installs a plugin.
///
/// # Errors
/// See [`InstallRefused`]. The extensions and the configuration are as they were.
pub fn install(request: &Request<'_>) -> Result<Installed, InstallRefused> {
    let loaded = configuration(request.load)?;
    let tree = &loaded.tree;
    let (extensions, _lock) = extensions(&loaded.locations.state_dir)?;
    let staging = Staging::new(&loaded.locations.state_dir)?;
    let unpacked = staging.folder("plugin")?;
    let (integrity, mut compared) = unpack(request, tree, &staging, &unpacked)?;
    if request.dependencies {
        npm::dependencies(request.npm.ok_or(NpmFailure::NotThere)?, &unpacked)?;
    }
    let mut plugin = unpacked;
    if request.dependencies {
        // What npm wrote is held to the same rules as everything else.
        let copied = staging.folder("whole")?;
        package_files::copy(&plugin, &copied)?;
        plugin = copied;
    }
    let review = plugin_review::review(&plugin)?;
    let id = review.manifest.id.clone();
    if compared == Compared::FirstUse
        && let Some(found) = &integrity
        && let Some((name, recorded)) = recorded(tree, |name, node| {
            name == id.as_str() && text(node, "version") == review.version.as_deref()
        })
    {
        let wanted =
            Integrity::parse(recorded).map_err(|why| InstallRefused::Record { id: name.to_owned(), why })?;
        compare(found, &wanted, &format!("plugins.installs.{name}.integrity"))?;
        compared = Compared::Recorded;
    }
    let standing = standing::of(tree, id.as_str());
    if standing == Standing::Loaded && !review.blockers.is_empty() {
        return Err(InstallRefused::WouldLoad { id, blockers: review.blockers });
    }
    let folder = extensions.join(id.as_str());
    let there = folder.symlink_metadata().is_ok();
    if there && !request.replace {
        return Err(InstallRefused::AlreadyThere(id));
    }
    // What is moved into place is on the disk.
    rustix::fs::sync();
    let old = staging.path("old");
    if there {
        fs::rename(&folder, &old).map_err(system(&folder))?;
    }
    let back = |path: &Path, there: bool| {
        let _ = fs::remove_dir_all(path);
        if there {
            let _ = fs::rename(&old, path);
        }
    };
    if let Err(source) = fs::rename(&plugin, &folder) {
        back(&folder, there);
        return Err(InstallRefused::System { path: folder, source });
    }
    let record = record(request, &review, &folder, integrity.as_ref());
    let path = KeyPath::keys(["plugins", "installs"]).key(id.as_str());
    let writer = Writer { name: "openclaw plugins install", force: Force::No, expected: None };
    if let Err(e) = config_store::edit(request.load, &[Change::Set { path, value: record }], writer) {
        back(&folder, there);
        return Err(e.into());
    }
    if let Ok(dir) = fs::File::open(&extensions) {
        let _ = dir.sync_all();
    }
    Ok(Installed { folder, integrity, compared, review, standing, replaced: there })
}

/// Brings the files into the staging folder. The digest is compared before a byte is unpacked.
fn unpack(
    request: &Request<'_>,
    tree: &Node,
    staging: &Staging,
    into: &Path,
) -> Result<(Option<Integrity>, Compared), InstallRefused> {
    let file = match request.origin {
        Origin::Folder(from) => {
            if request.integrity.is_some() {
                return Err(InstallRefused::FolderHasNone);
            }
            package_files::copy(Path::new(from), into)?;
            return Ok((None, Compared::NotPossible));
        }
        Origin::Archive(path) => PathBuf::from(path),
        Origin::Registry(package) => {
            let npm = request.npm.ok_or(NpmFailure::NotThere)?;
            npm::pack(npm, package, &staging.folder("download")?)?
        }
    };
    let (bytes, found) = package_files::archive(&file)?;
    let mut compared = Compared::FirstUse;
    if let Some(wanted) = request.integrity {
        compare(&found, wanted, "--integrity")?;
        compared = Compared::Given;
    } else if let Origin::Registry(package) = request.origin
        && let Some((id, wanted)) = recorded(tree, |_, node| text(node, "spec") == Some(&package.to_string()))
    {
        let wanted =
            Integrity::parse(wanted).map_err(|why| InstallRefused::Record { id: id.to_owned(), why })?;
        compare(&found, &wanted, &format!("plugins.installs.{id}.integrity"))?;
        compared = Compared::Recorded;
    }
    package_files::unpack(&bytes, into)?;
    Ok((Some(found), compared))
}

fn compare(found: &Integrity, wanted: &Integrity, by: &str) -> Result<(), InstallRefused> {
    if found == wanted {
        return Ok(());
    }
    Err(InstallRefused::Integrity { wanted: wanted.clone(), found: found.clone(), by: by.to_owned() })
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::as_str).map(str::trim).filter(|s| !s.is_empty())
}

/// The digest of the first record that fits.
fn recorded(tree: &Node, fits: impl Fn(&str, &Node) -> bool) -> Option<(&str, &str)> {
    let all = tree.path(&["plugins", "installs"]).and_then(Node::as_object)?;
    let fitting = all.iter().filter(|(id, node)| fits(id, node));
    fitting.filter_map(|(id, node)| Some((id.as_str(), text(node, "integrity")?))).next()
}

/// The record in the configuration, in the words of the reference release.
fn record(request: &Request<'_>, review: &Review, folder: &Path, integrity: Option<&Integrity>) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            out.insert(key.to_owned(), json!(value));
        }
    };
    let now = format!("{:.3}", request.now);
    match request.origin {
        Origin::Registry(Pinned { name, version }) => {
            put("source", Some("npm".to_owned()));
            put("spec", Some(format!("{name}@{version}")));
            put("resolvedName", Some(name.clone()));
            put("resolvedVersion", Some(version.clone()));
        }
        Origin::Archive(path) => {
            put("source", Some("archive".to_owned()));
            put("sourcePath", Some(path.clone()));
        }
        Origin::Folder(path) => {
            put("source", Some("path".to_owned()));
            put("sourcePath", Some(path.clone()));
        }
    }
    put("installPath", Some(folder.to_string_lossy().into_owned()));
    put("version", review.version.clone());
    put("installedAt", Some(now));
    put("integrity", integrity.map(ToString::to_string));
    Value::Object(out)
}
