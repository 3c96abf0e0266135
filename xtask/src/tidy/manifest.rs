//! The manifests of the workspace members.

use std::path::Path;

use anyhow::{Context, Result};
use toml_edit::{DocumentMut, Item};

/// What the checks need of one `Cargo.toml`.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    /// Package name.
    pub name: String,
    /// Names under `[dependencies]` and `[build-dependencies]`.
    pub dependencies: Vec<String>,
    /// Names under `[dev-dependencies]`.
    pub dev_dependencies: Vec<String>,
    /// Dependencies that do not say `workspace = true`.
    pub own_versions: Vec<String>,
    /// Whether `[lints] workspace = true` stands in it.
    pub workspace_lints: bool,
    /// Its own `lints.rust.unsafe_code`; empty when it sets none.
    pub unsafe_code: String,
}

/// Reads the manifests of `crates/*`, `bins/*` and `xtask`.
pub fn read_all(root: &Path) -> Result<Vec<Manifest>> {
    let mut out = vec![read(&root.join("xtask"))?];
    for group in ["crates", "bins"] {
        for entry in std::fs::read_dir(root.join(group))? {
            out.push(read(&entry?.path())?);
        }
    }
    out.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(out)
}

fn read(folder: &Path) -> Result<Manifest> {
    let file = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    parse(&text).with_context(|| file.display().to_string())
}

/// Reads one manifest.
pub fn parse(text: &str) -> Result<Manifest> {
    let doc: DocumentMut = text.parse()?;
    let mut m = Manifest {
        name: doc
            .get("package")
            .and_then(|p| p.get("name"))
            .and_then(Item::as_str)
            .context("no package name")?
            .to_owned(),
        unsafe_code: doc
            .get("lints")
            .and_then(|l| l.get("rust")?.get("unsafe_code")?.as_str())
            .unwrap_or_default()
            .to_owned(),
        workspace_lints: doc.get("lints").and_then(|l| l.get("workspace")).and_then(Item::as_bool)
            == Some(true),
        ..Manifest::default()
    };
    for (section, dev) in [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)]
    {
        let Some(table) = doc.get(section).and_then(Item::as_table_like) else { continue };
        for (name, item) in table.iter() {
            if item.get("workspace").and_then(Item::as_bool) != Some(true) {
                m.own_versions.push(name.to_owned());
            }
            if dev { m.dev_dependencies.push(name.to_owned()) } else { m.dependencies.push(name.to_owned()) }
        }
    }
    Ok(m)
}

/// The crate of the one `unsafe` call (docs/architecture.md).
const WITH_UNSAFE: &str = "oc-malloc";

/// Versions only in the workspace table, lints from the workspace.
pub fn check(manifests: &[Manifest]) -> Vec<String> {
    let mut wrong = Vec::new();
    for m in manifests {
        // It denies, and expects one call with a reason; `forbid` cannot be lifted for one call.
        let excepted = m.name == WITH_UNSAFE && m.unsafe_code == "deny";
        if !m.workspace_lints && !excepted {
            wrong.push(format!(
                "`{}` does not take the workspace lints: add `[lints] workspace = true`",
                m.name
            ));
        }
        for d in &m.own_versions {
            wrong.push(format!("`{}` sets its own version of `{d}`: use `{d}.workspace = true`", m.name));
        }
    }
    wrong
}
