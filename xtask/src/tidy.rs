//! `cargo xtask tidy`: what the compiler does not check. Each check is a function over plain data, so that its own tests can show it failing.

mod assurance;
mod card;
mod docs;
mod layers;
mod layout;
mod manifest;
mod sources;

use anyhow::Result;

use crate::steps::root;

/// Runs every check and prints what is wrong; true when nothing is.
pub fn run() -> Result<bool> {
    let root = root();
    let manifests = manifest::read_all(&root)?;
    let sources = sources::read_all(&root)?;
    let mut wrong = Vec::new();
    wrong.extend(layout::check(&layout::top_level(&root)?));
    wrong.extend(layers::check(&manifests));
    wrong.extend(manifest::check(&manifests));
    wrong.extend(card::check(&manifests, &sources));
    wrong.extend(sources::check(&sources, &root.display().to_string()));
    wrong.extend(docs::check(&root, &manifests)?);
    wrong.extend(assurance::check(&root, &sources)?);
    for w in &wrong {
        println!("tidy: {w}");
    }
    println!(
        "tidy: {} problem(s) in {} crates, {} source files",
        wrong.len(),
        manifests.len(),
        sources.len()
    );
    Ok(wrong.is_empty())
}
