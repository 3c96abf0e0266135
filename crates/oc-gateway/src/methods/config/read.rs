//! `config.get`.

use oc_config::{Format, load, view};
use oc_fs::config_source::DiskSource;
use oc_fs::config_store::hash;
use oc_types::KeyPath;
use serde_json::{Value, json};

use super::{ConfigContext, issues, shown};
use crate::methods::params::{Nothing, read};
use crate::protocol::frame::Failure;

/// `config.get`: text, parsed and resolved form, all with credentials hidden; `hash` is that of the real text.
///
/// # Errors
/// Parameters that are not right. A configuration that is wrong is an answer with `valid: false`.
pub fn get(context: &ConfigContext, params: Value) -> Result<Value, Failure> {
    read::<Nothing>(params)?;
    let loaded = load(&context.request, &DiskSource);
    let path = &loaded.locations.config;
    let main = loaded.files.first();
    let text = main.map_or("", |f| f.text.as_str());
    let raw = main.and_then(|f| view::redacted_text(path, &f.text, Format::of(path)));
    Ok(json!({
        "path": path.display().to_string(),
        "exists": loaded.exists,
        "raw": raw,
        "parsed": view::redacted_node(&KeyPath::root(), &loaded.raw),
        "valid": loaded.is_valid(),
        "config": shown(&loaded),
        "hash": hash(text),
        "issues": issues(&loaded.issues),
        "warnings": issues(&loaded.warnings),
        "legacyIssues": [],
    }))
}
