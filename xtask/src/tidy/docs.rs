//! Lists in the docs that must follow the code.

use std::path::Path;

use anyhow::Result;
use toml_edit::{DocumentMut, Item};

use super::manifest::Manifest;

/// The map names every crate; the dependency list names every package of the workspace table.
pub fn check(root: &Path, manifests: &[Manifest]) -> Result<Vec<String>> {
    let map = std::fs::read_to_string(root.join("docs/architecture.md")).unwrap_or_default();
    let list = std::fs::read_to_string(root.join("docs/dependencies.md")).unwrap_or_default();
    let doc: DocumentMut = std::fs::read_to_string(root.join("Cargo.toml"))?.parse()?;
    let packages: Vec<String> = doc
        .get("workspace")
        .and_then(|w| w.get("dependencies"))
        .and_then(Item::as_table_like)
        .map(|t| t.iter().map(|(k, _)| k.to_owned()).collect())
        .unwrap_or_default();
    let names: Vec<String> = manifests.iter().map(|m| m.name.clone()).collect();
    Ok(missing(&map, &names, "docs/architecture.md")
        .into_iter()
        .chain(missing(
            &list,
            &packages.into_iter().filter(|p| !p.starts_with("oc-")).collect::<Vec<_>>(),
            "docs/dependencies.md",
        ))
        .collect())
}

fn missing(text: &str, names: &[String], file: &str) -> Vec<String> {
    names
        .iter()
        .filter(|n| !text.contains(&format!("`{n}`")))
        .map(|n| format!("{file} does not mention `{n}`"))
        .collect()
}
