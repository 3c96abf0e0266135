//! `system.which`: which of these programs are on the search path.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::failure::NodeFailure;

/// Most names of one question.
const MOST: usize = 128;
/// Longest name, in bytes.
const LONGEST: usize = 128;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    bins: Vec<String>,
}

/// Answers `{bins: {name: path}}`; what is not found is left out. Touches the disk.
pub(super) fn which(params: &Value, path: &str) -> Result<Value, NodeFailure> {
    let Params { bins } = Params::deserialize(params).map_err(NodeFailure::invalid)?;
    if bins.len() > MOST {
        return Err(NodeFailure::invalid(format!("more than {MOST} names")));
    }
    let folders: Vec<PathBuf> = std::env::split_paths(path).filter(|p| p.is_absolute()).collect();
    let mut found = Map::new();
    for name in bins.iter().map(|n| n.trim()).filter(|n| is_name(n)) {
        let program = folders.iter().map(|f| f.join(name)).find(|p| oc_fs::host_view::is_program(p));
        if let Some(program) = program {
            found.insert(name.to_owned(), program.to_string_lossy().into());
        }
    }
    Ok(json!({ "bins": found }))
}

/// A name, and no way to ask about other files.
fn is_name(text: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || "._+-@".contains(c);
    (1..=LONGEST).contains(&text.len()) && text.chars().all(fine) && !text.starts_with('.')
}
